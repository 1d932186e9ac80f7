/** A set of orders as a bit mask: bit o set means order o is a member (the kernel's "orders" words). */
export type OrderSet = number;

/** The smallest order of an anonymous large folio that collapse builds today (KHUGEPAGED_MIN_MTHP_ORDER). */
export const MIN_MTHP_ORDER = 2;

/** Orders that a table of this model can have: 8 entries for exhaustive checks, then 4K, 16K and 64K base pages. */
export const PMD_ORDERS: readonly number[] = [3, 9, 11, 13];

/** The set with the one member `order`. */
export function orderBit(order: number): OrderSet {
  return 1 << order;
}

/** The set of the given orders. */
export function orderSet(orders: Iterable<number>): OrderSet {
  let set = 0;
  for (const order of orders) set |= 1 << order;
  return set;
}

/** The set {from, ..., to}; empty when from > to. */
export function orderRange(from: number, to: number): OrderSet {
  return from > to ? 0 : (2 << to) - (1 << from);
}

/** Members in descending order. */
export function ordersOf(set: OrderSet): number[] {
  const orders: number[] = [];
  for (let rest = set; rest !== 0; ) {
    const order = highestOrder(rest);
    orders.push(order);
    rest &= ~(1 << order);
  }
  return orders;
}

/** The largest member, -1 for the empty set (the kernel's highest_order). */
export function highestOrder(set: OrderSet): number {
  return 31 - Math.clz32(set);
}

/** Members below `order`. */
export function ordersBelow(set: OrderSet, order: number): OrderSet {
  return set & ((1 << order) - 1);
}
