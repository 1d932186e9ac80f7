import type { AttemptEffect } from '../classification.js';
import type { Generation } from '../generations/generation.js';
import { orderBit } from '../orders.js';
import { type WalkInput, WindowWalk, wholeTable } from './walk.js';
import { NO_WINDOW, type Window } from './window.js';

/**
 * One window, the whole table: legacy kernels, and MADV_COLLAPSE of every generation that gives it the PMD order
 * only (khugepaged spec 13.3, 15.8).
 */
export class SingleWalk extends WindowWalk {
  private position: Window;

  constructor(generation: Generation, input: WalkInput) {
    super(generation, { ...input, enabledOrders: input.enabledOrders & orderBit(input.pmdOrder) });
    this.position = wholeTable(input.pmdOrder);
  }

  protected candidate(): Window {
    return this.position;
  }

  protected advance(_window: Window, _effect: AttemptEffect): void {
    this.position = NO_WINDOW;
  }
}
