/** Follows an encoded schedule exactly, or says where the case parts from it. */
import { ScheduleDivergedError } from './errors.js';
import { operationsHash, type Schedule } from './schedule-code.js';
import type { Coverage, ScheduleEnd, ScheduleView, Strategy } from './strategy.js';

export class Replay implements Strategy {
  readonly name = 'replay';
  readonly coverage: Coverage = { kind: 'sampled', schedules: 1 };
  private readonly schedule: Schedule;
  private started = false;

  constructor(schedule: Schedule) {
    this.schedule = schedule;
  }

  newSchedule(): boolean {
    const first = !this.started;
    this.started = true;
    return first;
  }

  pick(view: ScheduleView): number {
    const { taskCount, choices } = this.schedule;
    const step = view.trace.count;
    if (taskCount !== view.taskCount) {
      throw new ScheduleDivergedError(1, `it is for ${taskCount} tasks, the case has ${view.taskCount}`);
    }
    if (step >= choices.length) {
      throw new ScheduleDivergedError(step + 1, `it ended after ${step} steps, but the case goes on`);
    }
    const slot = choices[step] as number;
    if ((view.runnable & (1 << slot)) === 0) {
      throw new ScheduleDivergedError(step + 1, `task ${slot + 1} should go on but cannot`);
    }
    return slot;
  }

  finished(view: ScheduleView, _end: ScheduleEnd): void {
    const { choices, hash } = this.schedule;
    const steps = view.trace.count;
    if (steps < choices.length) {
      throw new ScheduleDivergedError(
        steps + 1,
        `the case ended after ${steps} steps, it goes on to ${choices.length}`,
      );
    }
    if (operationsHash(view.trace) !== hash) {
      throw new ScheduleDivergedError(steps, 'the tasks took turns as it says, but did other operations');
    }
  }
}
