/**
 * The locks one task holds, in the order it took them. Kept by executors with lockdep or without: reports of failures
 * and deadlocks name holders, and hold times start here. Parallel arrays, because this is on the path of every operation.
 */
import type { LockMode, LockRef } from './operations.js';

/** One held lock, as errors show it. */
export interface HeldLock {
  readonly lock: LockRef;
  /** `class[instance]`. */
  readonly name: string;
  readonly mode: LockMode;
  /** When it was taken, ns. */
  readonly sinceNs: number;
}

/** A task's held locks. */
export class HeldLocks {
  readonly locks: LockRef[] = [];
  readonly modes: LockMode[] = [];
  readonly sinceNs: number[] = [];

  get count(): number {
    return this.locks.length;
  }

  push(lock: LockRef, mode: LockMode, nowNs: number): void {
    this.locks.push(lock);
    this.modes.push(mode);
    this.sinceNs.push(nowNs);
  }

  /** Position of the latest take of `lock` in `mode`; -1 if it is not held so. */
  find(lock: LockRef, mode: LockMode): number {
    for (let at = this.locks.length - 1; at >= 0; at--) {
      if (this.locks[at] === lock && this.modes[at] === mode) return at;
    }
    return -1;
  }

  /** True if the lock is held in any mode. */
  has(lock: LockRef): boolean {
    return this.locks.includes(lock);
  }

  /** Forgets the lock at a position and gives back since when it was held. */
  removeAt(at: number): number {
    const last = this.locks.length - 1;
    const since = this.sinceNs[at] as number;
    if (at === last) {
      this.locks.pop();
      this.modes.pop();
      this.sinceNs.pop();
    } else {
      this.locks.splice(at, 1);
      this.modes.splice(at, 1);
      this.sinceNs.splice(at, 1);
    }
    return since;
  }

  /** Copies for a report, oldest first. `describe` names a lock (`SyncDomain.describe`). */
  report(describe: (lock: LockRef) => string): HeldLock[] {
    return this.locks.map((lock, at) => ({
      lock,
      name: describe(lock),
      mode: this.modes[at] as LockMode,
      sinceNs: this.sinceNs[at] as number,
    }));
  }
}
