import { describe, expect, it } from 'vitest';
import { highestOrder, orderBit, orderRange, orderSet, ordersBelow, ordersOf } from './orders.js';

describe('a set of orders', () => {
  it('lists its members from the largest down', () => {
    expect(ordersOf(orderSet([2, 9, 4]))).toEqual([9, 4, 2]);
    expect(ordersOf(0)).toEqual([]);
  });

  it('spans a range, both ends included', () => {
    expect(ordersOf(orderRange(2, 5))).toEqual([5, 4, 3, 2]);
    expect(orderRange(9, 9)).toBe(orderBit(9));
    expect(orderRange(10, 9)).toBe(0);
  });

  it('knows its largest member and the members below an order', () => {
    expect(highestOrder(orderSet([2, 13]))).toBe(13);
    expect(highestOrder(0)).toBe(-1);
    expect(ordersOf(ordersBelow(orderSet([2, 4, 9]), 4))).toEqual([2]);
  });
});
