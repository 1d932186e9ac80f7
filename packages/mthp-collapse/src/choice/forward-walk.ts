import type { AttemptEffect } from '../classification.js';
import type { Generation } from '../generations/generation.js';
import { highestOrder, ordersBelow } from '../orders.js';
import { type WalkInput, WindowWalk } from './walk.js';
import { NO_WINDOW, type Window, windowAt, windowOffset, windowOrder } from './window.js';

/**
 * The walk of v19 and merged (khugepaged spec 9, `mthp_collapse`): from left to right, at each offset from the
 * largest aligned order downwards, without a stack.
 *
 * The kernel steps down one order at a time and skips disabled ones; here the step goes to the next enabled order
 * at once. Both visit the same windows: an offset always is a multiple of the lowest enabled order's size, because
 * the walk only moves on from an order that has no enabled order below.
 */
export class ForwardWalk extends WindowWalk {
  private position: Window;

  constructor(generation: Generation, input: WalkInput) {
    super(generation, input);
    this.position = this.largestAt(0);
  }

  protected candidate(): Window {
    return this.position;
  }

  protected advance(window: Window, effect: AttemptEffect): void {
    const order = windowOrder(window);
    const lower = effect === 'retryLower' ? ordersBelow(this.enabledOrders, order) : 0;
    if (lower !== 0) this.position = windowAt(windowOffset(window), highestOrder(lower));
    else this.position = this.largestAt(windowOffset(window) + (1 << order));
  }

  /** The window of the largest enabled order that is aligned at `offset`. */
  private largestAt(offset: number): Window {
    if (offset >> this.pmdOrder !== 0) return NO_WINDOW;
    const aligned = offset === 0 ? this.pmdOrder : 31 - Math.clz32(offset & -offset);
    const usable = ordersBelow(this.enabledOrders, aligned + 1);
    return usable === 0 ? NO_WINDOW : windowAt(offset, highestOrder(usable));
  }
}
