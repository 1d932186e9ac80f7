/** What procedures see of the sequential executor: when and where they run, and the short way to an operation. */
import type { Current } from '../executor.js';
import type { Op } from '../operations.js';
import type { Stepper } from './stepper.js';

/** `executor.current`. */
export class Clock implements Current {
  nowNs: number;
  cpu = 0;
  task = 0;
  #stepper: Stepper | undefined = undefined;

  constructor(startNs: number) {
    this.nowNs = startNs;
  }

  /** From now on operations can be performed at once. */
  attach(stepper: Stepper): void {
    this.#stepper = stepper;
  }

  /** See `Current`. On the prototype: a copy of what the clock shows cannot perform anything. */
  atOnce(op: Op): number | undefined {
    return this.#stepper?.atOnce(op);
  }
}
