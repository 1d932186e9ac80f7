/** The example files of the repository. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { parseScenario, type Scenario } from '../format/index.js';
import { runScenario } from '../run/run-scenario.js';

const folder = fileURLToPath(new URL('../../../../examples/', import.meta.url));

/** Runs over a second in tests are those of machines with more memory than this. */
const SMALL_BYTES = 16 * 2 ** 30;

/** Examples by file name: those with little memory, or the others. */
export function examples(small: boolean): [string, Scenario][] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return names
    .map((name): [string, Scenario] => [name, parseScenario(readFileSync(`${folder}${name}`, 'utf8'), { path: name })])
    .filter(([, { machine }]) => machine.nodes.reduce((sum, node) => sum + node.size, 0) <= SMALL_BYTES === small);
}

/** Runs an example twice: what it expects must hold, the machine must be sound, and both results must be equal. */
export function expectToHold(scenario: Scenario): void {
  const { result } = runScenario(scenario);
  expect(result.expectations.filter((one) => !one.ok)).toEqual([]);
  expect(result.expectations.length).toBeGreaterThan(0);
  expect(result.invariants ?? []).toEqual([]);
  expect(JSON.stringify(runScenario(scenario).result)).toBe(JSON.stringify(result));
}
