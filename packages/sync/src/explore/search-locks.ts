/**
 * The locks of the explore executor: numbered from 0 as they are met, state in their words, queues here. The rules are
 * those of lock-rules.ts. Numbers stay the same over all schedules of a search.
 */
import { OperationError } from '../errors.js';
import { canTake, grants, stateAfterRelease, stateAfterTake, WRITE_HELD } from '../lock-rules.js';
import {
  instanceOf,
  LOCK_OWNER,
  LOCK_STATE,
  LOCK_WAITERS,
  LOCK_WORDS,
  LOCK_WRITERS,
  type LockClass,
  type SyncDomain,
} from '../locks.js';
import { type LockMode, type LockRef, READ, WRITE } from '../operations.js';
import type { SearchTask } from './search-task.js';

const CLASS = 2 ** 32;

/** One lock. */
export interface SearchLock {
  readonly index: number;
  readonly ref: LockRef;
  readonly lockClass: LockClass;
  readonly words: Int32Array;
  readonly base: number;
  /** Waiters in order of arrival, and their modes. */
  readonly queue: SearchTask[];
  readonly modes: LockMode[];
}

export class SearchLocks {
  readonly all: SearchLock[] = [];
  private readonly domain: SyncDomain;
  /** By class, then by instance. */
  private readonly byClass: (SearchLock | undefined)[][] = [];
  /** Told when a waiter gets its lock. */
  private readonly granted: (task: SearchTask, lock: SearchLock) => void;

  constructor(domain: SyncDomain, granted: (task: SearchTask, lock: SearchLock) => void) {
    this.domain = domain;
    this.granted = granted;
  }

  /** The lock of a reference. OperationError if its class is not declared. */
  of(ref: LockRef): SearchLock {
    return this.byClass[Math.floor(ref / CLASS)]?.[instanceOf(ref)] ?? this.add(ref);
  }

  /** Frees all locks, for a new schedule. */
  clear(): void {
    for (const lock of this.all) {
      lock.words.fill(0, lock.base, lock.base + LOCK_WORDS);
      lock.queue.length = 0;
      lock.modes.length = 0;
    }
  }

  /** True while nobody but the holder can do anything with the lock. */
  isWriteHeld(lock: SearchLock): boolean {
    return lock.words[lock.base + LOCK_STATE] === WRITE_HELD;
  }

  /** Takes the lock if it can be taken at once. */
  tryTake(task: SearchTask, lock: SearchLock, mode: LockMode): boolean {
    const { words, base } = lock;
    const state = words[base + LOCK_STATE] as number;
    if (!canTake(mode, state, words[base + LOCK_WAITERS] as number)) return false;
    this.take(task, lock, mode);
    return true;
  }

  /** Queues for a lock that could not be taken at once. */
  enqueue(task: SearchTask, lock: SearchLock, mode: LockMode): void {
    lock.queue.push(task);
    lock.modes.push(mode);
    this.countWaiters(lock);
    this.grant(lock);
  }

  /** Gives back the lock at a position of the task's held locks. */
  release(task: SearchTask, lock: SearchLock, at: number): void {
    const { words, base } = lock;
    const state = stateAfterRelease(task.held.modes[at] as LockMode, words[base + LOCK_STATE] as number);
    task.held.removeAt(at);
    words[base + LOCK_STATE] = state;
    if (state === 0) {
      words[base + LOCK_OWNER] = 0;
      if (lock.queue.length > 0) this.grant(lock);
    }
  }

  /** Turns the WRITE at a position of the task's held locks into READ and lets in the readers at the head. */
  downgrade(task: SearchTask, lock: SearchLock, at: number): void {
    task.held.modes[at] = READ;
    lock.words[lock.base + LOCK_STATE] = 1;
    if (lock.queue.length > 0) this.grant(lock);
  }

  private take(task: SearchTask, lock: SearchLock, mode: LockMode): void {
    const { words, base } = lock;
    words[base + LOCK_STATE] = stateAfterTake(mode, words[base + LOCK_STATE] as number);
    words[base + LOCK_OWNER] = task.id;
    task.held.push(lock.ref, mode, task.nowNs);
  }

  private grant(lock: SearchLock): void {
    const winners = grants(lock.words[lock.base + LOCK_STATE] as number, lock.modes);
    if (winners.length === 0) return;
    const tasks = winners.map((at) => lock.queue[at] as SearchTask);
    const modes = winners.map((at) => lock.modes[at] as LockMode);
    for (let at = winners.length - 1; at >= 0; at--) {
      lock.queue.splice(winners[at] as number, 1);
      lock.modes.splice(winners[at] as number, 1);
    }
    this.countWaiters(lock);
    for (const [at, task] of tasks.entries()) {
      this.take(task, lock, modes[at] as LockMode);
      this.granted(task, lock);
    }
  }

  private countWaiters(lock: SearchLock): void {
    lock.words[lock.base + LOCK_WAITERS] = lock.queue.length;
    lock.words[lock.base + LOCK_WRITERS] = lock.modes.filter((mode) => mode === WRITE).length;
  }

  private add(ref: LockRef): SearchLock {
    const lockClass = this.domain.classOf(ref);
    if (lockClass === undefined) throw new OperationError(`lock ${ref} is of no declared class`);
    const instance = instanceOf(ref);
    const lock = {
      index: this.all.length,
      ref,
      lockClass,
      words: lockClass.words,
      base: lockClass.base(instance),
      queue: [],
      modes: [],
    };
    this.all.push(lock);
    while (this.byClass.length <= lockClass.id) this.byClass.push([]);
    (this.byClass[lockClass.id] as SearchLock[])[instance] = lock;
    lock.words.fill(0, lock.base, lock.base + LOCK_WORDS);
    return lock;
  }
}
