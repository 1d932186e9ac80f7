import { describe, expect, it } from 'vitest';
import { TVA, thpVmaAllowableOrders } from './eligibility.js';
import { VM } from './flags.js';
import { dupMm } from './fork.js';
import { PR_THP_DISABLE_EXCEPT_ADVISED, prctlGetThpDisable, prctlSetThpDisable } from './prctl.js';
import { makeWorld, mapAt, onlyVma } from './testing/world.js';

describe('PR_SET_THP_DISABLE', () => {
  it('has two forms, of which one is in force; the getter tells them apart, and a child inherits them', () => {
    const w = makeWorld();
    const set = (on: boolean, flags?: number): number => w.run(prctlSetThpDisable(w.m, w.mm, on, flags));
    expect(prctlGetThpDisable(w.m, w.mm)).toBe(0);
    expect(set(true)).toBe(0);
    expect(prctlGetThpDisable(w.m, w.mm)).toBe(1);
    expect(set(true, PR_THP_DISABLE_EXCEPT_ADVISED)).toBe(0);
    expect(prctlGetThpDisable(w.m, w.mm)).toBe(3);
    expect(prctlGetThpDisable(w.m, w.run(dupMm(w.m, w.mm)))).toBe(3);
    expect(set(false)).toBe(0);
    expect(prctlGetThpDisable(w.m, w.mm)).toBe(0);
  });

  it('refuses flags that do not exist, and any when switching back on', () => {
    const w = makeWorld();
    expect(w.run(prctlSetThpDisable(w.m, w.mm, true, 1))).toBe(-22);
    expect(w.run(prctlSetThpDisable(w.m, w.mm, false, PR_THP_DISABLE_EXCEPT_ADVISED))).toBe(-22);
  });

  it('stops huge pages, or those that nobody asked for', () => {
    const w = makeWorld({ thp: 'always' });
    mapAt(w, 512, 512);
    const orders = (flags: number): number => thpVmaAllowableOrders(w.m, onlyVma(w), TVA.pagefault, 0x200, flags);
    expect(orders(0)).toBe(0x200);
    w.run(prctlSetThpDisable(w.m, w.mm, true, PR_THP_DISABLE_EXCEPT_ADVISED));
    expect([orders(0), orders(VM.HUGEPAGE)]).toEqual([0, 0x200]);
    w.run(prctlSetThpDisable(w.m, w.mm, true));
    expect([orders(0), orders(VM.HUGEPAGE)]).toEqual([0, 0]);
  });
});
