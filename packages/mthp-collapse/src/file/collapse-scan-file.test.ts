/** khugepaged's side of khugepaged spec 12: limits, order of checks, budget, traces, and what it leaves behind. */
import {
  clearFrameFlags,
  createFile,
  type FileId,
  FOLIO,
  folioGet,
  folioHead,
  folioOrder,
  handleMmFault,
  type Pfn,
  PMD,
  PTE_YOUNG,
  pageCacheLookup,
  pageCacheSwapSlot,
  placeFilePages,
  placeSwappedFilePages,
  setFrameFlags,
  userfaultfdRegister,
  VM,
  VMA_KIND,
  type Vpn,
} from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { legacy618 } from '../generations/legacy-6-18.js';
import { merged } from '../generations/merged.js';
import { SCAN, type ScanResult, scanResultName } from '../results.js';
import { CollapseWorld, type CollapseWorldOptions } from '../testing/collapse-world.js';

const SHARED = VM.READ | VM.WRITE | VM.SHARED;

class FileWorld extends CollapseWorld {
  readonly file: FileId;

  constructor(options: CollapseWorldOptions = {}) {
    super(options);
    this.file = createFile(this.m, { pages: 512, shmem: true });
    this.map(1, { kind: VMA_KIND.shmem, flags: SHARED, file: this.file });
    this.set('khugepaged.max_ptes_none', 511);
    this.set('khugepaged.max_ptes_swap', 64);
  }

  cache(from: number, to: number): this {
    placeFilePages(this.m, this.vma(), (this.base + from) as Vpn, to - from, PTE_YOUNG);
    return this;
  }

  scan(): string {
    return scanResultName(this.range());
  }

  page(index: number): Pfn {
    return pageCacheLookup(this.m, this.file, index) as Pfn;
  }
}

describe("khugepaged's limits on the page cache", () => {
  it.each([
    [511, 1, 'SUCCEED'],
    [511, 0, 'EXCEED_NONE_PTE'],
    [256, 256, 'SUCCEED'],
    [256, 255, 'EXCEED_NONE_PTE'],
    [0, 512, 'SUCCEED'],
    [0, 511, 'EXCEED_NONE_PTE'],
  ])('max_ptes_none %i: %i pages in memory give %s', (none, present, result) => {
    const w = new FileWorld().cache(0, present);
    w.set('khugepaged.max_ptes_none', none);
    expect(w.scan()).toBe(result);
    expect(w.vmstat('thp_scan_exceed_none_pte')).toBe(result === 'SUCCEED' ? 0 : 1);
    // The per-order statistic is of page tables alone.
    expect(w.stat(9, 'collapse_exceed_none_pte')).toBe(0);
    expect(w.check()).toEqual([]);
  });

  it.each([
    [64, 64, 'SUCCEED'],
    [64, 65, 'EXCEED_SWAP_PTE'],
    [0, 1, 'EXCEED_SWAP_PTE'],
  ])('max_ptes_swap %i: %i pages in swap give %s, and are no present ones', (limit, swapped, result) => {
    const w = new FileWorld().cache(0, 100);
    placeSwappedFilePages(w.m, w.file, 100, swapped);
    const stamp = w.m.swap.stamp[pageCacheSwapSlot(w.m, w.file, 100)];
    w.set('khugepaged.max_ptes_swap', limit);
    expect(w.scan()).toBe(result);
    expect(w.vmstat('thp_scan_exceed_swap_pte')).toBe(result === 'SUCCEED' ? 0 : 1);
    if (result === 'SUCCEED') expect(w.m.frame.stamp[w.page(100)]).toBe(stamp);
    expect(w.check()).toEqual([]);
  });

  it('swapped pages count as missing for max_ptes_none', () => {
    const w = new FileWorld().cache(0, 511);
    placeSwappedFilePages(w.m, w.file, 511, 1);
    w.set('khugepaged.max_ptes_none', 0);
    expect(w.scan()).toBe('EXCEED_NONE_PTE');
  });

  it('no sign of use is asked for, and a shared folio is no obstacle', () => {
    const w = new FileWorld();
    placeFilePages(w.m, w.vma(), w.base, 512, 0);
    expect(w.scan()).toBe('SUCCEED');
  });
});

describe('what stands in the way', () => {
  it.each([
    ['PAGE_LRU', (w: FileWorld) => clearFrameFlags(w.m, w.page(7), FOLIO.LRU)],
    ['PAGE_COUNT', (w: FileWorld) => folioGet(w.m, w.page(7))],
    ['PAGE_LOCK', (w: FileWorld) => setFrameFlags(w.m, w.page(7), FOLIO.LOCKED)],
    ['FAIL', (w: FileWorld) => clearFrameFlags(w.m, w.page(7), FOLIO.UPTODATE)],
  ] as const)('%s: nothing changes but mappings', (name, spoil) => {
    const w = new FileWorld().cache(0, 512);
    const before = w.contents(w.base, w.base + 512);
    spoil(w);
    expect(w.scan()).toBe(name);
    const after = Array.from({ length: 512 }, (_, i) => w.m.frame.stamp[w.page(i)]);
    expect(after).toEqual(before);
    expect(folioOrder(w.m, w.page(0))).toBe(0);
  });

  it('holes that userfaultfd watches are not filled, which only shows after the pages are copied', () => {
    const w = new FileWorld().cache(0, 500);
    w.run(userfaultfdRegister(w.m, w.mm, w.base, 512, VM.UFFD_MISSING));
    expect(w.scan()).toBe('EXCEED_NONE_PTE');
    expect(w.vmstat('thp_collapse_alloc')).toBe(1);
    expect(w.check()).toEqual([]);
  });

  it('write protection and guard markers keep the page table, not the page cache, as it is', () => {
    for (const flag of [VM.UFFD_WP, VM.MAYBE_GUARD]) {
      const w = new FileWorld().cache(0, 512);
      w.m.vma.flags[w.vma()] |= flag;
      expect(w.scan()).toBe('SUCCEED');
      expect([w.pmd(), folioOrder(w.m, w.page(0))]).toEqual([PMD.table, 9]);
      expect(w.check()).toEqual([]);
    }
  });
});

describe('what khugepaged leaves behind', () => {
  it('is an empty PMD: the next touch maps the huge page', () => {
    const w = new FileWorld().cache(0, 512);
    expect(w.scan()).toBe('SUCCEED');
    expect([w.pmd(), w.m.mm.rssShmem[w.mm], w.vmstat('thp_file_mapped')]).toEqual([PMD.none, 0, 0]);
    w.run(handleMmFault(w.m, w.mm, (w.base + 3) as Vpn, { write: true }));
    expect([w.pmd(), w.m.mm.rssShmem[w.mm], w.vmstat('thp_file_mapped')]).toEqual([PMD.huge, 512, 1]);
    expect(w.check()).toEqual([]);
  });

  it('counts again as collapsed each time it comes by, mapped or not', () => {
    const w = new FileWorld().cache(0, 512);
    expect(w.scan()).toBe('SUCCEED');
    expect(w.scan()).toBe('SUCCEED');
    w.run(handleMmFault(w.m, w.mm, w.base, { write: false }));
    expect(w.scan()).toBe('SUCCEED');
    expect([w.pmd(), w.vmstat('thp_collapse_alloc')]).toEqual([PMD.huge, 1]);
  });

  it('removes a page table that maps the huge folio by PTEs, as MADV_COLLAPSE replaces it', () => {
    const w = new FileWorld();
    w.cache(0, 512);
    expect(w.scan()).toBe('SUCCEED');
    placeFilePages(w.m, w.vma(), (w.base + 9) as Vpn, 3, PTE_YOUNG);
    expect([w.pmd(), w.m.mm.rssShmem[w.mm]]).toEqual([PMD.table, 3]);
    expect(w.scan()).toBe('SUCCEED');
    expect([w.pmd(), w.m.mm.rssShmem[w.mm]]).toEqual([PMD.none, 0]);
    expect(w.check()).toEqual([]);
  });
});

describe('budget and traces', () => {
  it('a range costs its pages, or 1 if a huge folio is there; kernels that charge ranges always charge all', () => {
    const costs = (generation: typeof merged): number[] => {
      const w = new FileWorld({ generation }).cache(0, 512);
      const cost = (): number => {
        const before = w.khugepaged.progress;
        w.range();
        return w.khugepaged.progress - before;
      };
      return [cost(), cost()];
    };
    expect(costs(merged)).toEqual([512, 1]);
    expect(costs(legacy618)).toEqual([512, 512]);
  });

  it('mm_khugepaged_scan_file and mm_khugepaged_collapse_file say what the kernel says', () => {
    const w = new FileWorld().cache(0, 400);
    placeSwappedFilePages(w.m, w.file, 400, 2);
    w.range();
    const head = folioHead(w.m, w.page(0));
    expect(w.events('mm_khugepaged_collapse_file')).toEqual([
      {
        mm: w.mm,
        hpage_pfn: head,
        index: 0,
        addr: w.base * 4096,
        is_shmem: 1,
        filename: w.file,
        nr: 512,
        result: SCAN.SUCCEED,
      },
    ]);
    const [scan] = w.events('mm_khugepaged_scan_file');
    expect(scan).toMatchObject({
      mm: w.mm,
      filename: w.file,
      present: 400,
      swap: 2,
      result: SCAN.SUCCEED as ScanResult,
    });
  });

  it('a failed allocation is told with the result and without a frame', () => {
    const w = new FileWorld().cache(0, 512);
    w.m.machine.failOrder[0] = 10;
    w.m.machine.failCount[0] = 1;
    expect(w.scan()).toBe('ALLOC_HUGE_PAGE_FAIL');
    expect(w.events('mm_khugepaged_collapse_file')[0]).toMatchObject({ hpage_pfn: -1 });
    expect([w.vmstat('thp_collapse_alloc'), w.vmstat('thp_collapse_alloc_failed')]).toEqual([0, 1]);
  });
});

it('a page that somebody swapped in meanwhile is taken like any other', () => {
  const w = new FileWorld().cache(0, 10);
  placeSwappedFilePages(w.m, w.file, 10, 1);
  expect(w.run(handleMmFault(w.m, w.mm, (w.base + 10) as Vpn, { write: false }))).toBe(0);
  expect(w.scan()).toBe('PAGE_LRU');
  expect(w.m.file.swapped[w.file]).toBe(0);
});
