import type { AttemptEffect } from '../classification.js';
import type { Generation } from '../generations/generation.js';
import { ordersBelow } from '../orders.js';
import { type WalkInput, WindowWalk, wholeTable } from './walk.js';
import { type Window, windowOrder } from './window.js';
import { WindowStack } from './window-stack.js';

/**
 * The depth-first walk of v12 to v18 (khugepaged spec 15.5): a window, and unless its region is done its left half
 * with everything inside, then its right half.
 */
export class DfsWalk extends WindowWalk {
  private readonly stack: WindowStack;
  private readonly minOrder: number;

  constructor(generation: Generation, input: WalkInput) {
    super(generation, input);
    this.minOrder = generation.minOrder === 'pmd' ? input.pmdOrder : generation.minOrder;
    this.stack = new WindowStack(input.pmdOrder, this.minOrder);
    this.stack.push(wholeTable(input.pmdOrder));
  }

  protected candidate(): Window {
    return this.stack.pop();
  }

  protected advance(window: Window, effect: AttemptEffect): void {
    const order = windowOrder(window);
    if (effect !== 'retryLower' || order <= this.minOrder) return;
    if (this.generation.pushesHalvesAlways || ordersBelow(this.enabledOrders, order) !== 0) {
      this.stack.pushHalves(window);
    }
  }
}
