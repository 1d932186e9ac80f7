/**
 * The sequential executor: every procedure of a machine on one thread, in virtual time.
 *
 * Time is counted in ns, one clock per simulated processor. The processor with the earliest event goes next; its task is
 * stepped on without a look at the others until it would pass the next event of anyone else. Within one instant a task
 * keeps its turn until time passes, it blocks or it comes to a preemption point. Same seed, same program: same run.
 *
 * This file turns operations into calls of the scheduler (who runs), the lock table (who holds) and lockdep (who may).
 */
import { LivelockError, OperationError } from '../errors.js';
import type {
  Current,
  Executor,
  ExecutorObserver,
  RunEnd,
  RunLimits,
  RunOutcome,
  Task,
  TaskFailure,
  TaskOptions,
} from '../executor.js';
import { LockStatistics } from '../lock-statistics.js';
import { badRelease } from '../lockdep/errors.js';
import { Lockdep } from '../lockdep/lockdep.js';
import type { LockClass, SyncDomain } from '../locks.js';
import {
  isNested,
  type LockRef,
  lockOf,
  modeOf,
  OP,
  type Op,
  opcodeOf,
  type Procedure,
  payloadOf,
  queueOf,
  READ,
  timeoutOf,
  WRITE,
} from '../operations.js';
import type { Cpu } from './cpu.js';
import { deadlockOf, findCycle } from './deadlock.js';
import { LockTable } from './lock-table.js';
import { Scheduler } from './scheduler.js';
import { joinObservers, type SequentialOptions, type SequentialSettings, settingsOf } from './settings.js';
import { SequentialTask } from './task.js';
import { WaitQueues } from './wait-queues.js';

const CHECK_STEPS = 4096;

export class SequentialExecutor implements Executor {
  readonly domain: SyncDomain;
  readonly settings: SequentialSettings;
  /** Sums per lock class; undefined if the option `statistics` is false. */
  readonly statistics: LockStatistics | undefined;

  private readonly list: SequentialTask[] = [];
  private readonly clock: Current;
  private readonly observer: ExecutorObserver | undefined;
  private readonly scheduler: Scheduler;
  private readonly locks: LockTable;
  private readonly queues: WaitQueues;

  private readonly lockdep: Lockdep | undefined;

  private running = false;
  private steps = 0;
  private stepLimit = 0;
  private untilNs = 0;
  private failure: TaskFailure | undefined = undefined;
  /** A task that began to wait for a lock while others wait for one of its own: a deadlock, perhaps. */
  private suspect: SequentialTask | undefined = undefined;

  constructor(domain: SyncDomain, options: SequentialOptions = {}) {
    this.domain = domain;
    this.settings = settingsOf(options);
    this.clock = { nowNs: this.settings.startNs, cpu: 0, task: 0 };
    this.lockdep = this.settings.lockdep ? new Lockdep(domain, this.clock, (id) => this.list[id - 1]) : undefined;
    this.observer = joinObservers(this.settings.observers);
    this.statistics = this.settings.statistics ? new LockStatistics(domain) : undefined;
    this.scheduler = new Scheduler(this.settings, this.list);
    this.queues = new WaitQueues(domain);
    this.locks = new LockTable(this.observer, this.statistics, (task, lockClass, nowNs) =>
      this.granted(task, lockClass, nowNs),
    );
  }

  get current(): Readonly<Current> {
    return this.clock;
  }

  get tasks(): readonly Task[] {
    return this.list;
  }

  /** Adds a task. RangeError if the nice value or the processor is out of range. */
  spawn(name: string, procedure: () => Procedure<unknown>, options: TaskOptions = {}): Task {
    const task = new SequentialTask(this.list.length + 1, name, procedure, options, this.settings.cpus);
    this.list.push(task);
    const nowNs = this.clock.nowNs;
    const startNs = options.startNs ?? nowNs;
    if (startNs > nowNs) {
      task.blockedNs = nowNs;
      this.scheduler.arm(task, startNs);
    } else {
      this.scheduler.ready(task, nowNs);
    }
    return task;
  }

  /**
   * Runs until a limit, until nothing is left to do, or until a procedure throws. Can be called again to go on. Throws
   * DeadlockError where tasks wait for locks for ever and LivelockError where time stands still.
   */
  run(limits: RunLimits = {}): RunOutcome {
    if (this.running) throw new OperationError('run was called inside of a run');
    this.running = true;
    this.failure = undefined;
    const first = this.steps;
    const unwatch = this.lockdep?.watch();
    try {
      const end = this.loop(limits, first + (limits.maxSteps ?? Number.POSITIVE_INFINITY));
      const outcome = { end, nowNs: this.clock.nowNs, steps: this.steps - first };
      return this.failure === undefined ? outcome : { ...outcome, failure: this.failure };
    } finally {
      unwatch?.();
      this.running = false;
      this.clock.task = 0;
    }
  }

  private loop(limits: RunLimits, maxSteps: number): RunEnd {
    const { scheduler } = this;
    const untilNs = limits.untilNs ?? Number.POSITIVE_INFINITY;
    this.untilNs = untilNs;
    this.stepLimit = Math.min(maxSteps, this.steps + CHECK_STEPS);
    let movedNs = this.clock.nowNs;
    let movedSteps = this.steps;
    for (;;) {
      if (this.steps >= this.stepLimit) {
        if (this.steps >= maxSteps) return 'steps';
        if (limits.shouldStop?.() === true) return 'stopped';
        this.stepLimit = Math.min(maxSteps, this.steps + CHECK_STEPS);
        if (this.clock.nowNs > movedNs) {
          movedNs = this.clock.nowNs;
          movedSteps = this.steps;
        } else if (this.steps - movedSteps >= this.settings.livelockSteps) {
          throw this.livelock(this.steps - movedSteps);
        }
      }
      const nextNs = scheduler.nextNs;
      if (nextNs === Number.POSITIVE_INFINITY) return this.idle();
      if (nextNs >= untilNs) {
        this.clock.nowNs = Math.max(this.clock.nowNs, untilNs);
        return 'time';
      }
      this.clock.nowNs = nextNs;
      if (scheduler.timers.firstTime <= nextNs) this.expire(nextNs);
      else this.turn(scheduler.cpus[scheduler.events.first] as Cpu, nextNs);
      if (this.failure !== undefined) return this.failed(this.failure);
      if (this.suspect !== undefined) this.checkDeadlock(this.suspect);
    }
  }

  /** The first timer has gone off. */
  private expire(nowNs: number): void {
    const task = this.list[this.scheduler.timers.shift() - 1] as SequentialTask;
    if (task.blockedOn === 'queue') {
      this.queues.remove(task);
      task.input = 0;
    }
    this.scheduler.ready(task, nowNs);
  }

  /** A processor's event has come. */
  private turn(cpu: Cpu, nowNs: number): void {
    const task = this.scheduler.enter(cpu, nowNs);
    if (task !== undefined) {
      this.clock.cpu = cpu.id;
      this.clock.task = task.id;
      try {
        this.stepOn(cpu, task, nowNs);
      } catch (error) {
        this.fail(cpu, task, error);
      }
      this.clock.task = 0;
    }
    this.scheduler.leave(cpu);
  }

  /** Steps a task until it blocks or ends, its time comes to another event, or a limit of the run is reached. */
  private stepOn(cpu: Cpu, task: SequentialTask, startNs: number): void {
    const { scheduler, clock } = this;
    const lockNs = this.settings.lockOperationNs;
    const generator = task.generator ?? this.begin(task, startNs);
    let nowNs = startNs;
    let limitNs = 0;
    let input = task.input;
    scheduler.changed = true;
    for (;;) {
      const made = generator.next(input);
      if (made.done === true) {
        this.finish(cpu, task, made.value);
        return;
      }
      const op = made.value;
      const code = opcodeOf(op);
      this.steps++;
      let ns = lockNs;
      switch (code) {
        case OP.spend:
          ns = payloadOf(op);
          input = 0;
          break;
        case OP.acquire:
          if (!this.acquire(cpu, task, op, nowNs)) return;
          input = 1;
          break;
        case OP.tryAcquire:
          input = this.tryAcquire(task, op, nowNs) ? 1 : 0;
          break;
        case OP.release:
          this.release(cpu, task, op, nowNs);
          input = 0;
          break;
        default:
          input = this.other(cpu, task, op, code, nowNs);
          if (input < 0) return;
          ns = 0;
      }
      if (ns === 0 && code !== OP.preempt && this.steps < this.stepLimit) continue;
      if (scheduler.changed) {
        scheduler.changed = false;
        limitNs = Math.min(scheduler.horizonNs, scheduler.sliceLimit(cpu, task), this.untilNs);
      }
      const endNs = nowNs + ns;
      if (endNs >= limitNs || this.steps >= this.stepLimit) {
        cpu.advance(nowNs);
        cpu.spendEndNs = endNs;
        task.input = input;
        return;
      }
      nowNs = endNs;
      clock.nowNs = endNs;
    }
  }

  private acquire(cpu: Cpu, task: SequentialTask, op: Op, nowNs: number): boolean {
    const lock = lockOf(op);
    const mode = modeOf(op);
    const lockClass = this.classOf(lock);
    if (task.held.count > 0) this.lockdep?.beforeAcquire(task, lockClass, lock, isNested(op));
    if (lockClass.kind === 'spin') this.enterSpin(task, mode, lock);
    if (this.locks.tryTake(task, lockClass, lock, mode, nowNs)) return true;
    if (lockClass.kind === 'vma' && mode === READ) {
      throw new OperationError(`${this.domain.describe(lock)}: a reader of a vma lock only tries, it never waits`);
    }
    if (lockClass.kind === 'spin') this.scheduler.spin(cpu, task, nowNs);
    else this.scheduler.block(cpu, task, 'lock', nowNs);
    this.locks.queue(task, lockClass, lock, mode, nowNs);
    if (this.locks.isWaitedFor(task)) this.suspect = task;
    return false;
  }

  private tryAcquire(task: SequentialTask, op: Op, nowNs: number): boolean {
    const lock = lockOf(op);
    const mode = modeOf(op);
    const lockClass = this.classOf(lock);
    if (!this.locks.tryTake(task, lockClass, lock, mode, nowNs)) return false;
    if (lockClass.kind === 'spin') this.enterSpin(task, mode, lock);
    return true;
  }

  private release(cpu: Cpu, task: SequentialTask, op: Op, nowNs: number): void {
    const lock = lockOf(op);
    const lockClass = this.classOf(lock);
    const mode = modeOf(op);
    const at = task.held.find(lock, mode);
    if (at < 0) throw badRelease(this.domain, task, lock, mode);
    this.locks.release(task, lockClass, at, cpu.id, nowNs);
    if (lockClass.kind === 'spin') {
      task.spinDepth--;
      this.scheduler.changed = true;
    }
  }

  /** The operations that need no speed. Gives the answer, or -1 if the task is off its processor. */
  private other(cpu: Cpu, task: SequentialTask, op: Op, code: number, nowNs: number): number {
    switch (code) {
      case OP.preempt:
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

  private wake(op: Op, nowNs: number): number {
    const woken = this.queues.clear(payloadOf(op) as ReturnType<typeof queueOf>);
    for (const task of woken) {
      this.scheduler.disarm(task);
      this.scheduler.ready(task, nowNs);
    }
    return woken.length;
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

  private enterSpin(task: SequentialTask, mode: number, lock: LockRef): void {
    if (mode === READ) throw new OperationError(`${this.domain.describe(lock)}: a spinlock is taken for WRITE only`);
    task.spinDepth++;
  }

  private classOf(lock: LockRef): LockClass {
    const found = this.domain.classOf(lock);
    if (found === undefined) throw new OperationError(`lock ${lock} is of no declared class`);
    return found;
  }

  private begin(task: SequentialTask, nowNs: number): Procedure<unknown> {
    const generator = task.procedure();
    task.generator = generator;
    this.observer?.taskStarted?.(task.id, task.name, nowNs);
    return generator;
  }

  private finish(cpu: Cpu, task: SequentialTask, result: unknown): void {
    const nowNs = this.clock.nowNs;
    this.lockdep?.atEnd(task);
    this.scheduler.block(cpu, task, 'none', nowNs);
    task.state = 'done';
    task.result = result;
    task.generator = undefined;
    this.observer?.taskEnded?.(task.id, nowNs);
  }

  private fail(cpu: Cpu, task: SequentialTask, error: unknown): void {
    const nowNs = this.clock.nowNs;
    this.scheduler.block(cpu, task, 'none', nowNs);
    task.state = 'failed';
    task.error = error;
    task.generator = undefined;
    this.failure = { task, error, held: task.held.report((lock) => this.domain.describe(lock)) };
    this.observer?.taskEnded?.(task.id, nowNs);
  }

  private failed(failure: TaskFailure): RunEnd {
    if (this.settings.rethrow) throw failure.error;
    return 'failed';
  }

  private idle(): RunEnd {
    const blocked = this.list.filter((task) => task.state === 'blocked' && task.blockedOn === 'lock');
    if (blocked.length > 0) throw deadlockOf(this.domain, this.list, this.locks, blocked, [], this.clock.nowNs);
    return 'idle';
  }

  private checkDeadlock(task: SequentialTask): void {
    this.suspect = undefined;
    const cycle = findCycle(this.list, this.locks, task);
    if (cycle.length > 0) throw deadlockOf(this.domain, this.list, this.locks, cycle, cycle, this.clock.nowNs);
  }

  private livelock(steps: number): LivelockError {
    const cpu = this.scheduler.cpus[this.clock.cpu] as Cpu;
    const task = cpu.lastTask as SequentialTask;
    return new LivelockError(task.id, task.name, this.clock.nowNs, steps);
  }
}
