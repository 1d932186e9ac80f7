/**
 * What decides who runs next. One strategy per file; the executor knows none of them.
 *
 * Tasks are slots here: 0 for the first actor. Sets of tasks are masks with bit `slot`.
 */
import type { ScheduleTrace } from './trace.js';

/** What a strategy sees when it is asked. */
export interface ScheduleView {
  /** Number of tasks. */
  readonly taskCount: number;
  /** Tasks that can make a step; never 0 in `pick`. */
  readonly runnable: number;
  /** Those of them that sleep or wait with a timeout: leaving one is no pre-emption, and whoever polls is one of them. */
  readonly resting: number;
  /** The task that made the last step, -1 at the start. */
  readonly last: number;
  /** Steps it has made in a row. */
  readonly turn: number;
  /** All steps so far. */
  readonly trace: ScheduleTrace;
  /** True if an acquire of a lock that is held for WRITE is a step (`ExploreCase.seesWaiters`). */
  readonly seesWaiters: boolean;
  /** The access that a task would make to a lock it waits for, -1 if it waits for none. */
  waitsFor(slot: number): number;
}

/** How a schedule ended. `dropped`: the strategy saw that it leads to nothing new. */
export type ScheduleEnd = 'done' | 'failed' | 'dropped';

/** What a search that came to its end has covered. */
export type Coverage =
  | { readonly kind: 'exhaustive' }
  | { readonly kind: 'preemption-bounded'; readonly bound: number }
  | { readonly kind: 'sampled'; readonly schedules: number };

/** Instead of a task: end this schedule, it leads to nothing new. */
export const DROP = -1;

export interface Strategy {
  readonly name: string;
  /** What was covered so far, if the search ended now of itself. */
  readonly coverage: Coverage;
  /** A new schedule begins. False: there is nothing left to try. */
  newSchedule(): boolean;
  /** The task that makes the next step, out of `view.runnable`; or `DROP`. */
  pick(view: ScheduleView): number;
  /** The schedule has ended. */
  finished(view: ScheduleView, end: ScheduleEnd): void;
}

/** After that many steps in a row others get a turn, without it counting as a pre-emption: schedules must be fair. */
export const FAIR_TURN = 256;

/** True if giving the next step to `slot` takes the processor from a task that could go on. */
export function isPreemption(view: ScheduleView, slot: number): boolean {
  if (slot === view.last || view.last < 0 || view.turn >= FAIR_TURN) return false;
  const last = 1 << view.last;
  return (view.runnable & last) !== 0 && (view.resting & last) === 0;
}

/** Who goes on if nothing asks for a switch: the same task, until it rests or its turn is over; then the next in order. */
export function plainChoice(view: ScheduleView, among: number): number {
  const active = among & ~view.resting;
  const candidates = active !== 0 ? active : among;
  if (view.last >= 0 && (candidates & (1 << view.last)) !== 0 && active !== 0 && view.turn < FAIR_TURN)
    return view.last;
  return nextSlot(candidates, view.last, view.taskCount);
}

/** The first task of a set after `last`, going round. */
export function nextSlot(set: number, last: number, taskCount: number): number {
  for (let step = 1; step <= taskCount; step++) {
    const slot = (last + step) % taskCount;
    if ((set & (1 << slot)) !== 0) return slot;
  }
  return last;
}
