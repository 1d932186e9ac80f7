/** Running a scenario on threads from a verb: what they do on screen, Ctrl-C, and the death of one as an error of ours. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RunOptions, Scenario } from '@thplab/scenario';
import type { ThreadsLook, ThreadsRun } from '@thplab/scenario/threads';
import type { Context } from './context.js';
import { InterruptedError, ThreadError } from './errors.js';
import { bar, type Progress } from './output/progress.js';
import { repeatCommand } from './repeat.js';
import { runError, TURN_MS } from './simulate.js';

/** Names of errors that say what became of a thread; their classes are in packages that this one does not stand on. */
const OF_THREADS = ['WorkerDiedError', 'LockTimeoutError', 'ScanPoolError', 'StoppedError'];

/** As `simulate`, with threads. Errors: ThreadError besides. */
export async function simulateOnThreads(
  context: Context,
  scenario: Scenario,
  options: Omit<RunOptions, 'threads'>,
  progress: Progress,
  threads: number,
): Promise<ThreadsRun> {
  const signal = context.interruptible();
  const { runScenarioOnThreads } = await import('@thplab/scenario/threads');
  const { nowMs, workers } = context.io;
  progress.show(`${scenario.name}: setting up`);
  await nextTurn();
  let turnMs = nowMs();
  try {
    if (signal.aborted) throw new InterruptedError('nothing of it had run yet');
    const run = { ...options, shouldStop: () => signal.aborted };
    return await runScenarioOnThreads(scenario, run, {
      threads,
      signal,
      ...(workers === undefined ? {} : { workerUrl: workers.scan }),
      async onPiece({ virtualNs, atMostNs, pagesCollapsed }) {
        if (nowMs() - turnMs < TURN_MS) return;
        progress.show(`${scenario.name}: ${bar(virtualNs, atMostNs)}  ${pagesCollapsed} collapsed`);
        await nextTurn();
        turnMs = nowMs();
      },
      onLook: (look) => progress.show(lookText(scenario.name, look)),
    });
  } catch (error) {
    throw threadError(context, error, scenario.seed) ?? (await runError(error));
  } finally {
    progress.clear();
  }
}

/** What a user sees of a thread that ended, or waited for ever: who, what it held, and how to repeat it. */
export function threadError(context: Context, error: unknown, seed: number): ThreadError | undefined {
  if (!(error instanceof Error) || !OF_THREADS.includes(error.name)) return undefined;
  const { cause } = error;
  const stack =
    cause instanceof Error && cause.stack !== undefined ? `\n${cause.stack.split('\n').slice(0, 8).join('\n')}` : '';
  return new ThreadError(`${error.message}${stack}`, repeatCommand(context, seed), error);
}

/** `web: 512/4,096 ranges ahead, 380 collapsed, full_scans 1 | 0 works (260) | 1 waits for mmap_lock[3] (252)` */
function lookText(name: string, { planned, before, pagesCollapsed, fullScans, threads }: ThreadsLook): string {
  const done = threads.reduce((sum, thread) => sum + thread.ranges, 0);
  const collapsed = threads.reduce((sum, thread) => sum + thread.collapsed, pagesCollapsed);
  const states = threads.map(({ state, waitsFor, ranges }, i) => {
    return `${i} ${waitsFor === '' ? state : `waits for ${waitsFor}`} (${ranges})`;
  });
  const counts = `${before + done}/${before + planned} ranges, ${collapsed} collapsed, full_scans ${fullScans}`;
  return [`${name}: ${counts}`, ...states].join(' | ');
}
