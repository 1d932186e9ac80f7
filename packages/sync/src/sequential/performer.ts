/** Performs operations: asks lockdep, then the lock table, wait queues and the scheduler. */
import { OperationError } from '../errors.js';
import type { ExecutorObserver } from '../executor.js';
import type { LockStatistics } from '../lock-statistics.js';
import { badRelease } from '../lockdep/errors.js';
import type { Lockdep } from '../lockdep/lockdep.js';
import type { LockClass, SyncDomain } from '../locks.js';
import {
  isMightSleep,
  isNested,
  type LockRef,
  lockOf,
  modeOf,
  OP,
  type Op,
  payloadOf,
  queueOf,
  READ,
  timeoutOf,
  type WaitQueue,
  WRITE,
} from '../operations.js';
import type { Cpu } from './cpu.js';
import { LockTable } from './lock-table.js';
import type { Scheduler } from './scheduler.js';
import type { SequentialSettings } from './settings.js';
import type { SequentialTask } from './task.js';
import { WaitQueues } from './wait-queues.js';

/** Who looks on; all optional. */
export interface Onlookers {
  readonly lockdep: Lockdep | undefined;
  readonly observer: ExecutorObserver | undefined;
  readonly statistics: LockStatistics | undefined;
}

export class Performer {
  readonly locks: LockTable;
  /** A task that began to wait for a lock while others wait for one of its own: a deadlock, perhaps. */
  suspect: SequentialTask | undefined = undefined;

  private readonly domain: SyncDomain;
  private readonly settings: SequentialSettings;
  private readonly scheduler: Scheduler;
  private readonly lockdep: Lockdep | undefined;
  private readonly queues: WaitQueues;

  constructor(domain: SyncDomain, settings: SequentialSettings, scheduler: Scheduler, onlookers: Onlookers) {
    this.domain = domain;
    this.settings = settings;
    this.scheduler = scheduler;
    this.lockdep = onlookers.lockdep;
    this.queues = new WaitQueues(domain);
    this.locks = new LockTable(onlookers.observer, onlookers.statistics, (task, lockClass, nowNs) =>
      this.granted(task, lockClass, nowNs),
    );
  }

  /** The timeout of a task that waits on a queue is over. */
  timeOut(task: SequentialTask): void {
    this.queues.remove(task);
    task.input = 0;
  }

  /** Takes the lock if it can be taken at once. Nothing has happened if not. */
  acquireAtOnce(task: SequentialTask, op: Op, nowNs: number): boolean {
    const lock = lockOf(op);
    const mode = modeOf(op);
    const lockClass = this.classOf(lock);
    if (task.held.count > 0) this.lockdep?.beforeAcquire(task, lockClass, lock, isNested(op));
    if (lockClass.kind !== 'spin') return this.locks.tryTake(task, lockClass, lock, mode, nowNs);
    if (mode === READ) throw this.noReaders(lock);
    if (!this.locks.tryTake(task, lockClass, lock, mode, nowNs)) return false;
    task.spinDepth++;
    return true;
  }

  /** Takes the lock or queues for it. Gives false if the task waits now. */
  acquire(cpu: Cpu, task: SequentialTask, op: Op, nowNs: number): boolean {
    if (this.acquireAtOnce(task, op, nowNs)) return true;
    const lock = lockOf(op);
    const mode = modeOf(op);
    const lockClass = this.classOf(lock);
    if (lockClass.kind === 'vma' && mode === READ) {
      throw new OperationError(`${this.domain.describe(lock)}: a reader of a vma lock only tries, it never waits`);
    }
    if (lockClass.kind === 'spin') {
      task.spinDepth++;
      this.scheduler.spin(cpu, task, nowNs);
    } else this.scheduler.block(cpu, task, 'lock', nowNs);
    this.locks.queue(task, lockClass, lock, mode, nowNs);
    if (this.locks.isWaitedFor(task)) this.suspect = task;
    return false;
  }

  tryAcquire(task: SequentialTask, op: Op, nowNs: number): boolean {
    const lock = lockOf(op);
    const mode = modeOf(op);
    const lockClass = this.classOf(lock);
    if (!this.locks.tryTake(task, lockClass, lock, mode, nowNs)) return false;
    if (lockClass.kind === 'spin') {
      if (mode === READ) throw this.noReaders(lock);
      task.spinDepth++;
    }
    return true;
  }

  release(cpu: Cpu, task: SequentialTask, op: Op, nowNs: number): void {
    const lock = lockOf(op);
    const lockClass = this.classOf(lock);
    const mode = modeOf(op);
    const at = task.held.find(lock, mode);
    if (at < 0) throw badRelease(this.domain, task, lock, mode);
    this.locks.release(task, lockClass, at, cpu.id, nowNs);
    if (lockClass.kind === 'spin') {
      task.spinDepth--;
      if (cpu.queue.size > 0) this.scheduler.changed = true;
    }
  }

  /** Only what lockdep says to it: whether others come in is the executor's to decide. */
  preempt(task: SequentialTask, op: Op): void {
    if (this.lockdep !== undefined && isMightSleep(op)) this.lockdep.beforeSleep(task, 'may sleep');
  }

  wake(op: Op, nowNs: number): number {
    const woken = this.queues.clear(payloadOf(op) as WaitQueue);
    for (const task of woken) {
      this.scheduler.disarm(task);
      this.scheduler.ready(task, nowNs);
    }
    return woken.length;
  }

  /** The operations that need no speed. Gives the answer, or -1 if the task is off its processor. */
  other(cpu: Cpu, task: SequentialTask, op: Op, code: number, nowNs: number): number {
    switch (code) {
      case OP.preempt:
        this.preempt(task, op);
        return 0;
      case OP.now:
        return nowNs;
      case OP.wake:
        return this.wake(op, nowNs);
      case OP.downgrade:
        this.downgrade(cpu, task, lockOf(op), nowNs);
        return 0;
      case OP.sleep:
        this.lockdep?.beforeSleep(task, 'sleeps');
        task.input = 0;
        this.scheduler.block(cpu, task, 'sleep', nowNs);
        this.scheduler.arm(task, nowNs + payloadOf(op));
        return -1;
      case OP.wait: {
        this.lockdep?.beforeSleep(task, 'waits on a queue');
        task.input = 1;
        this.queues.add(queueOf(op), task);
        this.scheduler.block(cpu, task, 'queue', nowNs);
        const timeoutNs = timeoutOf(op);
        if (timeoutNs !== Number.POSITIVE_INFINITY) this.scheduler.arm(task, nowNs + timeoutNs);
        return -1;
      }
      default:
        throw new OperationError(`task ${task.id} '${task.name}' yielded ${String(op)}, which is no operation`);
    }
  }

  private downgrade(cpu: Cpu, task: SequentialTask, lock: LockRef, nowNs: number): void {
    const lockClass = this.classOf(lock);
    const at = task.held.find(lock, WRITE);
    if (at < 0) throw badRelease(this.domain, task, lock, WRITE);
    if (lockClass.kind === 'spin') throw new OperationError(`${this.domain.describe(lock)}: a spinlock has no readers`);
    this.locks.downgrade(task, lockClass, at, cpu.id, nowNs);
  }

  /** A waiter owns its lock from now on. */
  private granted(task: SequentialTask, lockClass: LockClass, nowNs: number): void {
    task.input = 1;
    if (lockClass.kind === 'spin') {
      this.scheduler.unspin(task, nowNs, this.settings.lockOperationNs);
    } else {
      task.spendLeftNs = this.settings.lockOperationNs;
      this.scheduler.ready(task, nowNs);
    }
  }

  private noReaders(lock: LockRef): OperationError {
    return new OperationError(`${this.domain.describe(lock)}: a spinlock is taken for WRITE only`);
  }

  private classOf(lock: LockRef): LockClass {
    const found = this.domain.classOf(lock);
    if (found === undefined) throw new OperationError(`lock ${lock} is of no declared class`);
    return found;
  }
}
