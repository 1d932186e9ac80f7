/** A task of the sequential executor. */

import type { Task, TaskOptions } from '../executor.js';
import { HeldLocks } from '../held-locks.js';
import type { LockMode, LockRef, Procedure } from '../operations.js';
import { NICE_0_WEIGHT, weightOfNice } from './weights.js';

/** What a blocked task waits for. */
export type BlockedOn = 'none' | 'start' | 'sleep' | 'queue' | 'lock';

/** All that is known of a task; the fields beyond `Task` belong to the scheduler and the lock table. */
export class SequentialTask implements Task {
  readonly id: number;
  readonly name: string;
  readonly procedure: () => Procedure<unknown>;
  readonly weight: number;
  /** Processor it is bound to, -1 if none. */
  readonly bound: number;
  readonly held: HeldLocks = new HeldLocks();

  state: 'runnable' | 'blocked' | 'done' | 'failed' = 'blocked';
  result: unknown = undefined;
  error: unknown = undefined;
  cpuNs = 0;
  lockWaitNs = 0;
  /** Time runnable without a processor, ns. */
  runWaitNs = 0;

  generator: Procedure<unknown> | undefined = undefined;
  /** What the next resume gives to the procedure. */
  input = 0;
  /** Rest of a spend that was interrupted, ns. */
  spendLeftNs = 0;
  /** Spinlocks held or waited for: while above 0 there is no context switch, as preemption is off in the kernel. */
  spinDepth = 0;

  /** Processor time by weight, ns at nice 0, relative to the processor's `minVruntime`. */
  vruntime = 0;
  private vruntimeBase = 0;
  private cpuNsBase = 0;
  /** Processor of the last run, -1 before the first. */
  cpu = -1;
  /** Since when it waits for a processor. */
  readyNs = 0;

  blockedOn: BlockedOn = 'start';
  lock: LockRef | undefined = undefined;
  lockMode: LockMode = 1;
  /** Wait queue number while blocked on one. */
  queue = -1;
  /** Since when it is blocked. */
  blockedNs = 0;

  constructor(id: number, name: string, procedure: () => Procedure<unknown>, options: TaskOptions, cpus: number) {
    const bound = options.cpu ?? -1;
    if (bound !== -1 && !(Number.isInteger(bound) && bound >= 0 && bound < cpus)) {
      throw new RangeError(`task '${name}' is bound to processor ${bound}: there are ${cpus}, numbered from 0`);
    }
    this.id = id;
    this.name = name;
    this.procedure = procedure;
    this.weight = weightOfNice(options.nice ?? 0);
    this.bound = bound;
  }

  /** Sets the virtual runtime, where the task is put into another company. */
  placeAt(vruntime: number): void {
    this.vruntime = vruntime;
    this.vruntimeBase = vruntime;
    this.cpuNsBase = this.cpuNs;
  }

  /** Charges processor time. Computed from the sum since `placeAt`, so that it does not matter how time is cut up. */
  charge(ns: number): void {
    this.cpuNs += ns;
    this.vruntime = this.vruntimeBase + ((this.cpuNs - this.cpuNsBase) * NICE_0_WEIGHT) / this.weight;
  }
}
