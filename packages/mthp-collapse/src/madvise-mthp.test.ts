import {
  ERRNO,
  injectAllocationFailure,
  type Pfn,
  PMD,
  pinPages,
  placeSwapped,
  unpinPages,
  VM,
  type Vpn,
} from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { chooseWindows } from './choice/choose-windows.js';
import type { DecisionRecorder } from './decision-recorder.js';
import { generationByName } from './generations/index.js';
import { SCAN, scanResultName } from './results.js';
import { BASE, CollapseWorld } from './testing/collapse-world.js';

function world(kernel: string, orders: readonly number[], present: readonly (readonly [number, number])[]) {
  const attempts: string[] = [];
  const recorder: DecisionRecorder = {
    attempted: (_mm, page, order, result) => attempts.push(`${page - BASE}@${order} ${scanResultName(result)}`),
  };
  const w = new CollapseWorld({ generation: generationByName(kernel), recorder });
  w.map();
  w.enableOrders(...orders);
  for (const [from, to] of present) w.place(from, to);
  return { w, attempts, collapse: () => w.madvCollapse(BASE, (BASE + 512) as Vpn) };
}

describe('MADV_COLLAPSE of mTHP, the what-if policy', () => {
  it('is what merged does where the PMD order succeeds', () => {
    const { w, attempts, collapse } = world('madvise-mthp', [4], [[0, 1]]);
    expect(collapse()).toBe(0);
    expect(attempts).toEqual(['0@9 SUCCEED']);
    expect(w.pmd()).toBe(PMD.huge);
  });

  it('goes down the enabled orders where no huge page is to be had, and answers as merged does', () => {
    const present = [
      [0, 20],
      [100, 101],
    ] as const;
    const { w, attempts, collapse } = world('madvise-mthp', [4], present);
    injectAllocationFailure(w.m, { order: 9, nth: 1 });
    expect(collapse()).toBe(-ERRNO.ENOMEM);
    expect(attempts).toEqual(['0@9 ALLOC_HUGE_PAGE_FAIL', '0@4 SUCCEED', '16@4 SUCCEED', '96@4 SUCCEED']);
    expect(w.m.mm.rssAnon[w.mm]).toBe(48);
    expect(w.check()).toEqual([]);
    const plain = world('merged', [4], present);
    injectAllocationFailure(plain.w.m, { order: 9, nth: 1 });
    expect(plain.collapse()).toBe(-ERRNO.ENOMEM);
    expect(plain.attempts).toEqual(['0@9 ALLOC_HUGE_PAGE_FAIL']);
  });

  it('goes around a pinned page, and still answers EAGAIN', () => {
    const { w, attempts, collapse } = world('madvise-mthp', [7], [[0, 512]]);
    w.run(pinPages(w.m, w.mm, (BASE + 7) as Vpn, 1, { write: true }));
    expect(collapse()).toBe(-ERRNO.EAGAIN);
    expect(attempts).toEqual(['0@7 PAGE_COUNT', '128@7 SUCCEED', '256@7 SUCCEED', '384@7 SUCCEED']);
    unpinPages(w.m, [w.frame(BASE + 7) as Pfn]);
    expect(w.check()).toEqual([]);
  });

  it('leaves windows with a swapped page alone: none is brought in below the PMD order', () => {
    const { w, attempts, collapse } = world('madvise-mthp', [8], [[1, 512]]);
    placeSwapped(w.m, w.vma(), BASE, 1);
    injectAllocationFailure(w.m, { order: 9, nth: 1 });
    expect(collapse()).toBe(-ERRNO.ENOMEM);
    expect(attempts).toEqual(['0@9 ALLOC_HUGE_PAGE_FAIL', '0@8 EXCEED_SWAP_PTE', '256@8 SUCCEED']);
  });

  it('is the same as merged without an enabled order, for the process that refuses, and for khugepaged', () => {
    const none = world('madvise-mthp', [], [[0, 512]]);
    injectAllocationFailure(none.w.m, { order: 9, nth: 1 });
    none.collapse();
    expect(none.attempts).toEqual(['0@9 ALLOC_HUGE_PAGE_FAIL']);
    const refused = new CollapseWorld({ generation: generationByName('madvise-mthp') });
    refused.map(1, { flags: VM.READ | VM.WRITE | VM.NOHUGEPAGE });
    refused.place(0, 512);
    expect(refused.madvCollapse(BASE, BASE + 512)).toBe(-ERRNO.EINVAL);
    const khugepaged = world('madvise-mthp', [4], [[0, 15]]);
    khugepaged.w.set('khugepaged.max_ptes_none', 100);
    expect(khugepaged.w.range()).toBe(SCAN.FAIL);
  });

  it('has its choice as a pure function: windows with at least one page, once the PMD order has failed', () => {
    const decision = chooseWindows({
      generation: 'madvise-mthp',
      initiator: 'madvise',
      enabledOrders: [4],
      present: [[100, 101]],
      settings: { maxPtesNone: 0 },
      attempt: ({ order }) => (order === 9 ? SCAN.ALLOC_HUGE_PAGE_FAIL : SCAN.SUCCEED),
    });
    expect(decision.attempts.map(({ offset, order }) => `${offset}@${order}`)).toEqual(['0@9', '96@4']);
  });
});
