/**
 * khugepaged's scan on several threads: a piscina pool of workers over the machine's arena (docs/decisions/0007-several-scanners.md).
 * With `threads: 0` the same code runs in this thread under the sequential executor.
 */
import { SequentialExecutor } from '@thplab/sync';
import type { Khugepaged } from '../khugepaged.js';
import { resetScanWork, type ScanGoal, scanWork } from '../scan-work.js';
import type { ScannerReport, ScanTask } from './protocol.js';
import { checkThreads, ThreadPool, type ThreadPoolOptions } from './thread-pool.js';

/** How a pool is made. `threads`: scanners; 0: one, in this thread. */
export type ScanPoolOptions = ThreadPoolOptions;

/** What a call of `scan` did, by scanner. */
export interface ScanReport {
  readonly scanners: readonly ScannerReport[];
}

/** A pool of scanners. */
export interface ScanPool {
  /** Number of scanners; 1 if they run in this thread. */
  readonly scanners: number;
  /**
   * Scans until the goal is reached. Errors: WorkerDiedError names the locks that a dead worker held, LockTimeoutError
   * those that were waited for; the machine is in the middle of something then, and the pool of no further use. A run that
   * can be repeated starts from a machine made anew.
   */
  scan(goal: ScanGoal): Promise<ScanReport>;
  /** Ends the workers, whatever they do. */
  close(): Promise<void>;
}

/** Makes the pool. Errors: a machine without POOL_TABLES, with fewer processors than scanners. */
export function createScanPool(k: Khugepaged, options: ScanPoolOptions): ScanPool {
  checkThreads(k, options.threads, 0);
  return options.threads === 0 ? new PoolOfNone(k) : new PiscinaPool(k, options);
}

class PoolOfNone implements ScanPool {
  readonly scanners = 1;
  private readonly k: Khugepaged;

  constructor(k: Khugepaged) {
    this.k = k;
  }

  async scan(goal: ScanGoal): Promise<ScanReport> {
    const { k } = this;
    const { m } = k;
    const before = m.current;
    const executor = new SequentialExecutor(m.domain, { startNs: before.nowNs });
    m.current = executor.current;
    resetScanWork(k);
    const task = executor.spawn('khugepaged', () => scanWork(k, k.scanner, 1, goal));
    const outcome = executor.run();
    m.current = { ...executor.current, cpu: before.cpu, task: before.task };
    if (outcome.failure !== undefined) throw outcome.failure.error;
    const done = task.result as { passes: number; progress: number };
    return { scanners: [{ ...done, cpuNs: task.cpuNs, steps: outcome.steps, contended: 0 }] };
  }

  async close(): Promise<void> {}
}

class PiscinaPool implements ScanPool {
  readonly scanners: number;
  private readonly k: Khugepaged;
  private readonly pool: ThreadPool<ScanTask, ScannerReport>;

  constructor(k: Khugepaged, options: ScanPoolOptions) {
    this.k = k;
    this.scanners = options.threads;
    this.pool = new ThreadPool(k, options, 'scan');
  }

  async scan(goal: ScanGoal): Promise<ScanReport> {
    resetScanWork(this.k);
    return { scanners: await this.pool.all((scanner) => ({ scanner, scanners: this.scanners, goal })) };
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}
