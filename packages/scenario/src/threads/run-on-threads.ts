/**
 * Running a scenario with threads that work ahead of khugepaged: the same run in pieces, and where it asks for it a pool
 * carries a plan out before it goes on. The result is that of one thread, byte for byte (docs/decisions/0008-run-on-threads.md).
 */
import {
  type AheadPool,
  type AheadThread,
  createAheadPool,
  POOL_TABLES,
  poolSizes,
  type ThreadPoolOptions,
} from '@thplab/khugepaged-scheduler/pool';
import type { Scenario } from '../format/index.js';
import { type RunOptions, type RunProgress, runScenarioInPieces, type ScenarioRun } from '../run/run-scenario.js';

/** Most threads of a run. */
export const MOST_THREADS = 16;

/** What there is to see while threads work, read from the shared arena. */
export interface ThreadsLook {
  /** Ranges of the plan under way, and of all that are done. */
  readonly planned: number;
  readonly before: number;
  readonly rangesScanned: number;
  readonly pagesCollapsed: number;
  readonly fullScans: number;
  readonly threads: readonly AheadThread[];
}

/** How to run. */
export interface ThreadsRunOptions extends Omit<RunOptions, 'threads'>, Omit<ThreadPoolOptions, 'threads'> {
  /** From 1 to MOST_THREADS. */
  readonly threads: number;
  /** Fewer ranges than these are not worth starting threads for; default 64. */
  readonly leastRanges?: number;
  /** Ends threads that work at once, after the range that each is at; the run goes on, see `shouldStop`. */
  readonly signal?: AbortSignal;
  /** Called after each piece of some milliseconds; may give the event loop its turn. */
  readonly onPiece?: (progress: RunProgress) => void | Promise<void>;
  /** Called every so often while threads work. */
  readonly onLook?: (look: ThreadsLook) => void;
}

const LOOK_EVERY_MS = 100;

/**
 * Runs a scenario. Errors: ScenarioError as `runScenario`; WorkerDiedError, LockTimeoutError of a thread: the run is to be
 * repeated then.
 */
export async function runScenarioOnThreads(scenario: Scenario, options: ThreadsRunOptions): Promise<ScenarioRun> {
  const { threads, leastRanges, workerUrl, lockLimitMs, resourceLimits, signal, onPiece, onLook, ...run } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw new RangeError(`threads is ${threads}: from 1 to ${MOST_THREADS}`);
  }
  const setUp = {
    threads,
    tables: POOL_TABLES,
    sizes: (mms: number) => poolSizes(mms, threads),
    ...(leastRanges === undefined ? {} : { leastRanges }),
  };
  const pieces = runScenarioInPieces(scenario, { ...run, threads: setUp });
  const poolOptions = {
    threads,
    traced: run.trace ?? scenario.run.trace.events.length > 0,
    ...(workerUrl === undefined ? {} : { workerUrl }),
    ...(lockLimitMs === undefined ? {} : { lockLimitMs }),
    ...(resourceLimits === undefined ? {} : { resourceLimits }),
  };
  let pool: AheadPool | undefined;
  try {
    for (;;) {
      const piece = pieces.next();
      if (piece.done === true) return piece.value;
      if (piece.value.ahead !== undefined) {
        // Workers start with the first plan: a run without one has no use for them.
        pool ??= createAheadPool(piece.value.ahead.k, poolOptions);
        await workAhead(pool, piece.value.ahead, { signal, onLook });
      }
      await onPiece?.(piece.value);
    }
  } finally {
    await pool?.close();
  }
}

async function workAhead(
  pool: AheadPool,
  { k, plan }: NonNullable<RunProgress['ahead']>,
  { signal, onLook }: { readonly signal: AbortSignal | undefined; readonly onLook: ThreadsRunOptions['onLook'] },
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
