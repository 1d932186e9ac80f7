import { describe, expect, it } from 'vitest';
import type { Generation } from './generations/generation.js';
import { generationByName, requestedOrders } from './generations/index.js';
import { legacy618 } from './generations/legacy-6-18.js';
import { merged } from './generations/merged.js';
import { defaultPtesSettings, type LimitContext } from './limits.js';
import { orderBit, orderRange, orderSet, ordersOf } from './orders.js';

const GEOMETRIES = [3, 9, 11, 13];

function context(pmdOrder: number, over: Partial<LimitContext> & { none?: number } = {}): LimitContext {
  const defaults = defaultPtesSettings(pmdOrder);
  const settings = { ...defaults, maxPtesNone: over.none ?? defaults.maxPtesNone };
  return { pmdOrder, initiator: 'khugepaged', uffdArmed: false, ...over, settings };
}

describe.each(GEOMETRIES)('limits of merged for a table of order %i', (pmdOrder) => {
  const entries = 2 ** pmdOrder;
  const lower = ordersOf(orderRange(2, pmdOrder - 1));

  it('do not bind MADV_COLLAPSE', () => {
    const madvise = context(pmdOrder, { initiator: 'madvise', none: 0 });
    expect(merged.noneLimit(pmdOrder, madvise)).toBe(entries);
    expect(merged.swapLimit(pmdOrder, madvise)).toBe(entries);
    expect(merged.sharedLimit(pmdOrder, madvise)).toBe(entries);
  });

  it('are the settings at the PMD order', () => {
    const some = context(pmdOrder, { none: 5 });
    expect(merged.noneLimit(pmdOrder, some)).toBe(5);
    expect(merged.swapLimit(pmdOrder, some)).toBe(entries / 8);
    expect(merged.sharedLimit(pmdOrder, some)).toBe(entries / 2);
  });

  it('are all or nothing below it, and nothing for swapped and shared entries', () => {
    for (const order of lower) {
      expect(merged.noneLimit(order, context(pmdOrder, { none: entries - 1 }))).toBe(2 ** order - 1);
      for (const none of [0, 1, entries / 2, entries - 2]) {
        expect(merged.noneLimit(order, context(pmdOrder, { none }))).toBe(0);
      }
      expect(merged.swapLimit(order, context(pmdOrder))).toBe(0);
      expect(merged.sharedLimit(order, context(pmdOrder))).toBe(0);
    }
  });

  it('allow no empty entry in a VMA armed for userfaultfd, for nobody', () => {
    for (const initiator of ['khugepaged', 'madvise'] as const) {
      expect(merged.noneLimit(pmdOrder, context(pmdOrder, { uffdArmed: true, initiator }))).toBe(0);
    }
  });

  it('bind the scan only when the PMD order is enabled alone', () => {
    const armed = context(pmdOrder, { none: 3, uffdArmed: true });
    expect(merged.scanNoneLimit(orderBit(pmdOrder), context(pmdOrder, { none: 3 }))).toBe(3);
    expect(merged.scanNoneLimit(orderBit(pmdOrder), armed)).toBe(0);
    expect(merged.scanNoneLimit(orderBit(pmdOrder), context(pmdOrder, { initiator: 'madvise' }))).toBe(entries);
    expect(merged.scanNoneLimit(orderRange(2, pmdOrder), armed)).toBe(entries - 1);
    expect(merged.scanNoneLimit(orderBit(2), armed)).toBe(entries - 1);
  });
});

describe('limits of 6.18', () => {
  it('are the settings, and none at all for MADV_COLLAPSE', () => {
    expect(legacy618.noneLimit(9, context(9, { none: 64 }))).toBe(64);
    expect(legacy618.scanNoneLimit(orderBit(9), context(9, { none: 64 }))).toBe(64);
    expect(legacy618.scanNoneLimit(orderBit(9), context(9, { initiator: 'madvise' }))).toBe(512);
    expect(legacy618.swapLimit(9, context(9))).toBe(64);
    expect(legacy618.sharedLimit(9, context(9))).toBe(256);
  });

  it('allow no empty entry in a VMA armed for userfaultfd', () => {
    expect(legacy618.scanNoneLimit(orderBit(9), context(9, { uffdArmed: true }))).toBe(0);
    expect(legacy618.scanNoneLimit(orderBit(9), context(9, { uffdArmed: true, initiator: 'madvise' }))).toBe(0);
  });
});

describe('defaults of a fresh boot', () => {
  it('are ceiling, an eighth and a half of the table', () => {
    expect(defaultPtesSettings(9)).toEqual({ maxPtesNone: 511, maxPtesSwap: 64, maxPtesShared: 256 });
    expect(defaultPtesSettings(13)).toEqual({ maxPtesNone: 8191, maxPtesSwap: 1024, maxPtesShared: 4096 });
  });
});

describe('requested orders', () => {
  it('are every order from 2 up for khugepaged, the PMD order for MADV_COLLAPSE and for legacy', () => {
    expect(ordersOf(requestedOrders(merged, 9, 'khugepaged'))).toEqual([9, 8, 7, 6, 5, 4, 3, 2]);
    expect(requestedOrders(merged, 9, 'madvise')).toBe(orderSet([9]));
    expect(requestedOrders(legacy618, 13, 'khugepaged')).toBe(orderSet([13]));
  });
});

describe('generations', () => {
  it('are found by the name of their kernel profile', () => {
    const found: Generation = generationByName('v6.18');
    expect(found).toBe(legacy618);
    expect(() => generationByName('v99')).toThrow(/no generation "v99"; known: .*merged/);
  });
});
