/**
 * Steps one task: the inner loop of the executor. An operation that lets nobody else in, and that is nearly every one, is
 * performed at once, whether the task has yielded it or asks for it on the spot (`Current.atOnce`). What may end the turn is
 * performed at length: the task may wait, or the time may have come to another's event.
 */
import { OP, type Op, opcodeOf, type Procedure, payloadOf } from '../operations.js';
import type { Clock } from './clock.js';
import type { Cpu } from './cpu.js';
import type { Performer } from './performer.js';
import type { Scheduler } from './scheduler.js';
import type { SequentialTask } from './task.js';

export class Stepper {
  /** Operations so far. */
  steps = 0;
  /** The turn ends with the operation that makes it so many. */
  stepLimit = 0;
  /** No step begins at or after this time, ns. */
  untilNs = 0;
  /** A processor whose turn was cut short by the limit of steps. */
  cutShort: Cpu | undefined = undefined;

  private readonly clock: Clock;
  private readonly scheduler: Scheduler;
  private readonly perform: Performer;
  private readonly lockNs: number;
  /** Who is being stepped; no task in between. */
  private cpu: Cpu | undefined = undefined;
  private task: SequentialTask | undefined = undefined;
  /** Time of the next event of anyone else, ns; valid unless the scheduler says that something changed. */
  private limitNs = 0;

  constructor(clock: Clock, scheduler: Scheduler, perform: Performer, lockOperationNs: number) {
    this.clock = clock;
    this.scheduler = scheduler;
    this.perform = perform;
    this.lockNs = lockOperationNs;
  }

  /**
   * Steps the task until it blocks or ends, its time comes to another event, or a limit of the run is reached. Gives the
   * last result of its generator if it has ended.
   */
  run(cpu: Cpu, task: SequentialTask, generator: Procedure<unknown>): IteratorReturnResult<unknown> | undefined {
    this.scheduler.changed = true;
    this.cpu = cpu;
    this.task = task;
    try {
      let input = task.input;
      for (;;) {
        const made = generator.next(input);
        if (made.done === true) return made;
        const op = made.value;
        const answer = this.atOnce(op) ?? this.atLength(cpu, task, op);
        if (answer === undefined) return undefined;
        if (this.steps >= this.stepLimit) {
          this.cutShort = cpu;
          pause(cpu, task, this.clock.nowNs, this.clock.nowNs, answer);
          return undefined;
        }
        input = answer;
      }
    } finally {
      this.task = undefined;
    }
  }

  /**
   * Performs an operation of the task that is being stepped and gives its answer, if the task may go on behind it whatever
   * the others do. Otherwise undefined, and nothing has happened.
   */
  atOnce(op: Op): number | undefined {
    const { task, perform } = this;
    if (task === undefined || this.steps + 1 >= this.stepLimit) return undefined;
    const nowNs = this.clock.nowNs;
    let answer = 0;
    // Counted before it is performed: an operation that throws is one, too.
    this.steps++;
    switch (opcodeOf(op)) {
      case OP.spend: {
        const endNs = nowNs + payloadOf(op);
        if (endNs > nowNs && endNs >= this.limit()) return this.notAtOnce();
        this.clock.nowNs = endNs;
        break;
      }
      case OP.acquire:
        if (this.lockNs > 0 || !perform.acquireAtOnce(task, op, nowNs)) return this.notAtOnce();
        answer = 1;
        break;
      case OP.tryAcquire:
        if (this.lockNs > 0) return this.notAtOnce();
        answer = perform.tryAcquire(task, op, nowNs) ? 1 : 0;
        break;
      case OP.release:
        if (this.lockNs > 0) return this.notAtOnce();
        perform.release(this.cpu as Cpu, task, op, nowNs);
        break;
      case OP.preempt:
        if (nowNs >= this.limit()) return this.notAtOnce();
        perform.preempt(task, op);
        break;
      case OP.wake:
        answer = perform.wake(op, nowNs);
        break;
      case OP.now:
        answer = nowNs;
        break;
      default:
        return this.notAtOnce();
    }
    return answer;
  }

  private notAtOnce(): undefined {
    this.steps--;
    return undefined;
  }

  /** Performs any operation. Gives its answer if the task may go on behind it, undefined if its turn is over. */
  private atLength(cpu: Cpu, task: SequentialTask, op: Op): number | undefined {
    const { perform } = this;
    const { nowNs } = this.clock;
    const code = opcodeOf(op);
    let ns = this.lockNs;
    let answer = 0;
    this.steps++;
    switch (code) {
      case OP.spend:
        ns = payloadOf(op);
        break;
      case OP.acquire:
        if (!perform.acquire(cpu, task, op, nowNs)) return undefined;
        answer = 1;
        break;
      case OP.tryAcquire:
        answer = perform.tryAcquire(task, op, nowNs) ? 1 : 0;
        break;
      case OP.release:
        perform.release(cpu, task, op, nowNs);
        break;
      default:
        answer = perform.other(cpu, task, op, code, nowNs);
        if (answer < 0) return undefined;
        ns = 0;
    }
    const endNs = nowNs + ns;
    if ((ns === 0 && code !== OP.preempt) || endNs < this.limit()) {
      this.clock.nowNs = endNs;
      return answer;
    }
    if (code === OP.preempt) this.scheduler.giveUpTurn(cpu, nowNs);
    pause(cpu, task, nowNs, endNs, answer);
    return undefined;
  }

  private limit(): number {
    const { scheduler } = this;
    if (scheduler.changed) {
      scheduler.changed = false;
      const slice = scheduler.sliceLimit(this.cpu as Cpu, this.task as SequentialTask);
      this.limitNs = Math.min(scheduler.horizonNs, slice, this.untilNs);
    }
    return this.limitNs;
  }
}

/** The task keeps its processor and is stepped on later, with this input; until `endNs` it spends time. */
function pause(cpu: Cpu, task: SequentialTask, nowNs: number, endNs: number, input: number): void {
  cpu.advance(nowNs);
  cpu.spendEndNs = endNs;
  task.input = input;
}
