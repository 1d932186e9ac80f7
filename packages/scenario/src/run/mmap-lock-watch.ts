/**
 * What mmap_lock cost: the longest wait of each process, and the longest time that anybody kept it for writing, which is
 * the longest that a thread of the process can be made to wait (question of worst stalls).
 */
import type { LockClass, LockMode, LockRef } from '@thplab/sync';
import { type ExecutorObserver, Histogram, instanceOf, type SyncDomain, WRITE } from '@thplab/sync';

/** Sums of one address space, ns. */
export interface MmapLockSums {
  /** Waits of tasks other than khugepaged. */
  readonly waits: Histogram;
  /** Longest hold for writing. */
  maxWriteHoldNs: number;
  writeHolds: number;
}

/** An observer of the executor. */
export class MmapLockWatch implements ExecutorObserver {
  readonly #domain: SyncDomain;
  readonly #mmapLock: LockClass;
  readonly #byMm = new Map<number, MmapLockSums>();
  /** Tasks of khugepaged: their waits are nobody's stall. */
  readonly kernelTasks: Set<number> = new Set();

  constructor(domain: SyncDomain, mmapLock: LockClass) {
    this.#domain = domain;
    this.#mmapLock = mmapLock;
  }

  /** The sums of an address space. */
  of(mm: number): MmapLockSums {
    let sums = this.#byMm.get(mm);
    if (sums === undefined) {
      sums = { waits: new Histogram(), maxWriteHoldNs: 0, writeHolds: 0 };
      this.#byMm.set(mm, sums);
    }
    return sums;
  }

  /** An address space is gone: takes its sums out. */
  take(mm: number): MmapLockSums {
    const sums = this.of(mm);
    this.#byMm.delete(mm);
    return sums;
  }

  lockTaken(lock: LockRef, _mode: LockMode, task: number, _cpu: number, _nowNs: number, waitNs: number): void {
    if (waitNs === 0 || this.#domain.classOf(lock) !== this.#mmapLock || this.kernelTasks.has(task)) return;
    this.of(instanceOf(lock)).waits.record(waitNs);
  }

  lockGiven(lock: LockRef, mode: LockMode, task: number, _cpu: number, _nowNs: number, heldNs: number): void {
    if (mode !== WRITE || this.#domain.classOf(lock) !== this.#mmapLock || !this.kernelTasks.has(task)) return;
    const sums = this.of(instanceOf(lock));
    sums.writeHolds++;
    if (heldNs > sums.maxWriteHoldNs) sums.maxWriteHoldNs = heldNs;
  }
}
