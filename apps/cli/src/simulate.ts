/** Running a scenario from a verb: progress, Ctrl-C, and the runner's errors as ours. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RunOptions, Scenario, ScenarioRun } from '@thplab/scenario';
import type { Context } from './context.js';
import { CliError, InputError, LimitError } from './errors.js';
import { bar, type Progress } from './output/progress.js';

/** Runs a scenario. Ctrl-C ends it at its next step; the result is then marked as partial. */
export async function simulate(
  context: Context,
  scenario: Scenario,
  options: RunOptions,
  progress: Progress,
  label: string = scenario.name,
): Promise<ScenarioRun> {
  const signal = context.interruptible();
  const { runScenario } = await import('@thplab/scenario');
  await nextTurn();
  try {
    return runScenario(scenario, {
      ...options,
      shouldStop: () => {
        // The clock is also where a test presses Ctrl-C.
        context.io.nowMs();
        return signal.aborted;
      },
      onProgress: ({ virtualNs, atMostNs, pagesCollapsed }) =>
        progress.show(`${label}: ${bar(virtualNs, atMostNs)}  ${pagesCollapsed} collapsed`),
    });
  } catch (error) {
    throw await runError(error);
  } finally {
    progress.clear();
  }
}

/** What a runner's error means to the user; others are defects and stay as they are. */
export async function runError(error: unknown): Promise<unknown> {
  const [{ ScenarioError }, { TableFullError }] = await Promise.all([
    import('@thplab/scenario'),
    import('@thplab/arena'),
  ]);
  if (error instanceof CliError) return error;
  if (error instanceof ScenarioError) return new InputError(error.message, { hasPlace: true, cause: error });
  if (error instanceof TableFullError) return new LimitError(error.message, error);
  return error;
}
