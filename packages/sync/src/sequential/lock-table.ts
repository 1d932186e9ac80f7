/**
 * The locks of the sequential executor: the state of each in its arena words, the queues of waiters here. Applies the
 * rules of lock-rules.ts and keeps words, holders, queues and statistics in step.
 */

import { OperationError } from '../errors.js';
import type { ExecutorObserver } from '../executor.js';
import { canTake, grants, stateAfterRelease, stateAfterTake } from '../lock-rules.js';
import type { LockStatistics } from '../lock-statistics.js';
import {
  instanceOf,
  LOCK_OWNER,
  LOCK_STATE,
  LOCK_WAITERS,
  LOCK_WORDS,
  LOCK_WRITERS,
  type LockClass,
} from '../locks.js';
import { type LockMode, type LockRef, READ, WRITE } from '../operations.js';
import type { SequentialTask } from './task.js';

/** Waiters of one lock in order of arrival. */
interface LockQueue {
  tasks: SequentialTask[];
  modes: LockMode[];
}

export class LockTable {
  /** Told when a waiter gets its lock. */
  private readonly granted: (task: SequentialTask, lockClass: LockClass, nowNs: number) => void;
  private readonly queues: Map<LockRef, LockQueue> = new Map();
  private readonly observer: ExecutorObserver | undefined;
  private readonly statistics: LockStatistics | undefined;

  constructor(
    observer: ExecutorObserver | undefined,
    statistics: LockStatistics | undefined,
    granted: (task: SequentialTask, lockClass: LockClass, nowNs: number) => void,
  ) {
    this.observer = observer;
    this.statistics = statistics;
    this.granted = granted;
  }

  /** Tasks that wait for a lock, in order of arrival. */
  waitersOf(lock: LockRef): readonly SequentialTask[] {
    return this.queues.get(lock)?.tasks ?? [];
  }

  /** True if the task holds a lock that others wait for. */
  isWaitedFor(task: SequentialTask): boolean {
    return this.queues.size > 0 && task.held.locks.some((lock) => this.queues.has(lock));
  }

  /** Takes the lock if it can be taken at once. */
  tryTake(task: SequentialTask, lockClass: LockClass, lock: LockRef, mode: LockMode, nowNs: number): boolean {
    const words = lockClass.words;
    const base = lockClass.base(instanceOf(lock));
    if (!canTake(mode, words[base + LOCK_STATE] as number, words[base + LOCK_WAITERS] as number)) {
      if (base + LOCK_WORDS > words.length)
        throw new OperationError(`${lockClass.name}[${instanceOf(lock)}] has no words`);
      return false;
    }
    this.take(task, lockClass, lock, mode, nowNs, 0);
    return true;
  }

  /** Queues for a lock that could not be taken at once. The task may have got it already when this comes back. */
  queue(task: SequentialTask, lockClass: LockClass, lock: LockRef, mode: LockMode, nowNs: number): void {
    let queue = this.queues.get(lock);
    if (queue === undefined) {
      queue = { tasks: [], modes: [] };
      this.queues.set(lock, queue);
    }
    queue.tasks.push(task);
    queue.modes.push(mode);
    task.lock = lock;
    task.lockMode = mode;
    const base = lockClass.base(instanceOf(lock));
    lockClass.words[base + LOCK_WAITERS] = queue.tasks.length;
    if (mode === WRITE) lockClass.words[base + LOCK_WRITERS] = (lockClass.words[base + LOCK_WRITERS] as number) + 1;
    this.grant(lockClass, lock, nowNs);
  }

  /** Gives back the lock at position `at` of the task's held locks. */
  release(task: SequentialTask, lockClass: LockClass, at: number, cpu: number, nowNs: number): void {
    const lock = task.held.locks[at] as LockRef;
    const mode = task.held.modes[at] as LockMode;
    const heldNs = nowNs - task.held.removeAt(at);
    const words = lockClass.words;
    const base = lockClass.base(instanceOf(lock));
    const state = stateAfterRelease(mode, words[base + LOCK_STATE] as number);
    words[base + LOCK_STATE] = state;
    if (state === 0) words[base + LOCK_OWNER] = 0;
    this.statistics?.lockGiven(lock, mode, task.id, cpu, nowNs, heldNs);
    this.observer?.lockGiven?.(lock, mode, task.id, cpu, nowNs, heldNs);
    if (state === 0 && words[base + LOCK_WAITERS] !== 0) this.grant(lockClass, lock, nowNs);
  }

  /** Turns the WRITE at position `at` into READ and lets in the readers at the head of the queue. */
  downgrade(task: SequentialTask, lockClass: LockClass, at: number, cpu: number, nowNs: number): void {
    const lock = task.held.locks[at] as LockRef;
    const heldNs = nowNs - (task.held.sinceNs[at] as number);
    task.held.modes[at] = READ;
    task.held.sinceNs[at] = nowNs;
    const base = lockClass.base(instanceOf(lock));
    lockClass.words[base + LOCK_STATE] = 1;
    this.statistics?.lockGiven(lock, WRITE, task.id, cpu, nowNs, heldNs);
    this.observer?.lockGiven?.(lock, WRITE, task.id, cpu, nowNs, heldNs);
    this.statistics?.lockTaken(lock, READ, task.id, cpu, nowNs, 0);
    this.observer?.lockTaken?.(lock, READ, task.id, cpu, nowNs, 0);
    if (lockClass.words[base + LOCK_WAITERS] !== 0) this.grant(lockClass, lock, nowNs);
  }

  private take(
    task: SequentialTask,
    lockClass: LockClass,
    lock: LockRef,
    mode: LockMode,
    nowNs: number,
    waitNs: number,
  ): void {
    const words = lockClass.words;
    const base = lockClass.base(instanceOf(lock));
    words[base + LOCK_STATE] = stateAfterTake(mode, words[base + LOCK_STATE] as number);
    words[base + LOCK_OWNER] = task.id;
    task.held.push(lock, mode, nowNs);
    this.statistics?.lockTaken(lock, mode, task.id, task.cpu, nowNs, waitNs);
    this.observer?.lockTaken?.(lock, mode, task.id, task.cpu, nowNs, waitNs);
  }

  private grant(lockClass: LockClass, lock: LockRef, nowNs: number): void {
    const queue = this.queues.get(lock);
    if (queue === undefined) return;
    const base = lockClass.base(instanceOf(lock));
    const winners = grants(lockClass.words[base + LOCK_STATE] as number, queue.modes);
    if (winners.length === 0) return;
    const tasks = winners.map((at) => queue.tasks[at] as SequentialTask);
    const gone = new Set(winners);
    const writers = queue.modes[winners[0] as number] === WRITE ? 1 : 0;
    queue.tasks = queue.tasks.filter((_, at) => !gone.has(at));
    queue.modes = queue.modes.filter((_, at) => !gone.has(at));
    if (queue.tasks.length === 0) this.queues.delete(lock);
    lockClass.words[base + LOCK_WAITERS] = queue.tasks.length;
    lockClass.words[base + LOCK_WRITERS] = (lockClass.words[base + LOCK_WRITERS] as number) - writers;
    for (const task of tasks) {
      const waitNs = nowNs - task.blockedNs;
      task.lock = undefined;
      task.lockWaitNs += waitNs;
      this.take(task, lockClass, lock, task.lockMode, nowNs, waitNs);
      this.granted(task, lockClass, nowNs);
    }
  }
}
