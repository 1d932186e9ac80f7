/** Who waits on which wait queue, in order of arrival. */
import { OperationError } from '../errors.js';
import type { SyncDomain } from '../locks.js';
import type { WaitQueue } from '../operations.js';
import type { SequentialTask } from './task.js';

const NOBODY: readonly SequentialTask[] = [];

export class WaitQueues {
  private readonly domain: SyncDomain;
  private readonly waiters: Set<SequentialTask>[] = [];

  constructor(domain: SyncDomain) {
    this.domain = domain;
  }

  add(queue: WaitQueue, task: SequentialTask): void {
    this.of(queue).add(task);
    task.queue = queue;
  }

  /** The timeout was over first. */
  remove(task: SequentialTask): void {
    this.waiters[task.queue]?.delete(task);
    task.queue = -1;
  }

  /** Takes out everyone that waits. */
  clear(queue: WaitQueue): readonly SequentialTask[] {
    const waiting = this.of(queue);
    if (waiting.size === 0) return NOBODY;
    const all = [...waiting];
    waiting.clear();
    for (const task of all) task.queue = -1;
    return all;
  }

  private of(queue: WaitQueue): Set<SequentialTask> {
    const found = this.waiters[queue];
    if (found !== undefined) return found;
    if (queue >= this.domain.queues.length) throw new OperationError(`wait queue ${queue} is not declared`);
    while (this.waiters.length < this.domain.queues.length) this.waiters.push(new Set());
    return this.waiters[queue] as Set<SequentialTask>;
  }
}
