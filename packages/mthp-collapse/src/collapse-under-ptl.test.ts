import { PMD } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { merged } from './generations/merged.js';
import { variantOf } from './generations/variant.js';
import { SCAN } from './results.js';
import { CollapseWorld } from './testing/collapse-world.js';

const generation = variantOf(merged, { installLock: 'mmapReadPtl' });

function world(): CollapseWorld {
  const w = new CollapseWorld({ generation, profile: 'merged' });
  w.map();
  w.enableOrders(2);
  return w;
}

describe("an attempt as in Dev Jain's v1", () => {
  it('maps a new folio by the entries of the old table, with contents and counts as they were', () => {
    const w = world();
    w.place(0, 8);
    const before = w.contents(w.base, w.base + 8);
    expect(w.attempt(4, 2)).toBe(SCAN.SUCCEED);
    expect(w.pmd()).toBe(PMD.table);
    expect(w.contents(w.base, w.base + 8)).toEqual(before);
    expect([5, 6, 7].map((page) => w.frame(w.base + page) - w.frame(w.base + 4))).toEqual([1, 2, 3]);
    expect(w.check()).toEqual([]);
  });

  it('gives everything back when a page is in the way', () => {
    const w = world();
    w.place(0, 8);
    const frame = w.frame(w.base + 5);
    w.m.locks.folioLock.tryLock(frame);
    expect(w.attempt(4, 2)).toBe(SCAN.PAGE_LOCK);
    w.m.locks.folioLock.unlock(frame);
    expect(w.frame(w.base + 5)).toBe(frame);
    expect(w.check()).toEqual([]);
  });

  it('takes the usual way at the PMD order', () => {
    const w = world();
    w.enableOrders(w.m.pmdOrder);
    w.place(0, w.m.ptes);
    expect(w.attempt(0, w.m.pmdOrder)).toBe(SCAN.SUCCEED);
    expect(w.pmd()).toBe(PMD.huge);
    expect(w.check()).toEqual([]);
  });
});
