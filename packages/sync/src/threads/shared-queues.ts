/**
 * Wait queues between threads. A waker stamps the queue with the number of its wake-up; a task notes, each time it is
 * resumed, how many wake-ups there have been. A queue stamped later than that has been woken since the task last looked
 * at its condition, so its wait is over at once: a wake-up between check and wait is not lost.
 */
import { OperationError } from '../errors.js';
import type { WaitQueue } from '../operations.js';
import { giveWord, takeWord } from '../word-lock.js';
import { LINE, QUEUE, RUN } from './tables.js';
import type { ThreadState } from './thread-state.js';

export class SharedQueues {
  private readonly s: ThreadState;
  private seen = 0;
  private base = 0;
  private stampBefore = 0;

  constructor(state: ThreadState) {
    this.s = state;
  }

  /** To be called each time the task is resumed. */
  resume(): void {
    this.seen = Atomics.load(this.s.run, RUN.wakes);
  }

  /** Begins to wait. False: a wake-up has come since the task was resumed, and the wait is over. */
  enter(queue: WaitQueue): boolean {
    const { s } = this;
    this.base = this.baseOf(queue);
    const guard = this.base + QUEUE.guard;
    takeWord(s.queues, guard, s.checkStop);
    this.stampBefore = Atomics.load(s.queues, this.base + QUEUE.stamp);
    const waits = ((this.stampBefore - this.seen) | 0) <= 0;
    s.queues[this.base + (waits ? QUEUE.waiting : QUEUE.early)] += 1;
    giveWord(s.queues, guard);
    return waits;
  }

  /** What to wait on: this word of `ThreadState.queues` while it holds that value. */
  get place(): { readonly at: number; readonly value: number } {
    return { at: this.base + QUEUE.stamp, value: this.stampBefore };
  }

  /** True if the wait has been ended by a wake-up. */
  get woken(): boolean {
    return Atomics.load(this.s.queues, this.base + QUEUE.stamp) !== this.stampBefore;
  }

  /** The time is over. Gives true if a wake-up came first after all. */
  leave(): boolean {
    const { s } = this;
    const guard = this.base + QUEUE.guard;
    takeWord(s.queues, guard, s.checkStop);
    const { woken } = this;
    if (!woken) s.queues[this.base + QUEUE.waiting] -= 1;
    giveWord(s.queues, guard);
    return woken;
  }

  /** Ends all waits on a queue; gives how many, early ones since the last wake-up included. */
  wake(queue: WaitQueue): number {
    const { s } = this;
    const base = this.baseOf(queue);
    takeWord(s.queues, base + QUEUE.guard, s.checkStop);
    Atomics.store(s.queues, base + QUEUE.stamp, Atomics.add(s.run, RUN.wakes, 1) + 1);
    const woken = (s.queues[base + QUEUE.waiting] as number) + (s.queues[base + QUEUE.early] as number);
    s.queues[base + QUEUE.waiting] = 0;
    s.queues[base + QUEUE.early] = 0;
    giveWord(s.queues, base + QUEUE.guard);
    Atomics.notify(s.queues, base + QUEUE.stamp);
    return woken;
  }

  private baseOf(queue: WaitQueue): number {
    if (queue >= this.s.domain.queues.length) throw new OperationError(`wait queue ${queue} is not declared`);
    return queue * LINE;
  }
}
