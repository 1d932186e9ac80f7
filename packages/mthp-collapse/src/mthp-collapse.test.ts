import {
  dupMm,
  folioTrylock,
  injectAllocationFailure,
  MADV,
  madvise,
  type Pfn,
  PTE_YOUNG,
  placeFolio,
  placeMarkers,
  placeSwapped,
  userfaultfdRegister,
  VM,
  type Vpn,
} from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import type { DecisionRecorder } from './decision-recorder.js';
import type { Generation } from './generations/generation.js';
import { legacy618 } from './generations/legacy-6-18.js';
import { merged } from './generations/merged.js';
import { v4 } from './generations/v4.js';
import { v12 } from './generations/v12.js';
import { v18 } from './generations/v18.js';
import { WARNING_MAX_PTES_NONE } from './mthp-collapse.js';
import { SCAN, type ScanResult } from './results.js';
import { BASE, CollapseWorld, type CollapseWorldOptions } from './testing/collapse-world.js';

type Range = readonly [from: number, to: number];

/** A world with the orders enabled and the ranges populated, and the attempts made in it: `slot:order=result`. */
function worldOf(
  orders: readonly number[],
  present: readonly Range[],
  options: CollapseWorldOptions = {},
): {
  readonly w: CollapseWorld;
  readonly attempts: string[];
} {
  const attempts: string[] = [];
  const recorder: DecisionRecorder = {
    attempted: (_mm, page, order, result) => attempts.push(`${page - BASE}:${order}=${result}`),
  };
  const w = new CollapseWorld({ recorder, ...options });
  w.map();
  w.enableOrders(...orders);
  for (const [from, to] of present) w.place(from, to);
  return { w, attempts };
}

const ok = (slot: number, order: number): string => `${slot}:${order}=${SCAN.SUCCEED}`;
const got = (slot: number, order: number, result: ScanResult): string => `${slot}:${order}=${result}`;
const all = [2, 3, 4, 5, 6, 7, 8, 9];

describe('vectors of khugepaged spec 9, in a modelled machine', () => {
  it('W1: the whole table at once', () => {
    const { w, attempts } = worldOf([9], [[0, 512]]);
    expect(w.range()).toBe(SCAN.SUCCEED);
    expect(attempts).toEqual([ok(0, 9)]);
  });

  it('W2: no huge page to be had, so two small windows', () => {
    const { w, attempts } = worldOf(
      [9, 4],
      [
        [0, 16],
        [100, 104],
      ],
    );
    injectAllocationFailure(w.m, { order: 9, nth: 1 });
    expect(w.range()).toBe(SCAN.SUCCEED);
    expect(attempts).toEqual([got(0, 9, SCAN.ALLOC_HUGE_PAGE_FAIL), ok(0, 4), ok(96, 4)]);
    expect(w.m.mm.rssAnon[w.mm]).toBe(32);
    expect(w.check()).toEqual([]);
  });

  it('W4 and W5: full windows only', () => {
    const first = worldOf(
      [4, 2],
      [
        [0, 16],
        [100, 104],
      ],
    );
    first.w.set('khugepaged.max_ptes_none', 0);
    expect(first.w.range()).toBe(SCAN.SUCCEED);
    expect(first.attempts).toEqual([ok(0, 4), ok(100, 2)]);
    const second = worldOf(all, [[0, 20]]);
    second.w.set('khugepaged.max_ptes_none', 100);
    // With the PMD order enabled beside others the scan does not count empty entries.
    expect(second.w.range()).toBe(SCAN.SUCCEED);
    expect(second.attempts).toEqual([ok(0, 4), ok(16, 2)]);
    expect(second.w.m.machine.warnings[0]).toBe(WARNING_MAX_PTES_NONE);
  });

  it('W8: a run that is not aligned gives one aligned window', () => {
    const { w, attempts } = worldOf([3, 2], [[3, 11]]);
    w.set('khugepaged.max_ptes_none', 0);
    w.range();
    expect(attempts).toEqual([ok(4, 2)]);
    expect(w.m.mm.rssAnon[w.mm]).toBe(8);
  });

  it('W10: a change of eligibility ends the table and keeps what was collapsed', () => {
    let tries = 0;
    const { w, attempts } = worldOf([4], [[0, 64]], {
      injections: {
        chargeFails: () => {
          if (++tries === 2) w.enableOrders(5);
          return false;
        },
      },
    });
    expect(w.range()).toBe(SCAN.SUCCEED);
    expect(attempts).toEqual([ok(0, 4), got(16, 4, SCAN.VMA_CHECK)]);
  });

  it('W12: a window that is collapsed already ends as FAIL, and costs an allocation at every pass (case B22)', () => {
    const { w, attempts } = worldOf([4], [[0, 16]]);
    w.set('khugepaged.max_ptes_none', 0);
    expect(w.range()).toBe(SCAN.SUCCEED);
    expect(w.range()).toBe(SCAN.FAIL);
    expect(w.range()).toBe(SCAN.FAIL);
    expect(attempts.slice(1)).toEqual([got(0, 4, SCAN.PTE_MAPPED_HUGEPAGE), got(0, 4, SCAN.PTE_MAPPED_HUGEPAGE)]);
    expect(w.stat(4, 'collapse_alloc')).toBe(3);
    expect(w.stat(4, 'nr_anon')).toBe(1);
  });

  it.each([
    [merged, true],
    [v18, false],
  ])('W13, case B10: with $name 511 pages and a swapped one are tried at max_ptes_none 0: $1', (generation, tried) => {
    const { w, attempts } = worldOf([9], [[0, 511]], { generation });
    placeSwapped(w.m, w.vma(), (BASE + 511) as Vpn, 1);
    w.set('khugepaged.max_ptes_none', 0);
    expect(w.range()).toBe(tried ? SCAN.SUCCEED : SCAN.FAIL);
    expect(attempts).toEqual(tried ? [ok(0, 9)] : []);
  });
});

describe('the end of a table', () => {
  it.each([
    [merged, SCAN.ALLOC_HUGE_PAGE_FAIL],
    [v12, SCAN.FAIL],
    [legacy618, SCAN.ALLOC_HUGE_PAGE_FAIL],
  ])('$name: when no order can be allocated the result is $1 (case B9)', (generation, result) => {
    const { w } = worldOf(all, [[0, 512]], { generation });
    injectAllocationFailure(w.m, { nth: 1 });
    expect(w.range()).toBe(result);
  });

  it('userfaultfd is not seen by the scan when small orders are enabled, but no hole is ever filled (case B12)', () => {
    const { w, attempts } = worldOf([4], [[0, 15]]);
    expect(w.run(userfaultfdRegister(w.m, w.mm, BASE, 512, VM.UFFD_MISSING))).toBe(0);
    expect(w.range()).toBe(SCAN.EXCEED_NONE_PTE);
    expect(attempts[0]).toBe(got(0, 4, SCAN.EXCEED_NONE_PTE));
    expect(w.m.mm.rssAnon[w.mm]).toBe(15);
    expect(w.stat(4, 'collapse_alloc')).toBe(1);
  });

  it('userfaultfd registered after the scan is seen by isolate', () => {
    const { w } = worldOf([4], [[0, 15]], {
      injections: {
        chargeFails: () => {
          w.run(userfaultfdRegister(w.m, w.mm, BASE, 512, VM.UFFD_MISSING));
          return false;
        },
      },
    });
    expect(w.range()).toBe(SCAN.EXCEED_NONE_PTE);
    expect(w.m.mm.rssAnon[w.mm]).toBe(15);
  });

  it('a write to max_ptes_none acts on the windows still to come', () => {
    const { w, attempts } = worldOf(
      [4],
      [
        [0, 1],
        [16, 17],
      ],
      {
        injections: {
          chargeFails: () => {
            w.set('khugepaged.max_ptes_none', 0);
            return false;
          },
        },
      },
    );
    w.range();
    expect(attempts).toEqual([got(0, 4, SCAN.EXCEED_NONE_PTE)]);
  });

  it('a greedy generation attempts an order that says always whatever its occupancy', () => {
    const { w, attempts } = worldOf([9], [[0, 1]], { generation: v4 });
    w.set('khugepaged.max_ptes_none', 511);
    expect(w.range()).toBe(SCAN.SUCCEED);
    expect(attempts).toEqual([ok(0, 9)]);
  });
});

/** A fresh table of 512 used pages, spoiled, scanned once. */
function scanned(
  generation: Generation,
  spoil: (w: CollapseWorld) => void,
  orders: readonly number[] = [9],
): CollapseWorld {
  const { w } = worldOf(orders, [[0, 500]], { generation });
  spoil(w);
  return w;
}

describe('the scan of a range', () => {
  it.each([
    [merged, 8],
    [legacy618, 512],
  ])('$name: a locked page at entry 7 costs a budget of $1', (generation, progress) => {
    const w = scanned(generation, (world) => void folioTrylock(world.m, world.frame(BASE + 7) as Pfn));
    expect(w.range()).toBe(SCAN.PAGE_LOCK);
    expect(w.khugepaged.progress).toBe(progress);
  });

  it.each([
    [merged, SCAN.NO_PTE_TABLE, 1],
    [legacy618, SCAN.PMD_NULL, 512],
  ])('$name: memory without any page table is $1 and costs $2', (generation, result, progress) => {
    const w = new CollapseWorld({ generation });
    w.map();
    expect(w.range()).toBe(result);
    expect(w.khugepaged.progress).toBe(progress);
  });

  it('a huge page costs 1', () => {
    const w = new CollapseWorld();
    w.map();
    placeFolio(w.m, w.vma(), BASE, 9, PTE_YOUNG, { pmdMapped: true });
    expect(w.range()).toBe(SCAN.PMD_MAPPED);
    expect(w.khugepaged.progress).toBe(1);
  });

  it.each([
    [merged, 1],
    [v12, 0],
    [legacy618, 0],
  ])('$name: a limit passed in the scan is a vm event, and counts $1 at the PMD order', (generation, perOrder) => {
    const w = scanned(generation, (world) => world.set('khugepaged.max_ptes_none', 3));
    expect(w.range()).toBe(SCAN.EXCEED_NONE_PTE);
    expect(w.vmstat('thp_scan_exceed_none_pte')).toBe(1);
    expect(w.stat(9, 'collapse_exceed_none_pte')).toBe(perOrder);
  });

  it('the three limits at their edges, with the defaults of a fresh boot', () => {
    const swapped = (count: number) => (w: CollapseWorld) => placeMarkers(w.m, w.vma(), (BASE + 440) as Vpn, count, 7);
    const w64 = worldOf([9], [[0, 440]], { generation: legacy618 }).w;
    swapped(64)(w64);
    // 64 pass the scan; the guard entries then make swap-in fail, after an allocation.
    expect(w64.range()).toBe(SCAN.FAIL);
    expect(w64.vmstat('thp_collapse_alloc')).toBe(1);
    const w65 = worldOf([9], [[0, 440]], { generation: legacy618 }).w;
    swapped(65)(w65);
    expect(w65.range()).toBe(SCAN.EXCEED_SWAP_PTE);
    expect(w65.vmstat('thp_collapse_alloc')).toBe(0);
  });

  it('256 shared pages collapse, 257 do not', () => {
    for (const [shared, result] of [
      [256, SCAN.SUCCEED],
      [257, SCAN.EXCEED_SHARED_PTE],
    ] as const) {
      const { w } = worldOf([9], [[0, shared]]);
      w.run(dupMm(w.m, w.mm));
      w.place(shared, 512);
      expect(w.range()).toBe(result);
    }
  });

  it('one used page is enough; with swapped ones half of the table is needed', () => {
    const { w } = worldOf([9], []);
    w.place(0, 511, 0);
    w.place(511, 512);
    expect(w.range()).toBe(SCAN.SUCCEED);
    const { w: cold } = worldOf([9], [[0, 255]]);
    cold.place(255, 511, 0);
    placeSwapped(cold.m, cold.vma(), (BASE + 511) as Vpn, 1);
    expect(cold.range()).toBe(SCAN.LACK_REFERENCED_PAGE);
  });

  it('lazily freed pages stop khugepaged, unless they were dirtied or the VMA is droppable', () => {
    const { w } = worldOf([9], [[0, 512]]);
    w.run(madvise(w.m, w.mm, (BASE + 100) as Vpn, 200, MADV.FREE));
    expect(w.range()).toBe(SCAN.PAGE_LAZYFREE);
    w.m.vma.flags[w.vma()] |= VM.DROPPABLE;
    expect(w.range()).toBe(SCAN.SUCCEED);
    expect(w.check()).toEqual([]);
  });
});
