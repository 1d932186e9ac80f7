// What schemes do to TLBs, and what monitoring does not (DAMON spec 2.1).

import { createTlb, KUNPENG_920, TLB_ACCESS, TLB_TABLES, tlbAccess, tlbSizes } from '@thplab/mm-model';
import { TRACE_TABLES, traceSizes } from '@thplab/trace';
import { describe, expect, it } from 'vitest';
import { DAMON_TABLES, damonSizes } from '../tables.js';
import { applyOnce, BASE, range } from '../testing/apply-once.js';
import { fillBase, fillHuge, makeDamonWorld, makeProcess, page } from '../testing/damon-world.js';
import { ACTIONS_AND_TLB } from '../testing/golden-tlb-actions.js';

describe('a page that the TLB knows', () => {
  it.each(ACTIONS_AND_TLB)('$row: after $action of $memory the next access is a $next', ({ action, memory, next }) => {
    const w = makeDamonWorld({
      swapPages: 4_096,
      extraTables: { ...DAMON_TABLES, ...TRACE_TABLES, ...TLB_TABLES },
      extraSizes: { ...damonSizes(), ...traceSizes(65_536), ...tlbSizes(KUNPENG_920, 2) },
    });
    const { mm, vma } = makeProcess(w, BASE, 512);
    if (memory === 'huge page') fillHuge(w, vma, BASE, 1);
    else fillBase(w, vma, BASE, 512);
    const tlb = createTlb(w.m, KUNPENG_920, 1);
    const look = (): string => {
      const result = tlbAccess(tlb, 0, mm, page(BASE), false);
      if (result === TLB_ACCESS.fault) return 'fault';
      return result === TLB_ACCESS.first || result === TLB_ACCESS.second ? 'hit' : 'walk';
    };
    look();
    expect(look()).toBe('hit');
    const targetOrder = action === 'split' ? { targetOrder: 2 } : {};
    expect(applyOnce(w, mm, [range(BASE, 512)], { action, ...targetOrder }).nrTried).toBe(1);
    expect(look()).toBe(next);
  });
});
