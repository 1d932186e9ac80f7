/**
 * The explore executor: runs one schedule of a case from the start to its end, asking a strategy before every step who
 * makes it.
 *
 * A step is one operation and the code behind it up to the task's next operation. `spend` and `now` are no operations
 * here: time is a number that a task carries along. A task that sleeps or waits with a timeout can go on at any moment,
 * within the bound of `ExploreLimits.earlyWakes`. Procedures cannot be copied, so every schedule starts over: all
 * objects here are used again, and a step allocates nothing.
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
import { ACCESS, accessOf, cellObject, EVERYTHING, syncObject } from './accesses.js';
import { type ExploreCase, type ExploreSettings, MAX_ACTORS } from './case.js';
import { deadlockFailure, type FailureFound, failureOf, livelockFailure } from './failure.js';
import { type SearchLock, SearchLocks } from './search-locks.js';
import { SearchTask, STATE } from './search-task.js';
import { DROP, isPreemption, type ScheduleEnd, type ScheduleView, type Strategy } from './strategy.js';
import { MOVE, ScheduleTrace } from './trace.js';

/** Answer of `perform` for a task that does not go on at once. */
const BLOCKED = -1;
const NO_FINDINGS: readonly string[] = [];

export class ScheduleRunner implements ScheduleView {
  readonly tasks: readonly SearchTask[];
  readonly taskCount: number;
  readonly trace: ScheduleTrace = new ScheduleTrace();
  readonly seesWaiters: boolean;
  runnable = 0;
  resting = 0;
  last = -1;
  turn = 0;
  /** Pre-emptions of the schedule so far. */
  preemptions = 0;

  /** What went wrong in the last schedule. */
  failure: FailureFound | undefined = undefined;
  /** True once a task was not let go on because of `earlyWakes`. */
  wakesWithheld = false;
  locks: SearchLocks;

  private readonly subject: ExploreCase;
  private readonly settings: ExploreSettings;
  private readonly current: Current;
  private domain: SyncDomain;
  private lockdep: Lockdep | undefined = undefined;

  constructor(subject: ExploreCase, settings: ExploreSettings) {
    const count = subject.actors.length;
    if (count < 1 || count > MAX_ACTORS) {
      throw new RangeError(`case '${subject.name}' has ${count} actors: must be 1 to ${MAX_ACTORS}`);
    }
    this.subject = subject;
    this.settings = settings;
    this.tasks = subject.actors.map((actor, slot) => new SearchTask(slot, actor));
    this.taskCount = count;
    this.current = subject.current ?? { nowNs: 0, cpu: 0, task: 0 };
    this.seesWaiters = subject.seesWaiters ?? false;
    this.domain = subject.domain;
    this.locks = this.makeLocks();
  }

  /** Runs one schedule. */
  run(strategy: Strategy): ScheduleEnd {
    this.begin();
    const { bitLocks } = this.domain;
    const unwatch = bitLocks.length > 0 ? this.lockdep?.watch() : undefined;
    let end: ScheduleEnd;
    try {
      end = this.loop(strategy);
    } catch (error) {
      const task = this.tasks[this.current.task - 1];
      if (task === undefined) throw error;
      this.harvest();
      this.trace.count++;
      this.failure = failureOf(error, task);
      end = 'failed';
    } finally {
      unwatch?.();
      this.current.task = 0;
    }
    strategy.finished(this, end);
    return end;
  }

  waitsFor(slot: number): number {
    const task = this.tasks[slot] as SearchTask;
    if (task.state !== STATE.acquiring) return -1;
    const object = syncObject(2 * (task.lock as SearchLock).index);
    return accessOf(object, task.mode === READ ? ACCESS.acquireRead : ACCESS.acquireWrite);
  }

  private begin(): void {
    this.subject.reset();
    if (this.subject.domain !== this.domain) {
      this.domain = this.subject.domain;
      this.locks = this.makeLocks();
    }
    this.locks.clear();
    for (const task of this.tasks) task.restart();
    if (this.subject.lockdep !== false) {
      this.lockdep = new Lockdep(this.domain, this.current, (id) => this.tasks[id - 1]);
    }
    this.trace.count = 0;
    this.failure = undefined;
    this.last = -1;
    this.turn = 0;
    this.preemptions = 0;
    this.current.task = 0;
  }

  private loop(strategy: Strategy): ScheduleEnd {
    const { trace, settings, subject } = this;
    for (;;) {
      const late = this.survey();
      if (this.runnable === 0) return this.ended();
      if (trace.count >= settings.stepsPerSchedule) return this.fail(livelockFailure(this.tasks, trace.count));
      const slot = strategy.pick(this);
      if (slot === DROP) return 'dropped';
      this.step(this.tasks[slot] as SearchTask, late);
      if (subject.checkStep !== undefined) {
        const findings = subject.checkStep(slot + 1);
        if (findings.length > 0) return this.fail({ kind: 'invariant', name: '', message: findings.join('\n') });
      }
    }
  }

  /** Finds out who can go on. True if only those can that have used up their early wakes. */
  private survey(): boolean {
    let runnable = 0;
    let resting = 0;
    let late: SearchTask | undefined;
    for (const task of this.tasks) {
      const state = task.state;
      if (state === STATE.ready) runnable |= 1 << task.slot;
      else if (state === STATE.acquiring) {
        if (this.seesWaiters || !this.locks.isWriteHeld(task.lock as SearchLock)) runnable |= 1 << task.slot;
      } else if (state === STATE.resting) {
        if (task.earlyWakes < this.settings.earlyWakes) resting |= 1 << task.slot;
        else if (late === undefined || task.lastStep < late.lastStep) {
          if (late !== undefined) this.wakesWithheld = true;
          late = task;
        } else this.wakesWithheld = true;
      }
    }
    runnable |= resting;
    if (late === undefined || runnable !== 0) {
      if (late !== undefined) this.wakesWithheld = true;
      this.runnable = runnable;
      this.resting = resting;
      return false;
    }
    this.runnable = 1 << late.slot;
    this.resting = this.runnable;
    return true;
  }

  /** Makes a step of a task that is runnable. */
  private step(task: SearchTask, late: boolean): void {
    const { trace, current, subject } = this;
    trace.begin(task.slot, task.move, task.op);
    if (late) trace.late[trace.count] = 1;
    if (isPreemption(this, task.slot)) this.preemptions++;
    if (task.state === STATE.resting && (this.runnable & ~(1 << task.slot)) !== 0) task.earlyWakes++;
    current.task = task.id;
    current.cpu = task.cpu;
    current.nowNs = task.nowNs;
    subject.log?.begin();
    const input = this.perform(task);
    if (input !== BLOCKED) this.resume(task, input);
    this.harvest();
    task.lastStep = trace.count++;
    this.turn = this.last === task.slot ? this.turn + 1 : 1;
    this.last = task.slot;
    current.task = 0;
  }

  /** Does what the task asked for. Gives the answer to it, or BLOCKED. */
  private perform(task: SearchTask): number {
    switch (task.move) {
      case MOVE.start:
        task.generator = task.procedure();
        return 0;
      case OP.acquire:
        return this.acquire(task, task.lock as SearchLock);
      case OP.tryAcquire: {
        const lock = task.lock as SearchLock;
        this.touch(2 * lock.index, task.mode === READ ? ACCESS.tryRead : ACCESS.tryWrite);
        const taken = this.locks.tryTake(task, lock, task.mode);
        if (taken && lock.lockClass.kind === 'spin') task.spinDepth++;
        this.trace.result[this.trace.count] = taken ? 1 : 0;
        return taken ? 1 : 0;
      }
      case OP.release: {
        const lock = task.lock as SearchLock;
        const at = task.held.find(lock.ref, task.mode);
        if (at < 0) throw badRelease(this.domain, task, lock.ref, task.mode);
        this.touch(2 * lock.index, task.mode === READ ? ACCESS.releaseRead : ACCESS.releaseWrite);
        this.locks.release(task, lock, at);
        if (lock.lockClass.kind === 'spin') task.spinDepth--;
        return 0;
      }
      case MOVE.granted:
        this.touch(2 * (task.lock as SearchLock).index, task.mode === READ ? ACCESS.grantedRead : ACCESS.grantedWrite);
        return 1;
      default:
        return this.performOther(task);
    }
  }

  private performOther(task: SearchTask): number {
    switch (task.move) {
      case OP.preempt:
        return 0;
      case OP.sleep:
        this.pass(task);
        return 0;
      case OP.downgrade: {
        const lock = task.lock as SearchLock;
        const at = task.held.find(lock.ref, WRITE);
        if (at < 0) throw badRelease(this.domain, task, lock.ref, WRITE);
        if (lock.lockClass.kind === 'spin') throw this.misuse(task, 'downgrades a spinlock, which has no readers');
        this.touch(2 * lock.index, ACCESS.downgrade);
        this.locks.downgrade(task, lock, at);
        return 0;
      }
      case OP.wake:
        this.touch(2 * task.queue + 1, ACCESS.wakes);
        return this.wake(task);
      case MOVE.timeout:
        this.touch(2 * task.queue + 1, ACCESS.waits);
        this.trace.result[this.trace.count] = 0;
        this.pass(task);
        return 0;
      case MOVE.woken:
        // One that could have timed out instead depends on when it was woken; one that could not was enabled by that.
        if (task.restNs !== Number.POSITIVE_INFINITY) this.touch(2 * task.queue + 1, ACCESS.waits);
        else this.trace.enabledBy[this.trace.count] = task.wokenBy;
        return 1;
      default:
        throw this.misuse(task, `yielded ${String(task.op)}, which is no operation`);
    }
  }

  private acquire(task: SearchTask, lock: SearchLock): number {
    this.touch(2 * lock.index, task.mode === READ ? ACCESS.acquireRead : ACCESS.acquireWrite);
    if (lock.lockClass.kind === 'spin') task.spinDepth++;
    if (this.locks.tryTake(task, lock, task.mode)) return 1;
    this.trace.result[this.trace.count] = 0;
    task.state = STATE.queued;
    this.locks.enqueue(task, lock, task.mode);
    return BLOCKED;
  }

  private wake(waker: SearchTask): number {
    let woken = 0;
    for (const task of this.tasks) {
      if (task.queue !== waker.queue || task.move !== MOVE.timeout) continue;
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
    for (;;) {
      const made = generator.next(input);
      if (made.done === true) {
        task.state = STATE.done;
        this.lockdep?.atEnd(task);
        return;
      }
      const op = made.value;
      const code = opcodeOf(op);
      if (code === OP.spend) {
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

  /** The task has come to an operation: it is checked now and done when the task is picked. */
  private ask(task: SearchTask, op: Op, code: number): void {
    task.op = op;
    task.move = code;
    task.state = STATE.ready;
    switch (code) {
      case OP.acquire:
      case OP.tryAcquire:
      case OP.release:
      case OP.downgrade: {
        const lock = this.locks.of(lockOf(op));
        task.lock = lock;
        task.mode = modeOf(op);
        if (code === OP.acquire) this.askAcquire(task, lock, op);
        if (code <= OP.tryAcquire && task.mode === READ && lock.lockClass.kind === 'spin') {
          throw this.misuse(task, `takes ${this.domain.describe(lock.ref)} for READ, but a spinlock is for WRITE only`);
        }
        return;
      }
      case OP.sleep:
        this.lockdep?.beforeSleep(task, 'sleeps');
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
        this.touch(2 * task.queue + 1, ACCESS.waits);
        return;
      case OP.wake:
        task.queue = payloadOf(op);
        return;
      case OP.preempt:
        return;
      default:
        throw this.misuse(task, `yielded ${String(op)}, which is no operation`);
    }
  }

  private askAcquire(task: SearchTask, lock: SearchLock, op: Op): void {
    task.state = STATE.acquiring;
    if (task.held.count > 0) this.lockdep?.beforeAcquire(task, lock.lockClass, lock.ref, isNested(op));
    if (lock.lockClass.kind === 'vma' && task.mode === READ) {
      throw this.misuse(task, `waits for ${this.domain.describe(lock.ref)}: a reader of a vma lock only tries`);
    }
  }

  /** A sleep or a timeout is over. */
  private pass(task: SearchTask): void {
    task.nowNs += task.restNs;
    this.current.nowNs = task.nowNs;
  }

  /** Nobody can go on. */
  private ended(): ScheduleEnd {
    const stuck = this.tasks.filter(
      (task) => task.state !== STATE.done && !(task.state === STATE.waiting && task.mayWait),
    );
    if (stuck.length > 0) return this.fail(deadlockFailure(this.domain, this.tasks, stuck));
    const findings = this.subject.check?.() ?? NO_FINDINGS;
    if (findings.length > 0) return this.fail({ kind: 'invariant', name: '', message: findings.join('\n') });
    return 'done';
  }

  private fail(failure: FailureFound): ScheduleEnd {
    this.failure = failure;
    return 'failed';
  }

  private touch(sync: number, kind: number): void {
    const object = syncObject(sync);
    this.trace.access(object, accessOf(object, kind));
  }

  /** Enters the cells that the step has touched. */
  private harvest(): void {
    const { log } = this.subject;
    if (log === undefined) {
      this.trace.access(EVERYTHING, accessOf(EVERYTHING, ACCESS.cellWrite));
      return;
    }
    for (let at = 0; at < log.count; at++) {
      const cell = log.cells[at] as number;
      const object = cellObject(cell);
      this.trace.access(object, accessOf(object, log.wrote(cell) ? ACCESS.cellWrite : ACCESS.cellRead));
    }
  }

  private makeLocks(): SearchLocks {
    return new SearchLocks(this.domain, (task) => {
      task.state = STATE.ready;
      task.move = MOVE.granted;
    });
  }

  private misuse(task: SearchTask, text: string): OperationError {
    return new OperationError(`task ${task.id} '${task.name}' ${text}`);
  }
}
