/**
 * Depth-first search of all schedules, or of all with at most so many pre-emptions.
 *
 * Without reduction every runnable task is tried at every step. With it (the default) a task is tried where it can make a
 * difference: a reducer looks at each schedule for steps that depend on each other, and wants tasks explored at the choice
 * before the earlier one.
 */
import { BoundedReduction } from './bounded-reduction.js';
import { ScheduleDivergedError } from './errors.js';
import type { Reducer } from './reducer.js';
import { Reduction } from './reduction.js';
import { SearchStack } from './search-stack.js';
import {
  type Coverage,
  DROP,
  isPreemption,
  nextSlot,
  plainChoice,
  type ScheduleEnd,
  type ScheduleView,
  type Strategy,
} from './strategy.js';

/** Options of a depth-first search. */
export interface DepthFirstOptions {
  /** Most pre-emptions of a schedule, default unbounded. */
  readonly preemptions?: number;
  /** Leave out schedules that differ only in the order of steps that commute; default true. Not done with `seesWaiters`. */
  readonly reduction?: boolean;
}

export class DepthFirst implements Strategy {
  readonly name = 'dfs';
  private readonly bound: number;
  private readonly stack: SearchStack = new SearchStack();
  private readonly reduces: boolean;
  private reduction: Reducer | undefined = undefined;
  private started = false;
  /** True once a choice was left out because of the bound. */
  private cut = false;

  constructor(options: DepthFirstOptions = {}) {
    this.bound = options.preemptions ?? Number.POSITIVE_INFINITY;
    if (!(this.bound >= 0)) throw new RangeError(`preemptions is ${this.bound}: must be at least 0`);
    this.reduces = options.reduction ?? true;
  }

  get coverage(): Coverage {
    return this.cut ? { kind: 'preemption-bounded', bound: this.bound } : { kind: 'exhaustive' };
  }

  newSchedule(): boolean {
    const { stack, reduction } = this;
    if (!this.started) {
      this.started = true;
      return true;
    }
    for (; stack.depth > 0; stack.depth--) {
      const at = stack.depth - 1;
      const chosen = stack.chosen[at] as number;
      stack.done[at] = (stack.done[at] as number) | (1 << chosen);
      reduction?.explored(at);
      const left = (stack.wanted[at] as number) & ~(stack.done[at] as number) & ~(stack.asleep[at] as number);
      const next = this.affordable(at, left);
      if (next === 0) continue;
      stack.chosen[at] = nextSlot(next, chosen, 32);
      reduction?.restart(at);
      return true;
    }
    return false;
  }

  pick(view: ScheduleView): number {
    const { stack } = this;
    const step = view.trace.count;
    if (step < stack.depth) {
      if (stack.runnable[step] !== view.runnable) throw this.diverged(step);
      return stack.chosen[step] as number;
    }
    return this.extend(view, step);
  }

  finished(view: ScheduleView, end: ScheduleEnd): void {
    if (view.trace.count < this.stack.depth) throw this.diverged(view.trace.count);
    this.reduction?.ended(end);
  }

  /** Makes the choice behind those that are given. */
  private extend(view: ScheduleView, step: number): number {
    const { stack } = this;
    const { runnable } = view;
    // Where waiters are seen, the reduction would leave out states: see the README of this folder.
    if (this.reduces && !view.seesWaiters) this.reduction ??= this.reducer(view);
    const { reduction } = this;
    reduction?.follow();
    const asleep = reduction?.sleepers(step) ?? 0;
    const awake = runnable & ~asleep;
    if (awake === 0) return DROP;
    const chosen = plainChoice(view, awake);
    const before = step === 0 ? 0 : stack.preemptionsAfter(step - 1);
    const free = freeChoices(view);
    stack.push(runnable, free, before, chosen);
    stack.asleep[step] = asleep;
    if (reduction === undefined || (this.bounded && free === runnable)) stack.wanted[step] = runnable;
    return chosen;
  }

  private get bounded(): boolean {
    return this.bound !== Number.POSITIVE_INFINITY;
  }

  private reducer(view: ScheduleView): Reducer {
    return this.bounded ? new BoundedReduction(this.stack, view) : new Reduction(this.stack, view);
  }

  /** Those of a set of tasks that the bound allows. */
  private affordable(at: number, tasks: number): number {
    if ((this.stack.preemptions[at] as number) < this.bound) return tasks;
    const free = tasks & (this.stack.free[at] as number);
    if (free !== tasks) this.cut = true;
    return free;
  }

  private diverged(step: number): ScheduleDivergedError {
    return new ScheduleDivergedError(
      step + 1,
      'the case does not start the same each time, or it uses chance or a clock',
    );
  }
}

function freeChoices(view: ScheduleView): number {
  const other = nextSlot(view.runnable & ~(1 << Math.max(0, view.last)), view.last, view.taskCount);
  return isPreemption(view, other) ? 1 << view.last : view.runnable;
}
