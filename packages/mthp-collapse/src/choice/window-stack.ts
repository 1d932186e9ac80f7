import { NO_WINDOW, type Window, windowAt, windowOffset, windowOrder } from './window.js';

/**
 * The stack of a depth-first walk over halves: array and size in one place, and "push both halves" as one operation
 * (khugepaged spec 24).
 *
 * Each level of orders leaves at most one waiting half behind, so a walk from `pmdOrder` down to `minOrder` never
 * holds more than pmdOrder - minOrder + 1 windows (khugepaged spec 19, B20).
 */
export class WindowStack {
  private readonly windows: Int32Array;
  private size = 0;

  constructor(pmdOrder: number, minOrder: number) {
    this.windows = new Int32Array(pmdOrder - minOrder + 1);
  }

  get depth(): number {
    return this.size;
  }

  push(window: Window): void {
    if (this.size === this.windows.length) throw new RangeError(`window stack is full at ${this.size} windows`);
    this.windows[this.size] = window;
    this.size += 1;
  }

  /** Pushes the right half, then the left one, so that the left one is popped first. */
  pushHalves(window: Window): void {
    const half = windowOrder(window) - 1;
    this.push(windowAt(windowOffset(window) + (1 << half), half));
    this.push(windowAt(windowOffset(window), half));
  }

  /** The window pushed last, or `NO_WINDOW` when empty. */
  pop(): Window {
    if (this.size === 0) return NO_WINDOW;
    this.size -= 1;
    return this.windows[this.size] as Window;
  }
}
