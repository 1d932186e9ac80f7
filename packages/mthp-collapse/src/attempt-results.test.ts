import {
  addToSwapCache,
  dupMm,
  ENTRY_KIND,
  entryValue,
  findTable,
  folioTrylock,
  injectAllocationFailure,
  MADV,
  madvise,
  mmap,
  munmap,
  PAGE,
  type Pfn,
  PTE_YOUNG,
  placeFolio,
  placeMarkers,
  placeSwapped,
  pteBit,
  pteCell,
  setFrameFlags,
  setPtePage,
  type TableId,
  takeBlock,
  userfaultfdRegister,
  userfaultfdWriteProtect,
  VM,
  VMA_KIND,
  type Vpn,
} from '@thplab/mm-model';
import { HUGEPAGES_SHMEM_ENABLED, settingIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import { legacy613 } from './generations/legacy-6-13.js';
import { legacy618 } from './generations/legacy-6-18.js';
import { v15 } from './generations/v15.js';
import { SCAN, type ScanResult, scanResultName } from './results.js';
import { type AttemptOptions, BASE, CollapseWorld, type CollapseWorldOptions } from './testing/collapse-world.js';

const NO_FRAME = 0xffff_ffff;

/** One way to get a result: a world whose first window is all right, and what goes wrong with it. */
interface Case {
  readonly result: ScanResult;
  readonly why: string;
  readonly order?: number;
  readonly world?: CollapseWorldOptions;
  readonly attempt?: AttemptOptions;
  /** Pages that are mapped at first, from the start of the range; default all. */
  readonly pages?: number;
  readonly spoil: (w: CollapseWorld) => void;
  /** What the oracle must be told, or that the state is deliberately one it refuses. */
  readonly skipCheck?: boolean;
}

function table(w: CollapseWorld): TableId {
  const found = findTable(w.m, w.mm, BASE);
  if (found === 0) throw new Error('no table');
  return found;
}

const CASES: readonly Case[] = [
  { result: SCAN.SUCCEED, why: 'nothing is wrong', spoil: () => {} },
  {
    result: SCAN.ALLOC_HUGE_PAGE_FAIL,
    why: 'no free block of the order',
    spoil: (w) => injectAllocationFailure(w.m, { order: 9, nth: 1, count: 1 }),
  },
  {
    result: SCAN.ALLOC_HUGE_PAGE_FAIL,
    why: "the memcg's deferred-split list cannot be made",
    world: { injections: { deferredListFails: () => true } },
    spoil: () => {},
  },
  {
    result: SCAN.CGROUP_CHARGE_FAIL,
    why: 'the memory cgroup is full',
    world: { injections: { chargeFails: () => true } },
    spoil: () => {},
  },
  {
    result: SCAN.ANY_PROCESS,
    why: 'huge pages were switched off for the process',
    spoil: (w) => {
      w.m.mm.flags[w.mm] |= 2;
    },
  },
  {
    result: SCAN.VMA_NULL,
    why: 'the memory was unmapped',
    spoil: (w) => expect(w.run(munmap(w.m, w.mm, BASE, 512))).toBe(0),
  },
  {
    result: SCAN.ADDRESS_RANGE,
    why: 'the VMA does not reach over the PMD range any more, though over the window',
    order: 4,
    spoil: (w) => expect(w.run(munmap(w.m, w.mm, (BASE + 500) as Vpn, 12))).toBe(0),
  },
  {
    result: SCAN.VMA_CHECK,
    why: 'MADV_NOHUGEPAGE',
    spoil: (w) => expect(w.run(madvise(w.m, w.mm, BASE, 512, MADV.NOHUGEPAGE))).toBe(0),
  },
  {
    result: SCAN.VMA_CHECK,
    why: 'the size was switched off in sysfs',
    spoil: (w) => w.enableOrders(4),
  },
  {
    result: SCAN.PAGE_ANON,
    why: 'shared memory was mapped in its place',
    spoil: (w) => {
      w.m.setting.value[settingIndex('hugepages.shmem_enabled', 9)] = HUGEPAGES_SHMEM_ENABLED.always;
      const options = { at: BASE, fixed: 'replace', pages: 512, kind: VMA_KIND.shmem } as const;
      expect(w.run(mmap(w.m, w.mm, options))).toBe(BASE);
    },
  },
  {
    result: SCAN.NO_PTE_TABLE,
    why: 'MADV_DONTNEED over the whole range took the table',
    spoil: (w) => expect(w.run(madvise(w.m, w.mm, BASE, 512, MADV.DONTNEED))).toBe(0),
  },
  {
    result: SCAN.PMD_NONE,
    why: 'the same, legacy',
    world: { generation: legacy618 },
    spoil: (w) => expect(w.run(madvise(w.m, w.mm, BASE, 512, MADV.DONTNEED))).toBe(0),
  },
  {
    result: SCAN.PMD_MAPPED,
    why: 'somebody else has collapsed it',
    spoil: (w) => expect(w.madvCollapse(BASE, BASE + 512)).toBe(0),
  },
  {
    result: SCAN.FAIL,
    why: 'a guard entry gives a signal on swap-in',
    pages: 500,
    attempt: { unmapped: 1 },
    spoil: (w) => placeMarkers(w.m, w.vma(), (BASE + 500) as Vpn, 1, ENTRY_KIND.markerGuard),
  },
  {
    result: SCAN.EXCEED_SWAP_PTE,
    why: 'a swapped page in a window below the PMD order',
    order: 4,
    pages: 15,
    attempt: { unmapped: 1 },
    spoil: (w) => placeSwapped(w.m, w.vma(), (BASE + 15) as Vpn, 1),
  },
  {
    result: SCAN.PAGE_LOCK,
    why: 'the page of a swap entry is locked: the fault lets go of mmap_lock itself (case B18)',
    pages: 511,
    attempt: { unmapped: 1 },
    skipCheck: true,
    spoil: (w) => {
      placeSwapped(w.m, w.vma(), (BASE + 511) as Vpn, 1);
      const slot = entryValue(w.m.pte.pfn[pteCell(w.m, table(w), 511)]);
      const page = takeBlock(w.m, 0, 0) as Pfn;
      addToSwapCache(w.m, slot, page);
      expect(w.m.locks.folioLock.tryLock(page)).toBe(true);
    },
  },
  {
    result: SCAN.EXCEED_NONE_PTE,
    why: 'one empty entry more than max_ptes_none',
    pages: 500,
    spoil: (w) => w.set('khugepaged.max_ptes_none', 11),
  },
  {
    result: SCAN.EXCEED_NONE_PTE,
    why: 'an empty entry in a VMA that is registered with userfaultfd',
    pages: 511,
    attempt: {},
    spoil: (w) => expect(w.run(userfaultfdRegister(w.m, w.mm, BASE, 512, VM.UFFD_MISSING))).toBe(0),
  },
  {
    result: SCAN.PTE_NON_PRESENT,
    why: 'a non-present entry that the scan did not see',
    pages: 511,
    spoil: (w) => placeSwapped(w.m, w.vma(), (BASE + 511) as Vpn, 1),
  },
  {
    result: SCAN.PTE_UFFD_WP,
    why: 'an entry is write-protected by userfaultfd',
    spoil: (w) => {
      expect(w.run(userfaultfdRegister(w.m, w.mm, BASE, 512, VM.UFFD_WP))).toBe(0);
      expect(w.run(userfaultfdWriteProtect(w.m, w.mm, (BASE + 7) as Vpn, 1, true))).toBe(0);
    },
  },
  {
    result: SCAN.PAGE_NULL,
    why: 'an entry has no page behind it',
    pages: 511,
    skipCheck: true,
    spoil: (w) => setPtePage(w.m, table(w), 511, NO_FRAME, PTE_YOUNG),
  },
  {
    result: SCAN.PAGE_LAZYFREE,
    why: 'MADV_FREE',
    spoil: (w) => expect(w.run(madvise(w.m, w.mm, (BASE + 30) as Vpn, 40, MADV.FREE))).toBe(0),
  },
  {
    result: SCAN.EXCEED_SHARED_PTE,
    why: 'a forked child maps the pages too, in a window below the PMD order',
    order: 4,
    spoil: (w) => {
      w.run(dupMm(w.m, w.mm));
    },
  },
  {
    result: SCAN.EXCEED_SHARED_PTE,
    why: 'a forked child maps more than max_ptes_shared',
    spoil: (w) => {
      w.run(dupMm(w.m, w.mm));
    },
  },
  {
    result: SCAN.PTE_MAPPED_HUGEPAGE,
    why: 'a folio as large as the window lies in it, mapped in part',
    order: 4,
    pages: 0,
    spoil: (w) => {
      placeFolio(w.m, w.vma(), BASE, 5, PTE_YOUNG);
      expect(w.run(madvise(w.m, w.mm, (BASE + 3) as Vpn, 2, MADV.DONTNEED))).toBe(0);
    },
  },
  {
    result: SCAN.PAGE_LOCK,
    why: 'a page is locked',
    skipCheck: true,
    spoil: (w) => expect(folioTrylock(w.m, w.frame(BASE + 100) as Pfn)).toBe(true),
  },
  {
    result: SCAN.PAGE_LOCK,
    why: 'one page is mapped twice in the window: the own lock is in the way (23.6)',
    pages: 511,
    skipCheck: true,
    spoil: (w) => {
      w.set('khugepaged.max_ptes_shared', 2);
      const pfn = w.frame(BASE) as Pfn;
      setPtePage(w.m, table(w), 511, pfn, PTE_YOUNG);
      w.m.frame.mapcount[pfn] += 1;
      w.m.frame.refcount[pfn] += 1;
    },
  },
  {
    result: SCAN.PAGE_COUNT,
    why: 'somebody holds a reference',
    skipCheck: true,
    spoil: (w) => {
      w.m.frame.refcount[w.frame(BASE + 9)] += 1;
    },
  },
  {
    result: SCAN.DEL_PAGE_LRU,
    why: 'a page is off the LRU',
    skipCheck: true,
    spoil: (w) => {
      w.m.frame.flags[w.frame(BASE + 511)] &= ~0x20;
    },
  },
  {
    result: SCAN.LACK_REFERENCED_PAGE,
    why: 'no page of the window has been used',
    spoil: (w) => expect(w.run(madvise(w.m, w.mm, BASE, 512, MADV.COLD))).toBe(0),
  },
  {
    result: SCAN.PAGE_RO,
    why: 'no entry is writable (6.13)',
    world: { generation: legacy613 },
    spoil: (w) => {
      for (let slot = 0; slot < 512; slot++) w.m.pte.write[(pteBit(w.m, table(w), slot) / 32) | 0] = 0;
    },
  },
  {
    result: SCAN.COPY_MC,
    why: 'a source page has a memory error',
    spoil: (w) => setFrameFlags(w.m, w.frame(BASE + 200), PAGE.HWPOISON),
  },
  {
    result: SCAN.COPY_MC,
    why: 'a source page has a memory error, below the PMD order',
    order: 4,
    spoil: (w) => setFrameFlags(w.m, w.frame(BASE + 15), PAGE.HWPOISON),
  },
  {
    result: SCAN.FAIL,
    why: 'max_ptes_none lost its meaning for this order since the choice (v15)',
    order: 4,
    world: { generation: v15 },
    spoil: (w) => w.set('khugepaged.max_ptes_none', 100),
  },
];

describe('results of an attempt', () => {
  const cases = CASES.map((c) => [scanResultName(c.result), c.why, c] as const);
  it.each(cases)('%s: %s', (_name, _why, c) => {
    const w = new CollapseWorld(c.world);
    w.map();
    w.enableOrders(4, 9);
    if (c.pages !== 0) w.place(0, c.pages ?? 512);
    c.spoil(w);
    const before = w.contents(BASE, BASE + 512);
    const free = w.m.node.freePages[0];
    const rss = w.m.mm.rssAnon[w.mm];
    expect(scanResultName(w.attempt(0, c.order ?? 9, c.attempt))).toBe(scanResultName(c.result));
    expect(w.vmstat('nr_isolated_anon')).toBe(0);
    expect(w.vmstat('nr_isolated_file')).toBe(0);
    expect(w.contents(BASE, BASE + 512)).toEqual(before);
    if (c.result !== SCAN.SUCCEED) {
      expect(w.m.node.freePages[0]).toBe(free);
      expect(w.m.mm.rssAnon[w.mm]).toBe(rss);
    }
    if (c.skipCheck !== true) expect(w.check()).toEqual([]);
  });

  it('every result that an attempt in anonymous memory can have is among the cases (15.10)', () => {
    const possible: readonly ScanResult[] = [
      SCAN.ALLOC_HUGE_PAGE_FAIL,
      SCAN.CGROUP_CHARGE_FAIL,
      SCAN.ANY_PROCESS,
      SCAN.VMA_NULL,
      SCAN.ADDRESS_RANGE,
      SCAN.VMA_CHECK,
      SCAN.PAGE_ANON,
      SCAN.NO_PTE_TABLE,
      SCAN.PMD_MAPPED,
      SCAN.FAIL,
      SCAN.EXCEED_SWAP_PTE,
      SCAN.PAGE_LOCK,
      SCAN.EXCEED_NONE_PTE,
      SCAN.PTE_NON_PRESENT,
      SCAN.PTE_UFFD_WP,
      SCAN.PAGE_NULL,
      SCAN.PAGE_LAZYFREE,
      SCAN.EXCEED_SHARED_PTE,
      SCAN.PTE_MAPPED_HUGEPAGE,
      SCAN.PAGE_COUNT,
      SCAN.DEL_PAGE_LRU,
      SCAN.LACK_REFERENCED_PAGE,
      SCAN.COPY_MC,
      SCAN.SUCCEED,
    ];
    expect(possible.filter((result) => !CASES.some((c) => c.result === result))).toEqual([]);
  });
});
