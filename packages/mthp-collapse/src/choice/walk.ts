import { type Occupancy, popcountWindow } from '../bitmap.js';
import type { AttemptEffect } from '../classification.js';
import type { Generation } from '../generations/generation.js';
import type { Initiator, LimitContext, PtesSettings } from '../limits.js';
import { type OrderSet, orderBit, orderRange } from '../orders.js';
import { SCAN, type ScanResult } from '../results.js';
import { type Requirements, walkRequirements } from './requirements.js';
import { NO_WINDOW, type Window, windowAt, windowOffset, windowOrder } from './window.js';

/** What a walk over one table starts from. */
export interface WalkInput {
  /**
   * Occupied entries as the scan saw them, or the chunks of a generation with chunks (`chunkOccupancy`); read, never
   * written, and only while `next` runs.
   */
  readonly bitmap: Occupancy;
  /** The table has 2^pmdOrder entries. */
  readonly pmdOrder: number;
  /** Orders that sysfs and the VMA allow; members that the generation does not know are ignored. */
  readonly enabledOrders: OrderSet;
  /** Swapped and other non-present entries that the scan accepted. */
  readonly unmapped: number;
  /** Which entries those are; needed by a generation that looks for them window by window. */
  readonly swapped?: Occupancy;
  readonly settings: PtesSettings;
  readonly initiator: Initiator;
  /** The VMA is registered with userfaultfd. Only a generation that passes its VMA to the limits looks at it. */
  readonly uffdArmed?: boolean;
  /** Orders whose own `enabled` file says `always`; only greedy generations look at them. */
  readonly alwaysOrders?: OrderSet;
  /** Called for each window of an enabled order that is not full enough, with its bits and how many it needs. */
  readonly onSkip?: (window: Window, occupied: number, required: number) => void;
}

/** How a walk ended. */
export interface WalkOutcome {
  /** What the table reports (khugepaged spec 9 "Finish"). */
  readonly result: ScanResult;
  /** Entries now covered by new folios. */
  readonly collapsed: number;
  readonly attempts: number;
  /** max_ptes_none made no sense for an order that was considered: the kernel warns, once per boot. */
  readonly warned: boolean;
}

/**
 * The choice of windows as an iteration that the caller drives:
 *
 *     for (let w = walk.next(); w !== NO_WINDOW; w = walk.next()) walk.report(attempt(w));
 *
 * The caller attempts each window and reports the result before it asks for the next; the walk never sees a page,
 * a lock or a thread. A step allocates nothing. Subclasses differ in the order in which they offer windows.
 */
export abstract class WindowWalk {
  protected readonly pmdOrder: number;
  protected readonly generation: Generation;
  protected readonly enabledOrders: OrderSet;
  protected finished = false;
  private readonly bitmap: Occupancy;
  private readonly unmappedAtPmd: number;
  private readonly initiator: Initiator;
  private readonly uffdArmed: boolean;
  private readonly alwaysOrders: OrderSet;
  private readonly chunkOrder: number;
  private readonly onSkip: WalkInput['onSkip'];
  protected requirements: Requirements;
  private pending: Window = NO_WINDOW;
  protected last: ScanResult = SCAN.FAIL;
  private allocFailed = false;
  private collapsed = 0;
  private attempts = 0;
  private warned = false;

  constructor(generation: Generation, input: WalkInput) {
    this.generation = generation;
    this.pmdOrder = input.pmdOrder;
    const lowest = generation.minOrder === 'pmd' ? input.pmdOrder : generation.minOrder;
    this.enabledOrders = input.enabledOrders & orderRange(lowest, input.pmdOrder);
    this.bitmap = input.bitmap;
    this.unmappedAtPmd = generation.unmappedCountsAsOccupied ? input.unmapped : 0;
    this.initiator = input.initiator;
    this.uffdArmed = generation.passVmaToNoneHelper && input.uffdArmed === true;
    this.onSkip = input.onSkip;
    this.alwaysOrders = input.alwaysOrders ?? 0;
    this.chunkOrder = generation.chunkOrder;
    this.requirements = this.computeRequirements(input.settings);
  }

  /** The next window to attempt, or `NO_WINDOW` when the walk is over. */
  next(): Window {
    if (this.pending !== NO_WINDOW) throw new Error('the last window was not reported: call report(result) first');
    while (!this.finished) {
      const candidate = this.candidate();
      if (candidate === NO_WINDOW) break;
      if (this.isEligible(candidate)) {
        this.pending = candidate;
        this.attempts += 1;
        return candidate;
      }
      if (!this.finished) this.pass(candidate);
    }
    this.finished = true;
    return NO_WINDOW;
  }

  /** Tells what became of the window that `next` returned (khugepaged spec 9 step 3). */
  report(result: ScanResult): void {
    const window = this.pending;
    if (window === NO_WINDOW) throw new Error('no window is being attempted: call next() first');
    this.pending = NO_WINDOW;
    const effect = this.generation.effects[result];
    if (result === SCAN.SUCCEED) this.collapsed += 1 << windowOrder(window);
    if (effect !== 'nextRegion' || this.generation.resultRule === 'own') this.last = result;
    if (result === SCAN.ALLOC_HUGE_PAGE_FAIL) this.allocFailed = true;
    if (effect === 'stop') this.finished = true;
    else this.advance(window, effect);
  }

  /**
   * Uses other values of max_ptes_* from here on: the kernel reads the files anew at every window, so a write to
   * sysfs during a walk acts on the windows that are still to come.
   */
  changeSettings(settings: PtesSettings): void {
    this.requirements = this.computeRequirements(settings);
  }

  outcome(): WalkOutcome {
    const { collapsed, attempts, warned } = this;
    return { result: this.result(), collapsed, attempts, warned };
  }

  /** The window under consideration, or `NO_WINDOW` at the end. Its order need not be enabled. */
  protected abstract candidate(): Window;

  /** Leaves a window that was not attempted. */
  protected pass(window: Window): void {
    this.advance(window, 'retryLower');
  }

  /** Swapped entries of the window that count as occupied. */
  protected countedUnmapped(window: Window): number {
    return windowOrder(window) === this.pmdOrder ? this.unmappedAtPmd : 0;
  }

  /** Leaves `window`: to smaller windows of the same region, or to the region behind it. */
  protected abstract advance(window: Window, effect: AttemptEffect): void;

  protected isEligible(window: Window): boolean {
    const order = windowOrder(window);
    const bit = orderBit(order);
    const { required, refused, warns } = this.requirements;
    if ((this.enabledOrders & bit) === 0) return false;
    if ((warns & bit) !== 0) this.warned = true;
    if ((refused & bit) !== 0) {
      this.finished = true;
      return false;
    }
    const needed = required[order];
    if (needed <= 0) return true;
    const chunk = this.chunkOrder;
    const occupied =
      popcountWindow(this.bitmap, windowOffset(window) >> chunk, order - chunk) + this.countedUnmapped(window);
    if (occupied >= needed) return true;
    this.onSkip?.(window, occupied, needed);
    return false;
  }

  private result(): ScanResult {
    if (this.generation.resultRule === 'own') return this.last;
    if (this.collapsed > 0) return SCAN.SUCCEED;
    if (this.generation.resultRule === 'okOrFail') return SCAN.FAIL;
    return this.allocFailed ? SCAN.ALLOC_HUGE_PAGE_FAIL : this.last;
  }

  private computeRequirements(settings: PtesSettings): Requirements {
    const { pmdOrder, initiator, uffdArmed } = this;
    const context: LimitContext = { pmdOrder, initiator, uffdArmed, settings };
    return walkRequirements(this.generation, this.enabledOrders, this.alwaysOrders, context);
  }
}

/** The window that covers a whole table. */
export function wholeTable(pmdOrder: number): Window {
  return windowAt(0, pmdOrder);
}
