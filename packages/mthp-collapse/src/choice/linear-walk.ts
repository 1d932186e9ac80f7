import { type Occupancy, popcountWindow } from '../bitmap.js';
import type { AttemptEffect } from '../classification.js';
import type { Generation } from '../generations/generation.js';
import type { LimitContext } from '../limits.js';
import { SCAN } from '../results.js';
import { LinearSteps } from './linear-steps.js';
import { type WalkInput, WindowWalk } from './walk.js';
import { type Window, windowOffset, windowOrder } from './window.js';

/**
 * The walk of Dev Jain's proposals over a bitmap (khugepaged spec 15.4). Each window has a scan of its own there: here that is
 * its count of swapped entries, then of empty ones. A folio that is in the way is not in a bitmap: an attempt that answers
 * PTE_MAPPED stands for the scan that met one of the window's size, and the walk steps over it.
 */
export class LinearWalk extends WindowWalk {
  private readonly steps: LinearSteps;
  private readonly swapped: Occupancy | undefined;
  private readonly context: LimitContext;

  constructor(generation: Generation, input: WalkInput) {
    super(generation, input);
    const { pmdOrder, settings, initiator } = input;
    this.swapped = input.swapped;
    this.context = { pmdOrder, settings, initiator, uffdArmed: false };
    // An order at which the setting has no meaning is not tried (v2).
    this.steps = new LinearSteps(this.enabledOrders & ~this.requirements.refused, pmdOrder);
  }

  protected candidate(): Window {
    return this.steps.window;
  }

  protected override isEligible(window: Window): boolean {
    if (this.countedUnmapped(window) > this.generation.swapLimit(windowOrder(window), this.context)) {
      this.last = SCAN.EXCEED_SWAP_PTE;
      return false;
    }
    if (super.isEligible(window)) return true;
    this.last = SCAN.EXCEED_NONE_PTE;
    return false;
  }

  protected override countedUnmapped(window: Window): number {
    return this.swapped === undefined ? 0 : popcountWindow(this.swapped, windowOffset(window), windowOrder(window));
  }

  protected override pass(_window: Window): void {
    this.steps.failed();
  }

  protected advance(window: Window, effect: AttemptEffect): void {
    if (this.last === SCAN.PTE_MAPPED) this.steps.moveTo(windowOffset(window) + (1 << windowOrder(window)));
    else this.steps.attempted(effect === 'nextRegion');
  }
}
