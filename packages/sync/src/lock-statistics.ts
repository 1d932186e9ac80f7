/**
 * Sums over all instances of each lock class (the kernel's lock_stat). An observer like any other; an executor that is
 * told to keep statistics calls it directly.
 */
import type { ExecutorObserver } from './executor.js';
import { Histogram } from './histogram.js';
import type { SyncDomain } from './locks.js';
import { type LockMode, type LockRef, READ, WRITE } from './operations.js';

/** What is known of one class in one mode. Times in ns. */
export class ModeStatistics {
  acquisitions = 0;
  /** Acquisitions that had to wait. */
  contended = 0;
  /** Waits of the contended ones: `waits.total`, `waits.max`. */
  readonly waits: Histogram = new Histogram();
  holdTotalNs = 0;
  holdMaxNs = 0;

  get waitTotalNs(): number {
    return this.waits.total;
  }

  get waitMaxNs(): number {
    return this.waits.max;
  }

  /** Quantile of the wait over all acquisitions, those without a wait counted as 0: 0.5, 0.99, or 1 for the maximum. */
  waitQuantileNs(q: number): number {
    return this.waits.quantile(q, this.acquisitions - this.contended);
  }
}

/** What is known of one class. */
export interface ClassStatistics {
  readonly name: string;
  readonly read: ModeStatistics;
  readonly write: ModeStatistics;
}

export class LockStatistics implements ExecutorObserver {
  private readonly domain: SyncDomain;
  /** Class n: READ at 2n, WRITE at 2n + 1. */
  private readonly modes: ModeStatistics[] = [];

  constructor(domain: SyncDomain) {
    this.domain = domain;
  }

  lockTaken(lock: LockRef, mode: LockMode, _task: number, _cpu: number, _nowNs: number, waitNs: number): void {
    const sums = this.of(this.domain.classOf(lock).id, mode);
    sums.acquisitions++;
    if (waitNs > 0) {
      sums.contended++;
      sums.waits.record(waitNs);
    }
  }

  lockGiven(lock: LockRef, mode: LockMode, _task: number, _cpu: number, _nowNs: number, heldNs: number): void {
    const sums = this.of(this.domain.classOf(lock).id, mode);
    sums.holdTotalNs += heldNs;
    if (heldNs > sums.holdMaxNs) sums.holdMaxNs = heldNs;
  }

  /** Every declared class in the order of declaration, unused ones included. */
  classes(): ClassStatistics[] {
    return this.domain.classes.map((lockClass) => ({
      name: lockClass.name,
      read: this.of(lockClass.id, READ),
      write: this.of(lockClass.id, WRITE),
    }));
  }

  private of(id: number, mode: LockMode): ModeStatistics {
    const at = 2 * id + mode;
    while (this.modes.length <= at) this.modes.push(new ModeStatistics());
    return this.modes[at] as ModeStatistics;
  }
}
