import {
  dupMm,
  injectAllocationFailure,
  MADV,
  madvise,
  PMD,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  placeFolio,
  placeSwapped,
  type Vpn,
} from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import type { DecisionRecorder } from '../decision-recorder.js';
import { generationByName } from '../generations/index.js';
import { variantOf } from '../generations/variant.js';
import { SCAN, type ScanResult, scanResultName } from '../results.js';
import { BASE, CollapseWorld } from '../testing/collapse-world.js';

const USED = PTE_YOUNG | PTE_DIRTY | PTE_WRITE;

/** A world of Dev Jain's v1 (or of another kernel), with what it scanned and attempted in words. */
function world(orders: readonly number[], present: readonly (readonly [number, number])[], kernel = 'dev-v1') {
  const steps: string[] = [];
  const recorder: DecisionRecorder = {
    scanned: (_mm, _page, result, facts) => steps.push(`scan ${facts.scanned} ${scanResultName(result)}`),
    attempted: (_mm, page, order, result) => steps.push(`${page - BASE}@${order} ${scanResultName(result)}`),
  };
  const w = new CollapseWorld({ generation: generationByName(kernel), recorder });
  w.map();
  w.enableOrders(...orders);
  for (const [from, to] of present) w.place(from, to);
  const attempts = (): string[] => steps.filter((step) => !step.startsWith('scan'));
  const range = (): ScanResult => w.range();
  return { w, steps, attempts, range };
}

describe('the linear rescan of Dev Jain’s v1 (khugepaged spec 15.4)', () => {
  it('scans each window by itself, at falling orders, and goes on behind a success', () => {
    const { w, steps, range } = world([4, 5, 9], [[0, 48]]);
    w.set('khugepaged.max_ptes_none', 0);
    range();
    expect(steps).toEqual([
      'scan 49 EXCEED_NONE_PTE',
      'scan 32 SUCCEED',
      '0@5 SUCCEED',
      'scan 17 EXCEED_NONE_PTE',
      'scan 16 SUCCEED',
      '32@4 SUCCEED',
      'scan 1 EXCEED_NONE_PTE',
    ]);
    expect(w.check()).toEqual([]);
  });

  it('takes an order out for the rest of the range, so that a window behind a hole is never reached', () => {
    const { attempts, range } = world(
      [4],
      [
        [0, 16],
        [100, 104],
      ],
    );
    expect(range()).toBe(SCAN.EXCEED_NONE_PTE);
    expect(attempts()).toEqual(['0@4 SUCCEED']);
  });

  it('is done with the range when the window at its end was attempted, whatever came of it', () => {
    const { w, attempts, range } = world([4, 9], [[0, 512]]);
    injectAllocationFailure(w.m, { order: 9, nth: 1 });
    expect(range()).toBe(SCAN.ALLOC_HUGE_PAGE_FAIL);
    expect(attempts()).toEqual(['0@9 ALLOC_HUGE_PAGE_FAIL']);
  });

  it('reports the last scan or attempt, so a partial success may go uncounted', () => {
    expect(world([4], [[0, 16]]).range()).toBe(SCAN.EXCEED_NONE_PTE);
    expect(world([4], [[0, 512]]).range()).toBe(SCAN.SUCCEED);
  });

  it.each([
    [2, '0@4 SUCCEED'],
    [3, undefined],
  ])('brings in swapped entries up to the scaled limit: 64 >> 5 is 2, there are %i', (swapped, first) => {
    const { w, attempts, range } = world([4], [[swapped, 512]]);
    placeSwapped(w.m, w.vma(), BASE, swapped);
    range();
    expect(attempts()[0]).toBe(first);
    expect(w.m.mm.swapEnts[w.mm]).toBe(first === undefined ? swapped : 0);
    expect(w.check()).toEqual([]);
  });

  it('accepts shared entries up to the scaled limit: 256 >> 5 is 8', () => {
    for (const [shared, first] of [
      [8, '0@4 SUCCEED'],
      [9, undefined],
    ] as const) {
      const { w, attempts, range } = world([4], [[0, shared]]);
      w.run(dupMm(w.m, w.mm));
      w.place(shared, 16);
      range();
      expect(attempts()[0]).toBe(first);
    }
  });

  it('wants a writable entry in each window, and signs of use in half of it if something is swapped', () => {
    const readOnly = world([4], []);
    readOnly.w.place(0, 16, PTE_YOUNG);
    expect(readOnly.range()).toBe(SCAN.PAGE_RO);
    const cold = world([4], []);
    placeSwapped(cold.w.m, cold.w.vma(), BASE, 1);
    cold.w.place(1, 8, USED);
    cold.w.place(8, 16, PTE_WRITE);
    expect(cold.range()).toBe(SCAN.LACK_REFERENCED_PAGE);
  });

  it('steps over a folio that is as large as the window, and goes on behind it', () => {
    const { w, steps, range } = world([4], []);
    placeFolio(w.m, w.vma(), BASE, 5, USED);
    w.place(32, 512);
    expect(range()).toBe(SCAN.SUCCEED);
    expect(steps.slice(0, 3)).toEqual(['scan 1 PTE_MAPPED', 'scan 16 SUCCEED', '32@4 SUCCEED']);
    expect(w.check()).toEqual([]);
  });

  it('steps too far where the folio begins in the middle of the window, and leaves the alignment', () => {
    const { w, steps, range } = world([4], []);
    placeFolio(w.m, w.vma(), BASE, 4, USED);
    w.place(16, 512);
    w.run(madvise(w.m, w.mm, BASE, 4, MADV.DONTNEED));
    w.set('khugepaged.max_ptes_none', 511);
    range();
    // Entry 4 is the first of the folio that is left: 4 + 16, which is a multiple of 4 only; order 2 is not enabled.
    expect(steps.slice(0, 3)).toEqual(['scan 5 PTE_MAPPED', 'scan 16 SUCCEED', '20@4 SUCCEED']);
    expect(w.check()).toEqual([]);
  });

  it('charges the whole range, however often it was scanned', () => {
    const { w, range } = world([4, 5, 6, 9], [[0, 20]]);
    range();
    expect(w.khugepaged.progress).toBe(512);
  });

  it('counts allocations per order, refused windows not', () => {
    const { w, range } = world([4], [[0, 16]]);
    range();
    expect([w.stat(4, 'collapse_alloc'), w.stat(4, 'collapse_exceed_none_pte')]).toEqual([1, 0]);
    expect(w.vmstat('thp_scan_exceed_none_pte')).toBe(1);
  });

  it('gives MADV_COLLAPSE the PMD order, without limits', () => {
    const { w, attempts } = world([4], [[0, 1]]);
    expect(w.madvCollapse(BASE, (BASE + 512) as Vpn)).toBe(0);
    expect(attempts()).toEqual(['0@9 SUCCEED']);
    expect(w.pmd()).toBe(PMD.huge);
  });

  it('looks the VMA up again after an attempt; the defect B6 does not', () => {
    const generation = variantOf(generationByName('dev-v1'), { reusesVmaAfterRelock: true });
    for (const kernel of [generationByName('dev-v1'), generation]) {
      const w = new CollapseWorld({ generation: kernel, profile: 'dev-v1' });
      w.map();
      w.enableOrders(4);
      w.place(0, 512);
      expect(w.range()).toBe(SCAN.SUCCEED);
      expect(w.check()).toEqual([]);
    }
  });
});

describe('Dev Jain’s v2', () => {
  it.each([
    [0, ['0@4 SUCCEED']],
    [100, []],
    [511, ['0@4 SUCCEED']],
  ])('builds mTHP only at max_ptes_none 0 or 511 (the strict policy): %i', (none, expected) => {
    const { w, attempts, range } = world([4, 9], [[0, 16]], 'dev-v2');
    w.enableOrders(4);
    w.set('khugepaged.max_ptes_none', none);
    range();
    expect(attempts()).toEqual(expected);
  });

  it('still takes the PMD order at any setting', () => {
    const { w, attempts, range } = world([4, 9], [[0, 412]], 'dev-v2');
    w.set('khugepaged.max_ptes_none', 100);
    expect(range()).toBe(SCAN.SUCCEED);
    expect(attempts()).toEqual(['0@9 SUCCEED']);
  });

  it('allows no swapped entry below the PMD order', () => {
    const { w, attempts, range } = world([4], [[1, 512]], 'dev-v2');
    placeSwapped(w.m, w.vma(), BASE, 1);
    expect(range()).toBe(SCAN.EXCEED_SWAP_PTE);
    expect(attempts()).toEqual([]);
  });
});
