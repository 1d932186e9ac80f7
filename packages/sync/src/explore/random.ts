/** Picks any runnable task with the same probability, again at every step. */
import { Random } from '@thplab/arena';
import type { Coverage, ScheduleEnd, ScheduleView, Strategy } from './strategy.js';

export class RandomWalk implements Strategy {
  readonly name = 'random';
  private readonly random: Random;
  private readonly count: number;
  private started = 0;
  private ended = 0;

  /** `count` schedules, drawn from `seed`. */
  constructor(seed: number, count: number) {
    this.random = new Random(seed);
    this.count = count;
  }

  get coverage(): Coverage {
    return { kind: 'sampled', schedules: this.ended };
  }

  newSchedule(): boolean {
    return this.started++ < this.count;
  }

  pick(view: ScheduleView): number {
    const { runnable } = view;
    let left = this.random.below(countBits(runnable));
    for (let slot = 0; ; slot++) {
      if ((runnable & (1 << slot)) !== 0 && left-- === 0) return slot;
    }
  }

  finished(_view: ScheduleView, _end: ScheduleEnd): void {
    this.ended++;
  }
}

function countBits(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}
