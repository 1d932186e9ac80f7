/**
 * A piscina pool whose threads work on one machine at the same time and wait for each other's locks. All of them must have a
 * worker, and if one fails or dies, all others are told to stop and the error says what it held; the machine is in the middle
 * of something then, and the pool of no further use.
 */
import { LockTimeoutError, receiveError, StoppedError, stopRun, threadReport, WorkerDiedError } from '@thplab/sync';
import { Piscina } from 'piscina';
import type { Khugepaged } from '../khugepaged.js';
import { MAX_SCANNERS } from '../tables.js';
import { khugepagedHandle, threadTables } from './attach.js';
import type { Answer, PoolWorkerData, ResourceLimits } from './protocol.js';

/** How a pool is made. */
export interface ThreadPoolOptions {
  /** Threads, from 1. */
  readonly threads: number;
  /** The worker's module; default the one that this package ships. */
  readonly workerUrl?: string | URL;
  /** Longest wait for a lock, ms, before the watchdog ends the run; default 10,000. */
  readonly lockLimitMs?: number;
  /** Limits of each worker's memory, as node:worker_threads has them; default none. */
  readonly resourceLimits?: ResourceLimits;
}

/** The pool is of no use any more. */
export class ScanPoolError extends Error {
  override readonly name: string = 'ScanPoolError';
}

/** Refuses numbers of threads that cannot be. Errors: RangeError. */
export function checkThreads(k: Khugepaged, threads: number, least: number): void {
  if (!Number.isInteger(threads) || threads < least || threads > MAX_SCANNERS) {
    const none = least === 0 ? '0 for none, or up to' : `from ${least} to`;
    throw new RangeError(`threads is ${threads}: ${none} ${MAX_SCANNERS}`);
  }
  const rows = k.m.arena.tables.cpu?.capacity ?? 0;
  if (threads > rows) throw new RangeError(`${threads} scanners on ${rows} processors: raise 'cpus'`);
}

/** See the head of the file. */
export class ThreadPool<Task extends object, Report> {
  readonly threads: number;
  private readonly k: Khugepaged;
  private readonly pool: Piscina<Task, Answer<Report>>;
  private broken: Error | undefined = undefined;
  private working = false;
  private closed = false;

  /** `work`: export of the worker's module that does a task. */
  constructor(k: Khugepaged, options: ThreadPoolOptions, work: string) {
    this.k = k;
    this.threads = options.threads;
    threadTables(k.m);
    const workerData: PoolWorkerData = { handle: khugepagedHandle(k), lockLimitMs: options.lockLimitMs ?? 10_000 };
    this.pool = new Piscina({
      filename: new URL(options.workerUrl ?? './worker.js', import.meta.url).href,
      name: work,
      minThreads: this.threads,
      maxThreads: this.threads,
      concurrentTasksPerWorker: 1,
      workerData,
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
    });
  }

  /** Does a task on each thread; what each reports. Errors: the first failure, as `ScanPool.scan` says. */
  async all(taskOf: (thread: number) => Task): Promise<Report[]> {
    if (this.broken !== undefined) {
      throw new ScanPoolError('an earlier scan failed and left the machine in the middle of something', {
        cause: this.broken,
      });
    }
    this.working = true;
    const reports = await Promise.all(Array.from({ length: this.threads }, (_, at) => this.one(at, taskOf(at))));
    this.working = false;
    if (this.broken !== undefined) throw this.broken;
    return reports.filter((report) => report !== undefined);
  }

  /** Ends the workers, whatever they do. */
  async close(): Promise<void> {
    this.closed = true;
    // Another pool may work on the machine: it is stopped only in the middle of work, which leaves it unusable anyway.
    if (this.working) stopRun(threadTables(this.k.m));
    await this.pool.destroy();
  }

  /** One thread's part; undefined if it failed, and `broken` says with what. */
  private async one(thread: number, task: Task): Promise<Report | undefined> {
    let error: Error;
    try {
      const answer = await this.pool.run(task);
      if (answer.ok) return answer.report;
      error = this.named(thread, receiveError(answer.error));
    } catch (reason) {
      error = this.closed ? new StoppedError('the pool was closed') : this.death(thread, reason);
    }
    // Whoever stops because another failed has nothing to tell.
    if (this.broken === undefined || this.broken instanceof StoppedError) this.broken = error;
    stopRun(threadTables(this.k.m));
    return undefined;
  }

  /** An error that does not say itself which thread it comes from. */
  private named(thread: number, error: Error): Error {
    return error instanceof StoppedError || error instanceof LockTimeoutError ? error : this.death(thread, error);
  }

  private death(thread: number, reason: unknown): WorkerDiedError {
    const { name, held } = threadReport(this.k.m.domain, threadTables(this.k.m), thread);
    const why = reason instanceof Error ? reason.message : String(reason);
    return new WorkerDiedError(thread + 1, name === '' ? `khugepaged/${thread}` : name, held, why, reason);
  }
}
