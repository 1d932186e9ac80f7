/** The scenarios of docs/hints.md: each shows what it says, and the policy that cures it does. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseScenario, type Scenario } from '../format/index.js';
import { runScenario, type ScenarioRun } from '../run/run-scenario.js';
import type { HintsResult } from './result.js';

const folder = join(import.meta.dirname, '../../../../examples/hints');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

function scenarioOf(name: string): Scenario {
  return parseScenario(readFileSync(join(folder, name), 'utf8'), { path: name });
}

/** The hints of a run under another policy. */
function under(name: string, policy: string): HintsResult {
  const scenario = scenarioOf(name);
  const hints = { ...(scenario.hints as NonNullable<Scenario['hints']>), policy };
  return runScenario({ ...scenario, hints }).result.hints as HintsResult;
}

const runs = new Map<string, ScenarioRun>();
function asWritten(name: string): ScenarioRun {
  const run = runs.get(name) ?? runScenario(scenarioOf(name));
  runs.set(name, run);
  return run;
}

describe('examples of hints', () => {
  it.each(files)('%s does what it says and leaves a sound machine, and asks a question', (name) => {
    expect(asWritten(name).result.expectations.filter(({ ok }) => !ok)).toEqual([]);
    expect(asWritten(name).result.invariants ?? []).toEqual([]);
    expect(scenarioOf(name).name).toBe(name.replace('.yaml', ''));
    expect(readFileSync(join(folder, name), 'utf8').split('\n', 1)[0]).toMatch(/^# .*\?/);
  });

  it('give the same bytes again', () => {
    const name = 'h02-stale-hints.yaml';
    expect(JSON.stringify(runScenario(scenarioOf(name)).result)).toBe(JSON.stringify(asWritten(name).result));
  });

  it('H2: lenient brings the useful hints a pass forward', () => {
    const posted = asWritten('h02-stale-hints.yaml').result.hints as HintsResult;
    const cured = under('h02-stale-hints.yaml', 'lenient');
    expect(cured.hot.most).toBeLessThan(0.8 * (posted.hot.most as number));
    expect(cured.inversions.byRound).toBeLessThan(posted.inversions.byRound);
  });

  it('H3: requeue serves the patient process, which as posted starves', () => {
    expect((asWritten('h03-writer-storm.yaml').result.hints as HintsResult).starved).toEqual(['patient']);
    expect(under('h03-writer-storm.yaml', 'requeue').starved).toEqual([]);
  });

  it('H4: rotation lets both have half of their memory huge at the same time', () => {
    const gap = ({ hotProcesses }: HintsResult): number =>
      Math.abs((hotProcesses[0]?.half ?? 0) - (hotProcesses[1]?.half ?? 0));
    const posted = asWritten('h04-first-starves-second.yaml').result.hints as HintsResult;
    expect(gap(posted)).toBeGreaterThan(3e9);
    expect(gap(under('h04-first-starves-second.yaml', 'as-posted:rotateAfter=8'))).toBeLessThan(1e9);
    expect(gap(under('h04-first-starves-second.yaml', 'best'))).toBeLessThan(1e9);
  });

  it('H6: checked sees that the VMA is another one', () => {
    expect(under('h06-same-place.yaml', 'checked').droppedBy).toEqual({ vma_changed: 2 });
  });
});
