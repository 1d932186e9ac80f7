/**
 * The explore executor: runs one schedule of a case from the start to its end, asking a strategy before every step who
 * makes it.
 *
 * A step is one operation and the code behind it up to the task's next operation. `spend` and `now` are no operations
 * here (unless a task does nothing else for long: then it polls). Time is a number that a task carries along. A task that
 * sleeps or waits with a timeout can go on at any moment, within the bound of `ExploreLimits.earlyWakes`. Procedures cannot
 * be copied, so every schedule starts over: all objects here are used again, and a step allocates nothing.
 */
import type { Current } from '../executor.js';
import { READ } from '../operations.js';
import { ACCESS, accessOf, cellObject, EVERYTHING, lockObject } from './accesses.js';
import { BitLockLog } from './bit-lock-log.js';
import { type ExploreCase, type ExploreSettings, MAX_ACTORS } from './case.js';
import { CaseSteps } from './case-steps.js';
import { deadlockFailure, type FailureFound, failureOf, livelockFailure } from './failure.js';
import { recordAtomics } from './recorded-atomics.js';
import type { SearchLock } from './search-locks.js';
import { SearchTask, STATE } from './search-task.js';
import { DROP, isPreemption, type ScheduleEnd, type ScheduleView, type Strategy } from './strategy.js';
import { ScheduleTrace } from './trace.js';

/** Steps of others after which a sleep or a timeout ends in any case: others that never rest must not hold it up. */
const FAIR_REST = 1024;
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

  private readonly subject: ExploreCase;
  private readonly settings: ExploreSettings;
  private readonly current: Current;
  private readonly bitLocks: BitLockLog;
  private steps: CaseSteps;
  /** Runnable tasks, and those that are not only because of `earlyWakes`. */
  private possible = 0;

  constructor(subject: ExploreCase, settings: ExploreSettings) {
    const count = subject.actors.length;
    if (count < 1 || count > MAX_ACTORS) {
      throw new RangeError(`case '${subject.name}' has ${count} actors: must be 1 to ${MAX_ACTORS}`);
    }
    this.subject = subject;
    this.settings = settings;
    this.tasks = subject.actors.map((actor, slot) => new SearchTask(slot, actor));
    this.taskCount = count;
    this.seesWaiters = subject.seesWaiters ?? false;
    this.current = subject.current ?? { nowNs: 0, cpu: 0, task: 0 };
    this.bitLocks = new BitLockLog(this.trace, this.current);
    this.steps = new CaseSteps(subject.domain, this.tasks, this.trace, this.current);
  }

  /** Runs one schedule. */
  run(strategy: Strategy): ScheduleEnd {
    this.begin();
    const logged = this.subject.log !== undefined;
    this.bitLocks.watch(this.steps.domain, this.steps.lockdep, logged);
    const unrecord = logged ? recordAtomics() : undefined;
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
      unrecord?.();
      this.bitLocks.unwatch();
      this.current.task = 0;
    }
    strategy.finished(this, end);
    return end;
  }

  waitsFor(slot: number): number {
    const task = this.tasks[slot] as SearchTask;
    if (task.state !== STATE.acquiring) return -1;
    const object = lockObject((task.lock as SearchLock).index);
    return accessOf(object, task.mode === READ ? ACCESS.acquireRead : ACCESS.acquireWrite);
  }

  private begin(): void {
    const { subject } = this;
    this.current.task = 0;
    subject.log?.end();
    subject.reset();
    if (subject.domain !== this.steps.domain) {
      this.steps = new CaseSteps(subject.domain, this.tasks, this.trace, this.current);
    }
    for (const task of this.tasks) task.restart();
    this.steps.restart(subject.lockdep ?? true);
    this.trace.count = 0;
    this.failure = undefined;
    this.last = -1;
    this.turn = 0;
    this.preemptions = 0;
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

  /** Finds out who can go on. True if only one can that has used up its early wakes. */
  private survey(): boolean {
    let runnable = 0;
    let resting = 0;
    let withheld = 0;
    let late: SearchTask | undefined;
    for (const task of this.tasks) {
      const bit = 1 << task.slot;
      if (task.state === STATE.ready) runnable |= bit;
      else if (task.state === STATE.acquiring) {
        if (this.seesWaiters || !this.steps.locks.isWriteHeld(task.lock as SearchLock)) runnable |= bit;
      } else if (task.state === STATE.resting) {
        if (task.earlyWakes < this.settings.earlyWakes || this.trace.count - task.lastStep > FAIR_REST) {
          resting |= bit;
        } else {
          withheld |= bit;
          if (late === undefined || task.lastStep < late.lastStep) late = task;
        }
      }
    }
    runnable |= resting;
    const onlyLate = runnable === 0 && late !== undefined;
    if (onlyLate) {
      // Of those that only wait for time to pass, the one whose last step is longest ago.
      runnable = 1 << (late as SearchTask).slot;
      resting = runnable;
    }
    this.possible = runnable | withheld;
    if (this.possible !== runnable) this.wakesWithheld = true;
    this.runnable = runnable;
    this.resting = resting;
    return onlyLate;
  }

  /** Makes a step of a task that is runnable. */
  private step(task: SearchTask, late: boolean): void {
    const { trace, current, subject } = this;
    trace.begin(task.slot, task.move, task.op);
    if (late) trace.late[trace.count] = 1;
    if (isPreemption(this, task.slot)) this.preemptions++;
    if (task.state === STATE.resting && (this.possible & ~(1 << task.slot)) !== 0) task.earlyWakes++;
    current.task = task.id;
    current.cpu = task.cpu;
    current.nowNs = task.nowNs;
    subject.log?.begin(task.held);
    this.steps.step(task);
    subject.log?.checkGuards();
    this.harvest();
    task.lastStep = trace.count++;
    this.turn = this.last === task.slot ? this.turn + 1 : 1;
    this.last = task.slot;
    current.task = 0;
  }

  /** Nobody can go on. */
  private ended(): ScheduleEnd {
    const stuck = this.tasks.filter(
      (task) => task.state !== STATE.done && !(task.state === STATE.waiting && task.mayWait),
    );
    if (stuck.length > 0) return this.fail(deadlockFailure(this.steps.domain, this.tasks, stuck));
    const findings = this.subject.check?.() ?? NO_FINDINGS;
    if (findings.length > 0) return this.fail({ kind: 'invariant', name: '', message: findings.join('\n') });
    return 'done';
  }

  private fail(failure: FailureFound): ScheduleEnd {
    this.failure = failure;
    return 'failed';
  }

  /** Enters the cells that the step has touched. */
  private harvest(): void {
    const { log } = this.subject;
    if (log === undefined) {
      this.trace.access(EVERYTHING, accessOf(EVERYTHING, ACCESS.cellWrite));
      return;
    }
    log.settle();
    for (let at = 0; at < log.count; at++) {
      const cell = log.cells[at] as number;
      const object = cellObject(cell);
      this.trace.access(object, accessOf(object, log.wrote(cell) ? ACCESS.cellWrite : ACCESS.cellRead));
    }
    log.end();
  }
}
