import { highestOrder, type OrderSet, orderBit, ordersBelow } from '../orders.js';
import { NO_WINDOW, type Window, windowAt } from './window.js';

/**
 * Where Dev Jain's loop goes next within one PMD range (khugepaged spec 15.4, steps 3 to 6): from left to right, at each place
 * from the largest order left downwards. A failure, of the scan or of the attempt, takes its order out for the rest of the
 * range. Who scans and attempts is not known here: the choice over a bitmap and the work on a page table take the same steps.
 */
export class LinearSteps {
  private readonly end: number;
  private readonly pmdOrder: number;
  private orders: OrderSet;
  private offset = 0;
  private order: number;

  constructor(orders: OrderSet, pmdOrder: number) {
    this.orders = orders;
    this.pmdOrder = pmdOrder;
    this.end = 1 << pmdOrder;
    this.order = highestOrder(orders);
  }

  /**
   * The window to scan, or `NO_WINDOW`. After a step over a folio that was met in its middle a window need not be aligned; one
   * that would reach over the end of the range ends it.
   */
  get window(): Window {
    const inside = this.order > 0 && this.offset + (1 << this.order) <= this.end;
    return inside ? windowAt(this.offset, this.order) : NO_WINDOW;
  }

  /** The scan of the window failed: its order is out, the next lower one is tried at the same place. */
  failed(): void {
    const lower = ordersBelow(this.orders, this.order);
    this.orders &= ~orderBit(this.order);
    this.order = highestOrder(lower);
  }

  /** The window was attempted. At the end of the range that is the end of it, whatever the outcome. */
  attempted(succeeded: boolean): void {
    const next = this.offset + (1 << this.order);
    if (next >= this.end) this.order = -1;
    else if (succeeded) this.moveTo(next);
    else this.failed();
  }

  /** Goes on at an entry: with the order of its alignment or, where that one is out, the highest that is left. */
  moveTo(offset: number): void {
    this.offset = offset;
    const alignment = offset === 0 ? this.pmdOrder : Math.min(this.pmdOrder, 31 - Math.clz32(offset & -offset));
    const aligned = (this.orders & orderBit(alignment)) !== 0;
    this.order = offset >= this.end ? -1 : aligned ? alignment : highestOrder(this.orders);
  }
}
