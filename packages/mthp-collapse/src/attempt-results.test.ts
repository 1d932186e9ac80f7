import { setBit } from '@thplab/arena';
import {
  addToSwapCache,
  dupMm,
  ENTRY_KIND,
  entryValue,
  findTable,
  folioTrylock,
  folioUnlock,
  injectAllocationFailure,
  MADV,
  madvise,
  mmap,
  munmap,
  PAGE,
  type Pfn,
  PTE_WRITE,
  PTE_YOUNG,
  pinPages,
  placeFolio,
  placeMarkers,
  placeSwapped,
  pteBit,
  pteCell,
  setFrameFlags,
  setPtePage,
  type TableId,
  takeBlock,
  unpinPages,
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
import { merged } from './generations/merged.js';
import { v15 } from './generations/v15.js';
import { KernelOopsError } from './passes/isolate.js';
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
