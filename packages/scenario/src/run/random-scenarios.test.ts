import { GENERATIONS } from '@thplab/mthp-collapse';
import { describe, expect, it } from 'vitest';
import { parseScenario, ScenarioError } from '../format/index.js';
import type { ScenarioResult } from '../report/result.js';
import { examples } from '../testing/examples.js';
import { randomScenario } from '../testing/random-scenario.js';
import { runScenario } from './run-scenario.js';

const NUMBERS = 60;

/** The result; null if the machine was too small for what chance put into it. */
function resultOf(number: number): ScenarioResult | null {
  try {
    return runScenario(parseScenario(randomScenario(number))).result;
  } catch (error) {
    if (error instanceof ScenarioError && /memory|free block|swap|allocation failures/.test(error.message)) return null;
    throw new Error(`random scenario ${number}`, { cause: error });
  }
}

describe('any events at any times', () => {
  it('leave a sound machine', () => {
    const sums = { run: 0, checked: 0, collapsed: 0, attempts: 0, faults: 0, errnos: new Set<string>() };
    for (let number = 0; number < NUMBERS; number++) {
      const result = resultOf(number);
      if (result === null) continue;
      expect({ number, invariants: result.invariants ?? [] }).toEqual({ number, invariants: [] });
      sums.run++;
      if (result.invariants !== null) sums.checked++;
      sums.collapsed += result.khugepaged.pagesCollapsed;
      for (const results of Object.values(result.khugepaged.attempts)) sums.attempts += Object.keys(results).length;
      for (const process of result.processes) sums.faults += process.faults.count;
      for (const event of result.events) for (const errno of Object.keys(event.errnos)) sums.errnos.add(errno);
    }
    // They are scenarios in which much happens, not a row of refusals.
    expect(sums.run).toBeGreaterThan(NUMBERS * 0.8);
    expect(sums.checked).toBeGreaterThan(sums.run * 0.9);
    expect(sums.collapsed).toBeGreaterThan(NUMBERS);
    expect(sums.attempts).toBeGreaterThan(NUMBERS);
    expect(sums.faults).toBeGreaterThan(NUMBERS * 50);
    expect([...sums.errnos].sort()).toEqual(expect.arrayContaining(['EAGAIN', 'EINVAL', 'ENOMEM', 'ok']));
  });
});

describe('an example under another kernel', () => {
  const quick = examples(true).filter(
    ([name]) => !/base-64k|fork-heavy|policy-always|fragmented|defrag|64g/.test(name),
  );

  it.each(quick)('%s leaves a sound machine in every generation', (_name, scenario) => {
    for (const { name: kernel } of GENERATIONS) {
      const machine = { ...scenario.machine, kernel: kernel as typeof scenario.machine.kernel };
      const { result } = runScenario({ ...scenario, machine });
      expect({ kernel, invariants: result.invariants }).toEqual({ kernel, invariants: [] });
    }
  });
});
