/** One schedule in which the tasks take turns of equal length. */
import { type Coverage, nextSlot, type ScheduleEnd, type ScheduleView, type Strategy } from './strategy.js';

export class RoundRobin implements Strategy {
  readonly name = 'round-robin';
  readonly coverage: Coverage = { kind: 'sampled', schedules: 1 };
  private readonly turn: number;
  private started = false;

  /** `turn` steps each, default 1. */
  constructor(turn = 1) {
    this.turn = turn;
  }

  newSchedule(): boolean {
    const first = !this.started;
    this.started = true;
    return first;
  }

  pick(view: ScheduleView): number {
    const stays = view.last >= 0 && (view.runnable & (1 << view.last)) !== 0 && view.turn < this.turn;
    return stays ? view.last : nextSlot(view.runnable, view.last, view.taskCount);
  }

  finished(_view: ScheduleView, _end: ScheduleEnd): void {}
}
