import { setBit } from '@thplab/arena';
import {
  findTable,
  folioTrylock,
  folioUnlock,
  injectAllocationFailure,
  PAGE,
  type Pfn,
  PTE_WRITE,
  PTE_YOUNG,
  pinPages,
  placeFolio,
  placeSwapped,
  pteBit,
  setFrameFlags,
  type TableId,
  unpinPages,
  type Vpn,
} from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { KernelOopsError } from './errors.js';
import { legacy618 } from './generations/legacy-6-18.js';
import { merged } from './generations/merged.js';
import { v15 } from './generations/v15.js';
import { SCAN } from './results.js';
import { BASE, CollapseWorld } from './testing/collapse-world.js';

function table(w: CollapseWorld): TableId {
  const found = findTable(w.m, w.mm, BASE);
  if (found === 0) throw new Error('no table');
  return found;
}

describe('statistics of an attempt', () => {
  it('allocations are counted before they are charged', () => {
    const w = new CollapseWorld({ injections: { chargeFails: () => true } });
    w.map();
    w.place(0, 512);
    w.attempt(0, 9);
    expect([w.vmstat('thp_collapse_alloc'), w.stat(9, 'collapse_alloc')]).toEqual([1, 1]);
  });

  it('a missing deferred-split list is a failed allocation that counts as a success (23.9)', () => {
    const w = new CollapseWorld({ injections: { deferredListFails: () => true } });
    w.map();
    w.place(0, 512);
    w.attempt(0, 9);
    expect([w.stat(9, 'collapse_alloc'), w.stat(9, 'collapse_alloc_failed')]).toEqual([1, 0]);
  });

  it('a failed allocation counts per order, and as vm event at the PMD order only', () => {
    const w = new CollapseWorld();
    w.map();
    w.enableOrders(4, 9);
    w.place(0, 512);
    injectAllocationFailure(w.m, { nth: 1 });
    expect(w.attempt(0, 4)).toBe(SCAN.ALLOC_HUGE_PAGE_FAIL);
    expect([w.stat(4, 'collapse_alloc_failed'), w.vmstat('thp_collapse_alloc_failed')]).toEqual([1, 0]);
    expect(w.attempt(0, 9)).toBe(SCAN.ALLOC_HUGE_PAGE_FAIL);
    expect([w.stat(9, 'collapse_alloc_failed'), w.vmstat('thp_collapse_alloc_failed')]).toEqual([1, 1]);
  });

  it.each([
    [merged, 4, 1, 0],
    [merged, 9, 1, 1],
    [legacy618, 9, 0, 1],
  ])(
    '$name, order $1: too many empty entries count $2 per order and $3 as vm event',
    (generation, order, stat, event) => {
      const w = new CollapseWorld({ generation });
      w.map();
      w.enableOrders(4, 9);
      w.place(0, 15);
      w.set('khugepaged.max_ptes_none', 0);
      expect(w.attempt(0, order)).toBe(SCAN.EXCEED_NONE_PTE);
      expect([w.stat(order, 'collapse_exceed_none_pte'), w.vmstat('thp_scan_exceed_none_pte')]).toEqual([stat, event]);
    },
  );

  it('a swapped page below the PMD order counts there, and is no vm event', () => {
    const w = new CollapseWorld();
    w.map();
    w.enableOrders(4);
    w.place(0, 15);
    placeSwapped(w.m, w.vma(), (BASE + 15) as Vpn, 1);
    expect(w.attempt(0, 4, { unmapped: 1 })).toBe(SCAN.EXCEED_SWAP_PTE);
    expect([w.stat(4, 'collapse_exceed_swap_pte'), w.vmstat('thp_scan_exceed_swap_pte')]).toEqual([1, 0]);
  });
});

describe('swap-in before a collapse', () => {
  it('brings all of the range back, and the collapse goes on', () => {
    const w = new CollapseWorld();
    w.map();
    w.place(0, 450);
    placeSwapped(w.m, w.vma(), (BASE + 450) as Vpn, 62);
    const swapped = w.m.swap.stamp.slice(1, 63);
    expect(w.attempt(0, 9, { unmapped: 62 })).toBe(SCAN.SUCCEED);
    expect(w.contents(BASE + 450, BASE + 512)).toEqual([...swapped]);
    expect(w.m.mm.swapEnts[w.mm]).toBe(0);
    expect(w.vmstat('pswpin')).toBe(62);
    expect(w.events('mm_collapse_huge_page_swapin')).toMatchObject([{ swapped_in: 62, ret: 1, order: 9 }]);
    expect(w.check()).toEqual([]);
  });

  it('is not done when the scan saw no non-present entry', () => {
    const w = new CollapseWorld();
    w.map();
    w.place(0, 512);
    w.attempt(0, 9);
    expect(w.events('mm_collapse_huge_page_swapin')).toEqual([]);
  });
});

describe('pins', () => {
  it('keep a collapse away until they go', () => {
    const w = new CollapseWorld();
    w.map();
    w.place(0, 512);
    const pins = w.run(pinPages(w.m, w.mm, (BASE + 77) as Vpn, 1, { write: true }));
    expect(w.range()).toBe(SCAN.PAGE_COUNT);
    expect(w.attempt(0, 9)).toBe(SCAN.PAGE_COUNT);
    expect(w.check({ pins: pins.frames })).toEqual([]);
    unpinPages(w.m, pins.frames);
    expect(w.range()).toBe(SCAN.SUCCEED);
  });
});

describe('a failed attempt', () => {
  it('gives back small and large folios, locked and isolated before the page that stopped it', () => {
    const w = new CollapseWorld();
    w.map();
    placeFolio(w.m, w.vma(), BASE, 4, PTE_YOUNG | PTE_WRITE);
    w.place(16, 512);
    const last = w.frame(BASE + 511) as Pfn;
    folioTrylock(w.m, last);
    expect(w.attempt(0, 9)).toBe(SCAN.PAGE_LOCK);
    folioUnlock(w.m, last);
    expect(w.check()).toEqual([]);
    expect(w.attempt(0, 9)).toBe(SCAN.SUCCEED);
  });

  it('brings the mirrors of the table up to date with what happened while it was out of the PMD', () => {
    const w = new CollapseWorld();
    w.map();
    w.place(0, 512);
    setBit(w.m.pte.attention, pteBit(w.m, table(w), 40));
    setFrameFlags(w.m, w.frame(BASE + 200), PAGE.HWPOISON);
    w.attempt(0, 9);
    expect(w.check()).toEqual([]);
  });

  it('crashes where the modelled kernel would: a refused limit that runs the clean-up (case B2)', () => {
    const w = new CollapseWorld({ generation: { ...v15, refusedLimitRunsCleanup: true }, profile: 'v15' });
    w.map();
    w.enableOrders(4);
    w.place(0, 16);
    w.set('khugepaged.max_ptes_none', 100);
    expect(() => w.attempt(0, 4)).toThrow(KernelOopsError);
  });
});
