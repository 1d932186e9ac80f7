import { createOccupancy, type Occupancy, occupancyWords, occupyRange } from '../bitmap.js';
import { MIN_MTHP_ORDER, type OrderSet, orderRange, orderSet } from '../orders.js';

/** A set of entries of one table: half-open ranges `[from, to)`, or a bitmap with one bit per entry. */
export type Entries = Occupancy | readonly (readonly [from: number, to: number])[];

/** A set of orders: a list, or a bit mask. */
export type Orders = readonly number[] | OrderSet;

/**
 * @throws RangeError for a bitmap of another size, or a range that is not inside the table.
 */
export function toOccupancy(what: string, entries: Entries, pmdOrder: number): Occupancy {
  if (entries instanceof Uint32Array) {
    checkNumber(`words of ${what}`, entries.length, occupancyWords(pmdOrder), occupancyWords(pmdOrder));
    if (pmdOrder < 5) checkNumber(`the word of ${what}`, entries[0], 0, 2 ** (1 << pmdOrder) - 1);
    return entries;
  }
  const bitmap = createOccupancy(pmdOrder);
  for (const [from, to] of entries) {
    checkNumber(`end of a range of ${what}`, to, 0, 1 << pmdOrder);
    checkNumber(`start of a range of ${what}`, from, 0, to);
    occupyRange(bitmap, from, to);
  }
  return bitmap;
}

/** Entries in neither bitmap. */
export function emptyEntries(occupied: Occupancy, swapped: Occupancy, pmdOrder: number): Occupancy {
  const bitmap = createOccupancy(pmdOrder);
  occupyRange(bitmap, 0, 1 << pmdOrder);
  return bitmap.map((word, index) => word & ~(occupied[index] | swapped[index]));
}

/**
 * @throws RangeError for an order that no anonymous folio of this table can have.
 */
export function toOrderSet(what: string, orders: Orders, pmdOrder: number): OrderSet {
  if (typeof orders === 'number') {
    const possible = orderRange(MIN_MTHP_ORDER, pmdOrder);
    if ((orders & ~possible) === 0) return orders;
    throw new RangeError(`${what} mask is ${orders}; it must be within ${possible}`);
  }
  for (const order of orders) checkNumber(what, order, MIN_MTHP_ORDER, pmdOrder);
  return orderSet(orders);
}

/**
 * @throws RangeError unless `value` is a whole number from `from` to `to`; the message says what would be right.
 */
export function checkNumber(what: string, value: number, from: number, to: number): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  const right = from === to ? `${from}` : `a whole number from ${from} to ${to}`;
  throw new RangeError(`${what} is ${value}; it must be ${right}`);
}
