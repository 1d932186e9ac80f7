/**
 * Dynamic partial-order reduction: source sets with sleep sets (Abdulla, Aronis, Jonsson and Sagonas, 2014, with their
 * treatment of locks).
 *
 * For a race, one task is wanted that can begin a schedule in which the later step comes first, unless such a one is wanted
 * or asleep already. A task explored at a choice sleeps in the branches beside it until a step depends on its next one.
 */
import { accessRelations } from './accesses.js';
import { HappensBefore, type RaceListener } from './happens-before.js';
import type { Reducer } from './reducer.js';
import type { SearchStack } from './search-stack.js';
import { SleepSets } from './sleep-sets.js';
import type { ScheduleEnd, ScheduleView } from './strategy.js';
import type { ScheduleTrace } from './trace.js';

export class Reduction implements Reducer {
  private readonly stack: SearchStack;
  private readonly view: ScheduleView;
  private readonly order: HappensBefore;
  private readonly sleep: SleepSets;
  private readonly onRace: RaceListener;
  /** By slot: the first step of a task in the sequence that `initials` looks at. */
  private readonly first: Int32Array;
  /** Steps of the schedule that have been looked at. */
  private known = 0;

  constructor(stack: SearchStack, view: ScheduleView) {
    const relations = accessRelations(view.seesWaiters);
    this.stack = stack;
    this.view = view;
    this.order = new HappensBefore(view.taskCount, relations);
    this.sleep = new SleepSets(stack, view.taskCount, relations);
    this.first = new Int32Array(view.taskCount);
    this.onRace = (earlier, later, slot) => this.wantInitial(earlier, later, slot);
  }

  follow(): void {
    const { trace } = this.view;
    while (this.known < trace.count) this.order.add(trace, this.known++, this.onRace);
  }

  sleepers(at: number): number {
    return this.sleep.inherit(at, this.view.trace);
  }

  /** Looks also at what tasks wait for that nobody gives back. */
  ended(end: ScheduleEnd): void {
    this.follow();
    if (end === 'dropped') return;
    for (let slot = 0; slot < this.view.taskCount; slot++) {
      const access = this.view.waitsFor(slot);
      if (access >= 0) this.order.addPending(this.view.trace, slot, access, this.onRace);
    }
  }

  explored(at: number): void {
    this.sleep.explored(at, this.view.trace);
  }

  restart(at: number): void {
    this.known = at;
  }

  private get trace(): ScheduleTrace {
    return this.view.trace;
  }

  private wantInitial(earlier: number, later: number, slot: number): void {
    const { stack } = this;
    const initials = this.initials(earlier, later, slot);
    if ((initials & ((stack.wanted[earlier] as number) | (stack.asleep[earlier] as number))) !== 0) return;
    const possible = initials & (stack.runnable[earlier] as number);
    if (possible === 0) stack.want(earlier, stack.runnable[earlier] as number);
    else stack.want(earlier, (possible & (1 << slot)) !== 0 ? 1 << slot : possible & -possible);
  }

  /**
   * The tasks that can begin a schedule which, from the choice at `earlier` on, makes all steps that do not come after
   * `earlier` anyway, and then the step at `later`.
   */
  private initials(earlier: number, later: number, laterSlot: number): number {
    const { first, order } = this;
    const raced = this.trace.task[earlier] as number;
    let initials = 0;
    let seen = 0;
    for (let step = earlier + 1; step <= later; step++) {
      const slot = step === later ? laterSlot : (this.trace.task[step] as number);
      if ((seen & (1 << slot)) !== 0) continue;
      if (step < later && order.clock(step, raced) > earlier) continue;
      if (!this.followsAny(step, seen)) initials |= 1 << slot;
      seen |= 1 << slot;
      first[slot] = step;
    }
    return initials;
  }

  /** True if the step comes after the first one of any of these tasks. */
  private followsAny(step: number, tasks: number): boolean {
    for (let slot = 0; slot < this.first.length; slot++) {
      if ((tasks & (1 << slot)) !== 0 && this.order.clock(step, slot) > (this.first[slot] as number)) return true;
    }
    return false;
  }
}
