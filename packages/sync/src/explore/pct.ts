/**
 * Probabilistic concurrency testing (Burckhardt and others, ASPLOS 2010). Tasks get random priorities and the highest that
 * is runnable goes on; at `depth - 1` random steps the running one drops below all others. A bug that needs `depth`
 * ordering constraints is found by one schedule with a probability of at least 1 / (n k^(depth - 1)), for n tasks and k
 * steps.
 *
 * k is the longest schedule seen so far. A task that rests, or has gone on for `FAIR_TURN` steps, drops as well: priorities
 * alone would let a task that polls starve the one it waits for.
 */
import { Random } from '@thplab/arena';
import { type Coverage, FAIR_TURN, type ScheduleEnd, type ScheduleView, type Strategy } from './strategy.js';

export class Pct implements Strategy {
  readonly name = 'pct';
  private readonly random: Random;
  private readonly depth: number;
  private readonly count: number;
  private started = 0;
  private ended = 0;
  /** By slot; the largest goes first. */
  private priorities: number[] = [];
  private lowest = 0;
  /** Steps at which the running task drops; the place in the list is how far, whatever the order of the steps. */
  private changes: number[] = [];
  private steps = 0;

  /** `count` schedules for bugs of that depth (1 to 10), drawn from `seed`. */
  constructor(seed: number, depth: number, count: number) {
    if (!(Number.isInteger(depth) && depth >= 1 && depth <= 10)) {
      throw new RangeError(`depth is ${depth}: must be a whole number from 1 to 10`);
    }
    this.random = new Random(seed);
    this.depth = depth;
    this.count = count;
  }

  get coverage(): Coverage {
    return { kind: 'sampled', schedules: this.ended };
  }

  newSchedule(): boolean {
    if (this.started++ >= this.count) return false;
    this.priorities = [];
    this.lowest = -this.depth;
    this.changes = [];
    // Every step after the first, the last one included, can be the one before which priorities change.
    for (let change = 1; change < this.depth; change++) {
      if (this.steps > 1) this.changes.push(1 + this.random.below(this.steps - 1));
    }
    return true;
  }

  pick(view: ScheduleView): number {
    if (this.priorities.length === 0) this.shuffle(view.taskCount);
    const { last } = view;
    if (last >= 0) {
      const rests = (view.resting & (1 << last)) !== 0;
      const change = this.changes.indexOf(view.trace.count);
      if (rests || view.turn % FAIR_TURN === 0) this.priorities[last] = this.lowest--;
      else if (change >= 0) this.priorities[last] = -1 - change;
    }
    let best = -1;
    for (let slot = 0; slot < view.taskCount; slot++) {
      if ((view.runnable & (1 << slot)) === 0) continue;
      if (best < 0 || (this.priorities[slot] as number) > (this.priorities[best] as number)) best = slot;
    }
    return best;
  }

  finished(view: ScheduleView, _end: ScheduleEnd): void {
    this.ended++;
    this.steps = Math.max(this.steps, view.trace.count);
  }

  private shuffle(taskCount: number): void {
    for (let slot = 0; slot < taskCount; slot++) this.priorities.push(slot);
    for (let at = taskCount - 1; at > 0; at--) {
      const other = this.random.below(at + 1);
      const value = this.priorities[at] as number;
      this.priorities[at] = this.priorities[other] as number;
      this.priorities[other] = value;
    }
  }
}
