/**
 * Watches the bit locks of a case: passes on what lockdep wants to know, and enters each use as an access, since a task
 * takes them without an operation.
 */
import type { Current } from '../executor.js';
import type { Lockdep } from '../lockdep/lockdep.js';
import type { BitLock, BitLockWatcher, SyncDomain } from '../locks.js';
import { ACCESS, accessOf, bitObject } from './accesses.js';
import type { ScheduleTrace } from './trace.js';

export class BitLockLog implements BitLockWatcher {
  private readonly trace: ScheduleTrace;
  private readonly current: Readonly<Current>;
  /** By lock, then by instance: the number it was met as. */
  private readonly numbers: Map<BitLock, number[]> = new Map();
  private met = 0;
  private lockdep: Lockdep | undefined = undefined;
  private logged = false;
  private watched: readonly BitLock[] = [];
  private before: readonly (BitLockWatcher | undefined)[] = [];

  constructor(trace: ScheduleTrace, current: Readonly<Current>) {
    this.trace = trace;
    this.current = current;
  }

  /** Watches the bit locks of a domain until `unwatch`. */
  watch(domain: SyncDomain, lockdep: Lockdep | undefined, logged: boolean): void {
    if (domain.bitLocks.length === 0) return;
    this.lockdep = lockdep;
    this.logged = logged;
    this.watched = domain.bitLocks;
    this.before = domain.bitLocks.map((lock) => lock.watcher);
    for (const lock of this.watched) lock.watcher = this;
  }

  unwatch(): void {
    for (const [at, lock] of this.watched.entries()) lock.watcher = this.before[at];
    this.watched = [];
  }

  taken(lock: BitLock, instance: number): void {
    this.enter(lock, instance, ACCESS.cellWrite);
    this.lockdep?.taken(lock, instance);
  }

  given(lock: BitLock, instance: number): void {
    this.enter(lock, instance, ACCESS.cellWrite);
    this.lockdep?.given(lock, instance);
  }

  looked(lock: BitLock, instance: number): void {
    this.enter(lock, instance, ACCESS.cellRead);
  }

  private enter(lock: BitLock, instance: number, kind: number): void {
    if (!this.logged || this.current.task === 0) return;
    let numbers = this.numbers.get(lock);
    if (numbers === undefined) {
      numbers = [];
      this.numbers.set(lock, numbers);
    }
    numbers[instance] ??= this.met++;
    const object = bitObject(numbers[instance]);
    this.trace.access(object, accessOf(object, kind));
  }
}
