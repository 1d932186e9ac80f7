/** Running a scenario from a verb: progress, Ctrl-C, and the runner's errors as ours. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RunOptions, Scenario, ScenarioRun } from '@thplab/scenario';
import type { Context } from './context.js';
import { CliError, InputError, InterruptedError, LimitError } from './errors.js';
import { bar, type Progress } from './output/progress.js';

/** Event loop turns come this often, so that Ctrl-C is heard and progress is seen. */
export const TURN_MS = 20;

/**
 * Runs a scenario. Ctrl-C ends it at its next step; the result is then marked as partial. Errors: InterruptedError if it came
 * before the first step; InputError, LimitError.
 */
export async function simulate(
  context: Context,
  scenario: Scenario,
  options: RunOptions,
  progress: Progress,
  label: string = scenario.name,
): Promise<ScenarioRun> {
  const signal = context.interruptible();
  const { runScenarioInPieces } = await import('@thplab/scenario');
  const { nowMs } = context.io;
  progress.show(`${label}: setting up`);
  await nextTurn();
  try {
    if (signal.aborted) throw new InterruptedError('nothing of it had run yet');
    const pieces = runScenarioInPieces(scenario, { ...options, shouldStop: () => signal.aborted });
    for (let turnMs = nowMs(); ; ) {
      const piece = pieces.next();
      if (piece.done === true) return piece.value;
      if (nowMs() - turnMs < TURN_MS) continue;
      const { virtualNs, atMostNs, pagesCollapsed } = piece.value;
      progress.show(`${label}: ${bar(virtualNs, atMostNs)}  ${pagesCollapsed} collapsed`);
      await nextTurn();
      turnMs = nowMs();
    }
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
  // Of a worker, only the name of the class arrives.
  if (error instanceof TableFullError || (error instanceof Error && error.name === 'TableFullError')) {
    const [what = ''] = error.message.split('; ');
    return new LimitError(
      `a limit of the model: ${what}; bound what repeats (times: N), or end sooner (--until)`,
      error,
    );
  }
  return error;
}
