/**
 * A window is one candidate for a collapse: 2^order entries from `offset` on, aligned to its size (khugepaged spec 1).
 *
 * It is packed into one small integer, offset times 16 plus order, so that a walk hands out windows without
 * allocating. Orders run from 2 to 13, so a window is never 0 and 0 can mean "no window".
 */
export type Window = number & { readonly window: unique symbol };

/** What `next` of a walk returns when there is nothing left to attempt. */
export const NO_WINDOW: Window = 0 as Window;

const ORDER_BITS = 4;

/** Packs a window. Offset in entries from the start of the table. */
export function windowAt(offset: number, order: number): Window {
  return ((offset << ORDER_BITS) | order) as Window;
}

/** First entry of the window, counted from the start of the table. */
export function windowOffset(window: Window): number {
  return window >>> ORDER_BITS;
}

/** Order of the window: it covers 2^order entries. */
export function windowOrder(window: Window): number {
  return window & ((1 << ORDER_BITS) - 1);
}
