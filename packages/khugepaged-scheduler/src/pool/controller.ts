/** A long-lived controller for interactive use: a worker of its own that runs the pool, told what to do over comlink. */
import { Worker } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import type { Khugepaged } from '../khugepaged.js';
import { khugepagedHandle } from './attach.js';
import type { ControlCounters, ControlLoop } from './control-loop.js';
import { type NodePort, nodeEndpoint } from './node-endpoint.js';
import type { ScanPoolOptions, ScanReport } from './scan-pool.js';
import { ScanPoolError } from './thread-pool.js';

/** How a controller is made. */
export interface ControllerOptions {
  /** Scanners, from 1. */
  readonly threads: number;
  readonly lockLimitMs?: number;
  /** Module of the controller's worker; default the one that this package ships. */
  readonly controllerUrl?: string | URL;
  /** Module of the scanners' workers; default the one that this package ships. */
  readonly workerUrl?: string | URL;
}

/** The control channel. It begins paused. Every call fails with ScanPoolError once the controller's worker has died. */
export interface Controller {
  /** Scans until paused or stopped. */
  start(): Promise<void>;
  /** Pauses after the slice that is under way; comes back when it is done. */
  pause(): Promise<void>;
  /** So many passes, while paused. */
  step(passes?: number): Promise<ScanReport>;
  /** The counters now; answered also while the scanners work. */
  counters(): Promise<ControlCounters>;
  /** Ends the work after the slice that is under way; what was done so far. */
  stop(): Promise<ControlCounters>;
  /** Ends the worker, whatever it does. */
  close(): Promise<void>;
}

/** Starts a controller. Errors: RangeError without a scanner. */
export function startController(k: Khugepaged, options: ControllerOptions): Controller {
  const { threads, lockLimitMs, controllerUrl = './controller-worker.js', workerUrl } = options;
  if (threads < 1) throw new RangeError('a controller needs at least one scanner: threads from 1');
  const pool: ScanPoolOptions = {
    threads,
    ...(lockLimitMs === undefined ? {} : { lockLimitMs }),
    ...(workerUrl === undefined ? {} : { workerUrl: String(workerUrl) }),
  };
  const worker = new Worker(new URL(controllerUrl, import.meta.url), {
    workerData: { handle: khugepagedHandle(k), pool },
  });
  return new WorkerController(worker);
}

class WorkerController implements Controller {
  private readonly worker: Worker;
  private readonly remote: Remote<ControlLoop>;
  /** Fails when the worker ends; comlink itself would let calls wait for ever. */
  private readonly death: Promise<never>;

  constructor(worker: Worker) {
    this.worker = worker;
    this.remote = wrap<ControlLoop>(nodeEndpoint(worker as NodePort));
    this.death = new Promise((_, reject) => {
      worker.on('error', (cause) => reject(new ScanPoolError('the controller died', { cause })));
      worker.on('exit', (code) => reject(new ScanPoolError(`the controller has ended with code ${code}`)));
    });
    // Whoever calls hears of it.
    this.death.catch(() => {});
  }

  start(): Promise<void> {
    return this.call(this.remote.start());
  }

  pause(): Promise<void> {
    return this.call(this.remote.pause());
  }

  step(passes = 1): Promise<ScanReport> {
    return this.call(this.remote.step(passes));
  }

  counters(): Promise<ControlCounters> {
    return this.call(this.remote.counters());
  }

  stop(): Promise<ControlCounters> {
    return this.call(this.remote.stop());
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private call<T>(answer: Promise<T>): Promise<T> {
    return Promise.race([answer, this.death]);
  }
}
