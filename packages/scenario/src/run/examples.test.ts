import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseScenario } from '../format/index.js';
import { runScenario } from './run-scenario.js';

const folder = fileURLToPath(new URL('../../../../examples/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

describe('examples', () => {
  it.each(files)('%s does what it expects, leaves a sound machine, and gives the same bytes again', (name) => {
    const scenario = parseScenario(readFileSync(`${folder}${name}`, 'utf8'), { path: name });
    const { result } = runScenario(scenario);
    expect(result.expectations.filter((one) => !one.ok)).toEqual([]);
    expect(result.expectations.length).toBeGreaterThan(0);
    expect(result.invariants ?? []).toEqual([]);
    expect(JSON.stringify(runScenario(scenario).result)).toBe(JSON.stringify(result));
  });
});
