/** Short scenarios for tests. */
import { parseScenario, type Scenario } from '../format/index.js';
import { type RunOptions, runScenario, type ScenarioRun } from '../run/run-scenario.js';

/** A scenario of the lines given after format and name. */
export function scenarioOf(body: string): Scenario {
  return parseScenario(`format: thplab/scenario@1\nname: test\n${body}`);
}

/** Runs it, and fails unless the machine is sound afterwards. */
export function runText(body: string, options: RunOptions = {}): ScenarioRun {
  const run = runScenario(scenarioOf(body), options);
  const { invariants } = run.result;
  if (invariants === null) throw new Error('something was under way at the end: the machine was not checked');
  if (invariants.length > 0) throw new Error(`the machine is not sound:\n${invariants.join('\n')}`);
  return run;
}
