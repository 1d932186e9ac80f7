/** One simulated processor. Only data and sums; decisions are the scheduler's. */
import { EventHeap } from './event-heap.js';
import type { SequentialTask } from './task.js';

/** How a processor's time was used. */
export interface ProcessorUse {
  readonly id: number;
  /** Time tasks ran, ns; waiting for a spinlock is running. */
  readonly busyNs: number;
  /** Time that context switches cost, ns. */
  readonly switchNs: number;
  readonly switches: number;
}

/** A processor: its clock, the task it runs, the tasks that wait for it. */
export class Cpu implements ProcessorUse {
  readonly id: number;
  /** Up to here its time is accounted for, ns. Stands still while it is idle. */
  clockNs = 0;
  /** The task it runs. */
  task: SequentialTask | undefined = undefined;
  /** The last task that ran: taking up another one is a context switch. */
  lastTask: SequentialTask | undefined = undefined;
  /** When the running task's present spend is over; the clock if it is not spending. */
  spendEndNs = 0;
  /** When the running task may be replaced, if another waits. */
  sliceEndNs = 0;
  /** The instant at which it last gave up its turn, and how often it did then. */
  turnNs = -1;
  turns = 0;
  /** The running task waits for a spinlock: no event until it gets it. */
  spinning = false;
  /** Waiting tasks by virtual runtime, then by arrival. */
  readonly queue: EventHeap = new EventHeap();
  /** Sum of the weights of running and waiting tasks. */
  load = 0;
  /** Never falls; where a task that comes starts from. */
  minVruntime = 0;
  /** Time spent on context switches, ns. */
  switchNs = 0;
  switches = 0;
  /** Time tasks ran, spinning included, ns. */
  busyNs = 0;

  constructor(id: number) {
    this.id = id;
  }

  /** Moves the clock, never back, and charges the running task for it. */
  advance(toNs: number): void {
    const ns = toNs - this.clockNs;
    const task = this.task;
    if (ns <= 0 || task === undefined) return;
    this.clockNs = toNs;
    this.busyNs += ns;
    task.charge(ns);
    const floor = this.queue.size === 0 ? task.vruntime : Math.min(task.vruntime, this.queue.firstTime);
    if (floor > this.minVruntime) this.minVruntime = floor;
  }
}
