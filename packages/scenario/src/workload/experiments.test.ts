import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseScenario } from '../format/index.js';
import { runScenario, type ScenarioRun } from '../run/run-scenario.js';

const folder = fileURLToPath(new URL('../../../../examples/damon/', import.meta.url));
/** The experiments of DAMON spec 2.3. */
const NAMES = readdirSync(folder).filter((name) => /^(t\d-[a-z]|vm|s4|heatmap)-.*\.yaml$/.test(name));

function run(name: string): ScenarioRun {
  const masim = new Map([['zigzag.cfg', readFileSync(`${folder}zigzag.cfg`, 'utf8')]]);
  return runScenario(parseScenario(readFileSync(folder + name, 'utf8'), { path: name }), { files: { masim } });
}

describe('an experiment of DAMON spec 2.3', () => {
  it('is there for each row', () => {
    const rows = NAMES.map((name) => /^(t\d-[a-z]|vm|s4-file|s4|heatmap)/.exec(name)?.[1]);
    expect(rows).toEqual(
      expect.arrayContaining(['heatmap', 's4', 's4-file', 't1-a', 't1-b', 't1-c', 't1-d', 't2-a', 't2-b', 'vm']),
    );
  });

  it.each(NAMES)('%s gives the published result, and leaves a sound machine', (name) => {
    const { result } = run(name);
    expect(result.expectations.filter((one) => !one.ok)).toEqual([]);
    expect(result.expectations.length).toBeGreaterThan(0);
    expect(result.invariants ?? []).toEqual([]);
  });

  it('gives the same bytes again, exact and analytic accesses, splits and monitoring together', () => {
    const name = 's4-split-one.yaml';
    expect(JSON.stringify(run(name).result)).toBe(JSON.stringify(run(name).result));
  });
});
