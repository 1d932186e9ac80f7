/**
 * Partial-order reduction for a search with a bound on pre-emptions.
 *
 * A bound and reordering do not go together: the order that reduction keeps may need more pre-emptions than the one it
 * leaves out. So only this is left out: a pre-emption that could as well come later. If a task T is pre-empted before a
 * step e, and nothing that others do until T goes on depends on e, then T can make the step first and be pre-empted after
 * it, with the same outcome and no more pre-emptions. Hence a pre-emption is tried only before a step that some later step
 * of another task depends on, in a schedule that has been seen; there, every task is tried. A switch that costs nothing
 * (the task waits, rests or has ended) is tried to every task.
 */
import { accessRelations } from './accesses.js';
import { Dependence, RELATION } from './dependence.js';
import type { Reducer } from './reducer.js';
import type { SearchStack } from './search-stack.js';
import type { ScheduleEnd, ScheduleView } from './strategy.js';

export class BoundedReduction implements Reducer {
  private readonly stack: SearchStack;
  private readonly view: ScheduleView;
  private readonly dependence: Dependence;
  private known = 0;

  constructor(stack: SearchStack, view: ScheduleView) {
    this.stack = stack;
    this.view = view;
    this.dependence = new Dependence(accessRelations(view.seesWaiters));
  }

  follow(): void {
    const { trace } = this.view;
    for (; this.known < trace.count; this.known++) {
      this.dependence.enterStep(trace, this.known);
      this.wantBefore(this.known, trace.task[this.known] as number);
    }
  }

  sleepers(_at: number): number {
    return 0;
  }

  ended(_end: ScheduleEnd): void {
    this.follow();
    for (let slot = 0; slot < this.view.taskCount; slot++) {
      const access = this.view.waitsFor(slot);
      if (access < 0) continue;
      this.dependence.enterAccess(access);
      this.wantBefore(this.view.trace.count, slot);
    }
  }

  explored(_at: number): void {}

  restart(at: number): void {
    this.known = at;
  }

  /** Wants every task explored before the steps of other tasks that the entered one depends on. */
  private wantBefore(later: number, slot: number): void {
    const { stack, dependence } = this;
    const { trace } = this.view;
    for (let step = later - 1; step >= 0; step--) {
      if (trace.task[step] === slot || stack.wanted[step] === stack.runnable[step]) continue;
      if (dependence.relationTo(trace, step) !== RELATION.independent) stack.want(step, stack.runnable[step] as number);
    }
  }
}
