import { describe, expect, it } from 'vitest';
import type { Pfn } from './brands.js';
import { takeBlock } from './buddy.js';
import { injectAllocationFailure } from './fault-injection.js';
import { folioPut } from './folio-lifetime.js';
import { nodeOf } from './machine.js';
import { allocFolio, GFP, type Gfp } from './page-alloc.js';
import { occupyFrame } from './populate.js';
import { vmstat } from './testing/counters.js';
import { expectSound, fill, smallWorld } from './testing/folios.js';
import type { World } from './testing/world.js';

function alloc(w: World, order: number, gfp: Gfp = GFP.transhugeLight, nid = 0, nodes?: number): number {
  return w.run(allocFolio(w.m, order, gfp, nid, nodes));
}

/** Leaves no free block of order 2 or more: every fourth frame is taken. */
function fragment(w: World, movable: boolean): void {
  for (let pfn = 1; pfn < w.m.frame.capacity; pfn += 4) occupyFrame(w.m, pfn as Pfn, movable);
  if (w.m.node.freePages[0] === 0) throw new Error('nothing left');
}

describe('allocating a folio', () => {
  it('gives one reference and costs more for a higher order', () => {
    const w = smallWorld();
    const before = w.m.current.nowNs;
    const pfn = alloc(w, 4);
    const cost = w.m.current.nowNs - before;
    expect(w.m.frame.refcount[pfn]).toBe(1);
    expect(cost).toBe(w.m.costs.allocBase + 4 * w.m.costs.allocPerOrder);
    folioPut(w.m, pfn as Pfn);
    expectSound(w);
  });

  it('prefers the node asked for and falls back to the others that are allowed', () => {
    const w = smallWorld(0, { nodePages: [64, 64] });
    expect(nodeOf(w.m, alloc(w, 4, GFP.transhugeLight, 1) as Pfn)).toBe(1);
    while (takeBlock(w.m, 1, 4) !== 0);
    expect(nodeOf(w.m, alloc(w, 4, GFP.transhugeLight, 1) as Pfn)).toBe(0);
    expect(alloc(w, 4, GFP.transhugeLight, 1, 0b10)).toBe(0);
  });

  it('compacts for a huge page with direct reclaim, and not for a light one', () => {
    const w = smallWorld();
    fragment(w, true);
    expect(alloc(w, 4, GFP.transhugeLight)).toBe(0);
    expect(vmstat(w, 'compact_stall')).toBe(0);
    expect(alloc(w, 4, GFP.transhuge)).not.toBe(0);
    expect(vmstat(w, 'compact_success')).toBe(1);
  });

  it('swaps something out for a base page if all memory is in use', () => {
    const w = smallWorld();
    fill(w, 400);
    while (takeBlock(w.m, 0, 0) !== 0);
    expect(alloc(w, 0, GFP.movable)).not.toBe(0);
    expect(vmstat(w, 'pswpout')).toBeGreaterThan(0);
  });

  it('fails if nothing can be swapped out', () => {
    const w = smallWorld(0, { swapPages: 0 });
    fill(w, 400);
    while (takeBlock(w.m, 0, 0) !== 0);
    expect(alloc(w, 0, GFP.movable)).toBe(0);
  });
});

describe('fault injection', () => {
  it('fails the k-th allocation of an order and lets the others pass', () => {
    const w = smallWorld();
    injectAllocationFailure(w.m, { order: 3, nth: 2, count: 1 });
    expect([3, 2, 3, 3].map((order) => alloc(w, order) !== 0)).toEqual([true, true, false, true]);
  });

  it('fails all from the k-th on without a count, whatever the order if none is given', () => {
    const w = smallWorld();
    injectAllocationFailure(w.m, { nth: 2 });
    expect([0, 2, 3].map((order) => alloc(w, order) !== 0)).toEqual([true, false, false]);
  });

  it('refuses a ninth rule', () => {
    const w = smallWorld();
    for (let i = 0; i < 8; i++) injectAllocationFailure(w.m, { nth: 100 });
    expect(() => injectAllocationFailure(w.m, { nth: 100 })).toThrow(/more than 8/);
  });
});
