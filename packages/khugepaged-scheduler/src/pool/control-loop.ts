/**
 * What the controller's worker does: lets the pool work in slices, between which it can be paused, stepped and stopped. It
 * never blocks itself, so that it answers at once.
 */
import { setting } from '@thplab/mm-model';
import type { Khugepaged } from '../khugepaged.js';
import type { ScanPool, ScanReport } from './scan-pool.js';

/** Entries of one slice: enough work for the threads that starting them costs little. */
const SLICE_ENTRIES = 2 ** 20;

/** How things stand. */
export type ControlState = 'paused' | 'running' | 'stopped' | 'failed';

/** Counters of khugepaged, read while it works. */
export interface ControlCounters {
  readonly state: ControlState;
  readonly passes: number;
  readonly pagesCollapsed: number;
  readonly fullScans: number;
  readonly rangesScanned: number;
  /** Text of the error that ended the work. */
  readonly failure?: string;
}

/** The methods of the control channel. All arguments and results can be cloned. */
export class ControlLoop {
  private readonly k: Khugepaged;
  private readonly pool: ScanPool;
  private state: ControlState = 'paused';
  private failure: string | undefined = undefined;
  /** The slice that is under way. */
  private working: Promise<unknown> = Promise.resolve();

  constructor(k: Khugepaged, pool: ScanPool) {
    this.k = k;
    this.pool = pool;
  }

  /** Scans until paused or stopped. */
  start(): void {
    if (this.state !== 'paused') return;
    this.state = 'running';
    this.working = this.work();
  }

  /** Pauses after the slice that is under way; comes back when it is done. */
  async pause(): Promise<void> {
    if (this.state === 'running') this.state = 'paused';
    await this.working;
  }

  /** While paused: so many passes. Errors: RangeError if it is not paused, or as `ScanPool.scan`. */
  async step(passes = 1): Promise<ScanReport> {
    if (this.state !== 'paused') throw new RangeError(`steps are taken while paused; the controller is ${this.state}`);
    await this.working;
    const stepping = this.pool.scan({ passes });
    this.working = stepping.catch((error) => this.failed(error));
    return await stepping;
  }

  /** The counters now. */
  counters(): ControlCounters {
    const { passes, pagesCollapsed, fullScans, rangesScanned } = this.k.t.khugepaged;
    return {
      state: this.state,
      passes: passes[0],
      pagesCollapsed: pagesCollapsed[0],
      fullScans: fullScans[0],
      rangesScanned: rangesScanned[0],
      ...(this.failure === undefined ? {} : { failure: this.failure }),
    };
  }

  /** Ends the work after the slice that is under way; what was done so far. */
  async stop(): Promise<ControlCounters> {
    if (this.state !== 'failed') this.state = 'stopped';
    await this.working;
    await this.pool.close();
    return this.counters();
  }

  private async work(): Promise<void> {
    try {
      while (this.state === 'running') {
        await this.pool.scan({ passes: Math.ceil(SLICE_ENTRIES / setting(this.k.m, 'khugepaged.pages_to_scan')) });
      }
    } catch (error) {
      this.failed(error);
    }
  }

  private failed(error: unknown): void {
    this.state = 'failed';
    this.failure = error instanceof Error ? error.message : String(error);
  }
}
