/**
 * Running a scenario with threads that work ahead of khugepaged: the same run in pieces, and where it asks for it a pool
 * carries a plan out before it goes on. The result is that of one thread (docs/decisions/0008-run-on-threads.md): where that
 * is not certain any more, because memory has run short, the run is made again with one.
 */
import {
  type AheadPool,
  type AheadThread,
  createAheadPool,
  POOL_TABLES,
  poolSizes,
  type ThreadPoolOptions,
} from '@thplab/khugepaged-scheduler/pool';
import { type Scenario, ScenarioError } from '../format/index.js';
import { type RunOptions, type RunProgress, runScenarioInPieces, type ScenarioRun } from '../run/run-scenario.js';

/** Most threads of a run. */
export const MOST_THREADS = 16;

/** What there is to see while threads work, read from the shared arena. */
export interface ThreadsLook {
  /** Ranges of the plan under way, and of those before it. */
  readonly planned: number;
  readonly before: number;
  /** khugepaged's own counters: they follow when it comes to what was done ahead. */
  readonly rangesScanned: number;
  readonly pagesCollapsed: number;
  readonly fullScans: number;
  readonly threads: readonly AheadThread[];
}

/** What threads run with. */
export interface ThreadsOptions extends ThreadPoolOptions {
  /** From 1 to MOST_THREADS. */
  readonly threads: number;
  /** Fewer ranges than these are not worth starting threads for; default 64. */
  readonly leastRanges?: number;
  /** Ends threads that work, after the range that each is at; the run goes on, see `shouldStop`. */
  readonly signal?: AbortSignal;
  /** Called after each piece of some milliseconds; may give the event loop its turn. */
  readonly onPiece?: (progress: RunProgress) => void | Promise<void>;
  /** Called every so often while threads work. */
  readonly onLook?: (look: ThreadsLook) => void;
}

/** A run that threads had a part in. */
export interface ThreadsRun extends ScenarioRun {
  /** It was made again with one thread, because memory ran short after work that was done ahead. */
  readonly repeated: boolean;
}

const LOOK_EVERY_MS = 100;

/**
 * Runs a scenario. Errors: RangeError for a number of threads that cannot be; ScenarioError as `runScenario`;
 * WorkerDiedError, LockTimeoutError of a thread: the run is to be repeated then.
 */
export async function runScenarioOnThreads(
  scenario: Scenario,
  options: Omit<RunOptions, 'threads'>,
  threads: ThreadsOptions,
): Promise<ThreadsRun> {
  checkThreads(threads.threads);
  const run = await attempt(scenario, options, threads);
  if (run !== null) return { ...run, repeated: false };
  const again = runScenarioInPieces(scenario, options);
  for (;;) {
    const piece = again.next();
    if (piece.done === true) return { ...piece.value, repeated: true };
    await threads.onPiece?.(piece.value);
  }
}

/** Refuses numbers of threads that cannot be. */
export function checkThreads(threads: number): void {
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return;
  throw new RangeError(`threads is ${threads}: from 1 to ${MOST_THREADS}`);
}

/** The run with threads; null if what comes of it depends on which frames they took. */
async function attempt(scenario: Scenario, options: RunOptions, how: ThreadsOptions): Promise<ScenarioRun | null> {
  const { threads, leastRanges, onPiece } = how;
  const setUp = {
    threads,
    tables: POOL_TABLES,
    sizes: (mms: number) => poolSizes(mms, threads),
    ...(leastRanges === undefined ? {} : { leastRanges }),
  };
  const traced = options.trace ?? scenario.run.trace.events.length > 0;
  const pieces = runScenarioInPieces(scenario, { ...options, threads: setUp });
  let pool: AheadPool | undefined;
  let short = (): boolean => false;
  try {
    for (;;) {
      const piece = pieces.next();
      if (piece.done === true) return short() && !piece.value.result.end.partial ? null : piece.value;
      const { ahead } = piece.value;
      if (ahead !== undefined) {
        // Workers start with the first plan: a run without one has no use for them.
        pool ??= createAheadPool(ahead.k, { ...how, traced });
        short = () => (ahead.k.ahead?.sums.shortages ?? 0) > 0;
        await workAhead(pool, ahead, how);
      }
      if (short()) return null;
      await onPiece?.(piece.value);
    }
  } catch (error) {
    // What the machine has no room for, it may have room for with other frames.
    if (error instanceof ScenarioError && pool !== undefined) return null;
    throw error;
  } finally {
    await pool?.close();
  }
}

async function workAhead(
  pool: AheadPool,
  { k, plan }: NonNullable<RunProgress['ahead']>,
  { signal, onLook }: ThreadsOptions,
): Promise<void> {
  if (signal?.aborted === true) {
    k.ahead?.fulfil([]);
    return;
  }
  const stop = (): void => pool.stop();
  signal?.addEventListener('abort', stop);
  const before = k.ahead?.sums.ranges ?? 0;
  const look = (): void => {
    const { rangesScanned, pagesCollapsed, fullScans } = k.t.khugepaged;
    onLook?.({
      planned: plan.ranges,
      before,
      rangesScanned: rangesScanned[0],
      pagesCollapsed: pagesCollapsed[0],
      fullScans: fullScans[0],
      threads: pool.look(),
    });
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  try {
    k.ahead?.fulfil(await pool.run(plan));
    look();
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', stop);
  }
}
