/**
 * khugepaged's scan on several threads: a piscina pool of workers over the machine's arena (docs/decisions/0007-several-scanners.md).
 * With `threads: 0` the same code runs in this thread under the sequential executor.
 */
import { receiveError, SequentialExecutor, StoppedError, stopRun, threadReport, WorkerDiedError } from '@thplab/sync';
import { Piscina } from 'piscina';
import type { Khugepaged } from '../khugepaged.js';
import { resetScanWork, type ScanGoal, scanWork } from '../scan-work.js';
import { MAX_SCANNERS } from '../tables.js';
import { khugepagedHandle, threadTables } from './attach.js';
import type { PoolWorkerData, ScanAnswer, ScannerReport, ScanTask } from './protocol.js';

/** How a pool is made. */
export interface ScanPoolOptions {
  /** Scanners; 0: one, in this thread. */
  readonly threads: number;
  /** The worker's module; default the one that this package ships. */
  readonly workerUrl?: string | URL;
  /** Longest wait for a lock, ms, before the watchdog ends the run; default 10,000. */
  readonly lockLimitMs?: number;
}

/** What a call of `scan` did, by scanner. */
export interface ScanReport {
  readonly scanners: readonly ScannerReport[];
}

/** The pool is of no use any more. */
export class ScanPoolError extends Error {
  override readonly name: string = 'ScanPoolError';
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
  const { threads } = options;
  if (!Number.isInteger(threads) || threads < 0 || threads > MAX_SCANNERS) {
    throw new RangeError(`threads is ${threads}: 0 for none, or up to ${MAX_SCANNERS}`);
  }
  if (threads > k.m.cpus) throw new RangeError(`${threads} scanners on ${k.m.cpus} processors: raise 'cpus'`);
  return threads === 0 ? new PoolOfNone(k) : new PiscinaPool(k, options);
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
  private readonly pool: Piscina<ScanTask, ScanAnswer>;
  private broken: Error | undefined = undefined;
  private scanning = false;

  constructor(k: Khugepaged, options: ScanPoolOptions) {
    this.k = k;
    this.scanners = options.threads;
    threadTables(k.m);
    const workerData: PoolWorkerData = { handle: khugepagedHandle(k), lockLimitMs: options.lockLimitMs ?? 10_000 };
    this.pool = new Piscina({
      filename: new URL(options.workerUrl ?? './worker.js', import.meta.url).href,
      name: 'scan',
      // Scanners wait for each other: all of them must have a thread.
      minThreads: this.scanners,
      maxThreads: this.scanners,
      concurrentTasksPerWorker: 1,
      workerData,
    });
  }

  async scan(goal: ScanGoal): Promise<ScanReport> {
    if (this.broken !== undefined) {
      throw new ScanPoolError('an earlier scan failed and left the machine in the middle of something', {
        cause: this.broken,
      });
    }
    resetScanWork(this.k);
    this.scanning = true;
    const tasks = Array.from({ length: this.scanners }, (_, scanner) =>
      this.scanner({ scanner, scanners: this.scanners, goal }),
    );
    const reports = await Promise.all(tasks);
    this.scanning = false;
    if (this.broken !== undefined) throw this.broken;
    return { scanners: reports.filter((report) => report !== undefined) };
  }

  async close(): Promise<void> {
    // Another pool may work on the machine: it is stopped only in the middle of a scan, which leaves it unusable anyway.
    if (this.scanning) stopRun(threadTables(this.k.m));
    await this.pool.destroy();
  }

  /** One scanner's part; undefined if it failed, and `broken` says with what. */
  private async scanner(task: ScanTask): Promise<ScannerReport | undefined> {
    let error: Error;
    try {
      const answer = await this.pool.run(task);
      if (answer.ok) return answer.report;
      error = receiveError(answer.error);
    } catch (reason) {
      error = this.death(task.scanner, reason);
    }
    // Whoever stops because another failed has nothing to tell.
    if (this.broken === undefined || this.broken instanceof StoppedError) this.broken = error;
    stopRun(threadTables(this.k.m));
    return undefined;
  }

  private death(scanner: number, reason: unknown): WorkerDiedError {
    const { name, held } = threadReport(this.k.m.domain, threadTables(this.k.m), scanner);
    const why = reason instanceof Error ? reason.message : String(reason);
    return new WorkerDiedError(scanner + 1, name === '' ? `khugepaged/${scanner}` : name, held, why);
  }
}
