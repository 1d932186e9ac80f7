/**
 * What an operation does: the half of the explore executor that knows locks, queues and lockdep. `runner.ts` is the half that
 * knows schedules.
 */
import { OperationError } from '../errors.js';
import type { Current } from '../executor.js';
import { badRelease } from '../lockdep/errors.js';
import { Lockdep } from '../lockdep/lockdep.js';
import type { SyncDomain } from '../locks.js';
import {
  isNested,
  lockOf,
  modeOf,
  OP,
  type Op,
  opcodeOf,
  payloadOf,
  queueOf,
  READ,
  timeoutOf,
  WRITE,
} from '../operations.js';
import { ACCESS, accessOf, lockObject, queueObject } from './accesses.js';
import { type SearchLock, SearchLocks } from './search-locks.js';
import { type SearchTask, STATE } from './search-task.js';
import { MOVE, type ScheduleTrace } from './trace.js';

/** Spends in a row after which a task is taken to poll: the next one is a step, and a rest. */
const SPENDS_PER_STEP = 64;

/** Answer of `perform` for a task that does not go on at once. */
const BLOCKED = -1;

/** Performs the steps of the tasks of one machine. */
export class CaseSteps {
  readonly domain: SyncDomain;
  readonly locks: SearchLocks;
  lockdep: Lockdep | undefined = undefined;
  private readonly tasks: readonly SearchTask[];
  private readonly trace: ScheduleTrace;
  private readonly current: Current;

  constructor(domain: SyncDomain, tasks: readonly SearchTask[], trace: ScheduleTrace, current: Current) {
    this.domain = domain;
    this.tasks = tasks;
    this.trace = trace;
    this.current = current;
    this.locks = new SearchLocks(domain, (task) => {
      task.state = STATE.ready;
      task.move = MOVE.granted;
    });
  }

  /** A new schedule begins: all locks are free, and lockdep has seen nothing. */
  restart(withLockdep: boolean): void {
    this.locks.clear();
    // What lockdep learns in one schedule must not make another one fail: that one could not be replayed alone.
    this.lockdep = withLockdep ? new Lockdep(this.domain, this.current, (id) => this.tasks[id - 1]) : undefined;
  }

  /** Does what the task asked for, and lets it run to its next operation unless it has to wait. */
  step(task: SearchTask): void {
    const answer = this.perform(task);
    if (answer !== BLOCKED) this.resume(task, answer);
  }

  /** Gives the answer to what the task asked for, or BLOCKED. */
  private perform(task: SearchTask): number {
    switch (task.move) {
      case MOVE.start:
        task.generator = task.procedure();
        return 0;
      case OP.acquire:
        return this.acquire(task, task.lock as SearchLock);
      case OP.tryAcquire:
        return this.tryAcquire(task, task.lock as SearchLock);
      case OP.release:
        this.release(task, task.lock as SearchLock);
        return 0;
      case MOVE.granted:
        this.touchLock(task.lock as SearchLock, task.mode === READ ? ACCESS.grantedRead : ACCESS.grantedWrite);
        return 1;
      case OP.preempt:
        return 0;
      default:
        return this.other(task);
    }
  }

  private other(task: SearchTask): number {
    switch (task.move) {
      case OP.sleep:
      case OP.spend:
        this.pass(task);
        return 0;
      case OP.downgrade:
        this.downgrade(task, task.lock as SearchLock);
        return 0;
      case OP.wake:
        this.touchQueue(task.queue, ACCESS.wakes);
        return this.wake(task.queue);
      case MOVE.timeout:
        this.touchQueue(task.queue, ACCESS.waits);
        this.trace.result[this.trace.count] = 0;
        this.pass(task);
        return 0;
      default:
        // Woken. One that could have timed out instead depends on when that was; one that could not was enabled by it.
        if (task.restNs !== Number.POSITIVE_INFINITY) this.touchQueue(task.queue, ACCESS.waits);
        else this.trace.enabledBy[this.trace.count] = task.wokenBy;
        return 1;
    }
  }

  private acquire(task: SearchTask, lock: SearchLock): number {
    this.touchLock(lock, task.mode === READ ? ACCESS.acquireRead : ACCESS.acquireWrite);
    if (lock.lockClass.kind === 'spin') task.spinDepth++;
    if (this.locks.tryTake(task, lock, task.mode)) return 1;
    this.trace.result[this.trace.count] = 0;
    task.state = STATE.queued;
    this.locks.enqueue(task, lock, task.mode);
    return BLOCKED;
  }

  private tryAcquire(task: SearchTask, lock: SearchLock): number {
    this.touchLock(lock, task.mode === READ ? ACCESS.tryRead : ACCESS.tryWrite);
    if (!this.locks.tryTake(task, lock, task.mode)) {
      this.trace.result[this.trace.count] = 0;
      return 0;
    }
    if (lock.lockClass.kind === 'spin') task.spinDepth++;
    return 1;
  }

  private release(task: SearchTask, lock: SearchLock): void {
    const at = task.held.find(lock.ref, task.mode);
    if (at < 0) throw badRelease(this.domain, task, lock.ref, task.mode);
    this.touchLock(lock, task.mode === READ ? ACCESS.releaseRead : ACCESS.releaseWrite);
    this.locks.release(task, lock, at);
    if (lock.lockClass.kind === 'spin') task.spinDepth--;
  }

  private downgrade(task: SearchTask, lock: SearchLock): void {
    const at = task.held.find(lock.ref, WRITE);
    if (at < 0) throw badRelease(this.domain, task, lock.ref, WRITE);
    if (lock.lockClass.kind === 'spin') throw misuse(task, 'downgrades a spinlock, which has no readers');
    this.touchLock(lock, ACCESS.downgrade);
    this.locks.downgrade(task, lock, at);
  }

  private wake(queue: number): number {
    let woken = 0;
    for (const task of this.tasks) {
      if (task.queue !== queue || task.move !== MOVE.timeout) continue;
      task.state = STATE.ready;
      task.move = MOVE.woken;
      task.wokenBy = this.trace.count;
      woken++;
    }
    return woken;
  }

  /** Lets the task run to its next operation. */
  private resume(task: SearchTask, answer: number): void {
    const generator = task.generator as NonNullable<typeof task.generator>;
    let input = answer;
    let spends = 0;
    for (;;) {
      const made = generator.next(input);
      if (made.done === true) {
        task.state = STATE.done;
        this.lockdep?.atEnd(task);
        return;
      }
      const op = made.value;
      const code = opcodeOf(op);
      if (code === OP.spend && spends++ < SPENDS_PER_STEP) {
        task.nowNs += payloadOf(op);
        this.current.nowNs = task.nowNs;
        input = 0;
      } else if (code === OP.now) {
        input = task.nowNs;
      } else {
        this.ask(task, op, code);
        return;
      }
    }
  }

  /** The task has come to an operation: it is checked now, and done when the task is picked. */
  private ask(task: SearchTask, op: Op, code: number): void {
    task.op = op;
    task.move = code;
    task.state = STATE.ready;
    switch (code) {
      case OP.acquire:
      case OP.tryAcquire:
      case OP.release:
      case OP.downgrade:
        this.askLock(task, op, code);
        return;
      case OP.sleep:
        this.lockdep?.beforeSleep(task, 'sleeps');
        task.restNs = payloadOf(op);
        task.state = STATE.resting;
        return;
      case OP.spend:
        task.restNs = payloadOf(op);
        task.state = STATE.resting;
        return;
      case OP.wait:
        this.lockdep?.beforeSleep(task, 'waits on a queue');
        task.queue = queueOf(op);
        task.restNs = timeoutOf(op);
        task.state = task.restNs === Number.POSITIVE_INFINITY ? STATE.waiting : STATE.resting;
        task.move = MOVE.timeout;
        // It is on the queue from here, not from a step of its own: a wake-up after the check that led here must count.
        this.touchQueue(task.queue, ACCESS.waits);
        return;
      case OP.wake:
        task.queue = payloadOf(op);
        return;
      case OP.preempt:
        return;
      default:
        throw misuse(task, `yielded ${String(op)}, which is no operation`);
    }
  }

  private askLock(task: SearchTask, op: Op, code: number): void {
    const lock = this.locks.of(lockOf(op));
    const { kind } = lock.lockClass;
    task.lock = lock;
    task.mode = modeOf(op);
    if (code === OP.acquire) {
      task.state = STATE.acquiring;
      if (task.held.count > 0) this.lockdep?.beforeAcquire(task, lock.lockClass, lock.ref, isNested(op));
    }
    if (code > OP.tryAcquire || task.mode === WRITE) return;
    if (kind === 'spin') {
      throw misuse(task, `takes ${this.domain.describe(lock.ref)} for READ, but a spinlock is for WRITE only`);
    }
    if (kind === 'vma' && code === OP.acquire) {
      throw misuse(task, `waits for ${this.domain.describe(lock.ref)}: a reader of a vma lock only tries`);
    }
  }

  /** A sleep or a timeout is over. */
  private pass(task: SearchTask): void {
    task.nowNs += task.restNs;
    this.current.nowNs = task.nowNs;
  }

  private touchLock(lock: SearchLock, kind: number): void {
    const object = lockObject(lock.index);
    this.trace.access(object, accessOf(object, kind));
  }

  private touchQueue(queue: number, kind: number): void {
    const object = queueObject(queue);
    this.trace.access(object, accessOf(object, kind));
  }
}

function misuse(task: SearchTask, text: string): OperationError {
  return new OperationError(`task ${task.id} '${task.name}' ${text}`);
}
