/**
 * The sequential executor: every procedure of a machine on one thread, in virtual time.
 *
 * Time is counted in ns, one clock per simulated processor. The processor with the earliest event goes next; its task is
 * stepped on without a look at the others until it would pass the next event of anyone else. Within one instant a task
 * keeps its turn until time passes, it blocks or it comes to a preemption point. Same seed, same program: same run.
 *
 * Who runs is decided in scheduler.ts, who holds what in lock-table.ts, who may in lockdep/; performer.ts turns operations
 * into calls of those, stepper.ts steps a task until its turn is over. Here are the loop, the turns and how a run ends.
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
import { Lockdep } from '../lockdep/lockdep.js';
import type { SyncDomain } from '../locks.js';
import type { Procedure } from '../operations.js';
import { Clock } from './clock.js';
import type { Cpu, ProcessorUse } from './cpu.js';
import { deadlockOf, findCycle } from './deadlock.js';
import { Performer } from './performer.js';
import { Scheduler } from './scheduler.js';
import { joinObservers, type SequentialOptions, type SequentialSettings, settingsOf } from './settings.js';
import { Stepper } from './stepper.js';
import { SequentialTask } from './task.js';

const CHECK_STEPS = 4096;

/** Runs procedures in virtual time; see the head of this file. */
export class SequentialExecutor implements Executor {
  readonly domain: SyncDomain;
  readonly settings: SequentialSettings;
  /** Sums per lock class; undefined if the option `statistics` is false. */
  readonly statistics: LockStatistics | undefined;

  private readonly list: SequentialTask[] = [];
  private readonly clock: Clock;
  private readonly observer: ExecutorObserver | undefined;
  private readonly scheduler: Scheduler;
  private readonly perform: Performer;
  private readonly stepper: Stepper;

  private readonly lockdep: Lockdep | undefined;

  private running = false;
  private failure: TaskFailure | undefined = undefined;

  constructor(domain: SyncDomain, options: SequentialOptions = {}) {
    this.domain = domain;
    this.settings = settingsOf(options);
    this.clock = new Clock(this.settings.startNs);
    this.lockdep = this.settings.lockdep ? new Lockdep(domain, this.clock, (id) => this.list[id - 1]) : undefined;
    this.observer = joinObservers(this.settings.observers);
    this.statistics = this.settings.statistics ? new LockStatistics(domain) : undefined;
    this.scheduler = new Scheduler(this.settings, this.list);
    this.perform = new Performer(domain, this.settings, this.scheduler, {
      lockdep: this.lockdep,
      observer: this.observer,
      statistics: this.statistics,
    });
    this.stepper = new Stepper(this.clock, this.scheduler, this.perform, this.settings.lockOperationNs);
    this.clock.attach(this.stepper);
  }

  get current(): Readonly<Current> {
    return this.clock;
  }

  get tasks(): readonly Task[] {
    return this.list;
  }

  /** What each processor has done so far. Time that is neither busy nor switching was idle. */
  get processors(): readonly ProcessorUse[] {
    return this.scheduler.cpus;
  }

  /** Adds a task. RangeError if the nice value or the processor is out of range. */
  spawn(name: string, procedure: () => Procedure<unknown>, options: TaskOptions = {}): Task {
    const task = new SequentialTask(this.list.length + 1, name, procedure, options, this.settings.cpus);
    this.list.push(task);
    const nowNs = this.clock.nowNs;
    const startNs = options.startNs ?? nowNs;
    if (startNs > nowNs) {
      task.blockedOn = 'sleep';
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
    const first = this.stepper.steps;
    const unwatch = this.lockdep?.watch();
    try {
      const end = this.loop(limits, first + (limits.maxSteps ?? Number.POSITIVE_INFINITY));
      const outcome = { end, nowNs: this.clock.nowNs, steps: this.stepper.steps - first };
      return this.failure === undefined ? outcome : { ...outcome, failure: this.failure };
    } finally {
      unwatch?.();
      this.running = false;
      this.clock.task = 0;
    }
  }

  /**
   * For a procedure that looks ahead: until when nobody but its own task does anything that it has not caused, ns. The
   * limit of the present run counts too, for whoever drives it may do anything then.
   */
  get quietUntilNs(): number {
    const task = this.list[this.clock.task - 1];
    if (task === undefined) return this.clock.nowNs;
    return Math.min(this.stepper.untilNs, this.scheduler.quietUntilNs(task, this.clock.nowNs));
  }

  /**
   * For procedures and observers that know that a run may end: it asks `shouldStop` after the present operation (an
   * observer of one that a procedure had performed at once: after the next).
   */
  interrupt(): void {
    const { stepper } = this;
    stepper.stepLimit = Math.min(stepper.stepLimit, stepper.steps);
  }

  private loop(limits: RunLimits, maxSteps: number): RunEnd {
    const { scheduler, stepper } = this;
    const untilNs = limits.untilNs ?? Number.POSITIVE_INFINITY;
    stepper.untilNs = untilNs;
    stepper.stepLimit = Math.min(maxSteps, stepper.steps + CHECK_STEPS);
    let movedNs = this.clock.nowNs;
    let movedSteps = stepper.steps;
    for (;;) {
      if (stepper.steps >= stepper.stepLimit) {
        if (stepper.steps >= maxSteps) return 'steps';
        if (limits.shouldStop?.() === true) return 'stopped';
        stepper.stepLimit = Math.min(maxSteps, stepper.steps + CHECK_STEPS);
        if (this.clock.nowNs > movedNs) {
          movedNs = this.clock.nowNs;
          movedSteps = stepper.steps;
        } else if (stepper.steps - movedSteps >= this.settings.livelockSteps) {
          throw this.livelock(stepper.steps - movedSteps);
        }
      }
      if (stepper.cutShort !== undefined && stepper.cutShort.clockNs < untilNs) {
        this.resume(stepper.cutShort);
        if (this.failure !== undefined) return this.failed(this.failure);
        if (this.perform.suspect !== undefined) this.checkDeadlock(this.perform.suspect);
        continue;
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
      if (this.perform.suspect !== undefined) this.checkDeadlock(this.perform.suspect);
    }
  }

  /** The first timer has gone off. */
  private expire(nowNs: number): void {
    const task = this.list[this.scheduler.timers.shift() - 1] as SequentialTask;
    if (task.blockedOn === 'queue') this.perform.timeOut(task);
    this.scheduler.ready(task, nowNs);
  }

  /** A processor's event has come. */
  private turn(cpu: Cpu, nowNs: number): void {
    this.step(cpu, this.scheduler.enter(cpu, nowNs), nowNs);
  }

  /** Goes on with a turn that a limit cut short, as if there had been none. */
  private resume(cpu: Cpu): void {
    this.stepper.cutShort = undefined;
    this.scheduler.resume(cpu);
    this.step(cpu, cpu.task, cpu.clockNs);
  }

  private step(cpu: Cpu, task: SequentialTask | undefined, nowNs: number): void {
    if (task !== undefined) {
      this.clock.cpu = cpu.id;
      this.clock.task = task.id;
      try {
        const ended = this.stepper.run(cpu, task, task.generator ?? this.begin(task, nowNs));
        if (ended !== undefined) this.finish(cpu, task, ended.value);
      } catch (error) {
        this.fail(cpu, task, error);
      }
      this.clock.task = 0;
    }
    this.scheduler.leave(cpu);
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
    if (blocked.length > 0) throw deadlockOf(this.domain, this.list, this.perform.locks, blocked, [], this.clock.nowNs);
    return 'idle';
  }

  private checkDeadlock(task: SequentialTask): void {
    this.perform.suspect = undefined;
    const cycle = findCycle(this.list, this.perform.locks, task);
    if (cycle.length > 0) throw deadlockOf(this.domain, this.list, this.perform.locks, cycle, cycle, this.clock.nowNs);
  }

  private livelock(steps: number): LivelockError {
    const cpu = this.scheduler.cpus[this.clock.cpu] as Cpu;
    const task = cpu.lastTask as SequentialTask;
    return new LivelockError(task.id, task.name, this.clock.nowNs, steps);
  }
}
