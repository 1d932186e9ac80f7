/** Threads that work ahead of khugepaged on one machine (src/look-ahead, docs/decisions/0008-run-on-threads.md). */
import { type ThreadReport, threadReport } from '@thplab/sync';
import type { Khugepaged } from '../khugepaged.js';
import { type AheadRecord, resetAhead, stopAhead } from '../look-ahead/ahead-work.js';
import type { AheadPlan } from '../look-ahead/plan.js';
import { threadTables } from './attach.js';
import type { AheadTask } from './protocol.js';
import { checkThreads, ThreadPool, type ThreadPoolOptions } from './thread-pool.js';

/** What a thread does right now, read from the arena. */
export interface AheadThread extends ThreadReport {
  /** Ranges done of the plan under way, and those collapsed in address spaces that are finished. */
  readonly ranges: number;
  readonly collapsed: number;
}

/** Threads that work ahead. */
export interface AheadPool {
  readonly threads: number;
  /**
   * Carries a plan out; what was done, which is not all of it if `stop` was called. The thread that calls this must not
   * touch the machine until it is done. Errors: as `ScanPool.scan`.
   */
  run(plan: AheadPlan): Promise<readonly AheadRecord[]>;
  /** Ends what is under way after the range that each thread is at. */
  stop(): void;
  /** Each thread right now; can be called at any time. */
  look(): readonly AheadThread[];
  /** Ends the workers, whatever they do. */
  close(): Promise<void>;
}

/** Makes the pool. `traced`: record trace events too. Errors: RangeError for a number of threads that cannot be. */
export function createAheadPool(k: Khugepaged, options: ThreadPoolOptions & { readonly traced?: boolean }): AheadPool {
  checkThreads(k, options.threads, 1);
  const { threads, traced = false } = options;
  const pool = new ThreadPool<AheadTask, readonly AheadRecord[]>(k, options, 'ahead');
  const tables = threadTables(k.m);
  const { aheadRanges, aheadCollapsed } = k.t.khugepaged;
  return {
    threads,
    async run(plan) {
      resetAhead(k);
      return (await pool.all((thread) => ({ thread, plan, traced }))).flat();
    },
    stop: () => stopAhead(k),
    look: () =>
      Array.from({ length: threads }, (_, thread) => ({
        ...threadReport(k.m.domain, tables, thread),
        ranges: Atomics.load(aheadRanges, thread),
        collapsed: Atomics.load(aheadCollapsed, thread),
      })),
    close: () => pool.close(),
  };
}
