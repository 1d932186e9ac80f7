import { describe, expect, it } from 'vitest';
import type { VmaId, Vpn } from './brands.js';
import { FOLIO, VM, VMA_KIND } from './flags.js';
import { dupMm } from './fork.js';
import { type Advice, MADV } from './madvise/advice.js';
import { mlock } from './mlock.js';
import { munmap } from './munmap.js';
import { PMD } from './page-table.js';
import { advise, folioFlags, orderAt, withHugePage, withPages } from './testing/advice.js';
import { contents, pmdKind, pteView } from './testing/pages.js';
import { makeWorld, mapAt, ranges, spy, touch, type World } from './testing/world.js';
import { vmaAt } from './vma-tree.js';

const RW = VM.READ | VM.WRITE;
const HUGE = RW | VM.HUGEPAGE;

const flagsAt = (w: World, page: number): number => w.m.vma.flags[vmaAt(w.m, w.mm, page)];

describe('madvise and its range', () => {
  it('unknown advice and a range outside the address space are EINVAL, an empty range is fine', () => {
    const w = withPages();
    expect(advise(w, 512, 1, 99 as Advice)).toBe(-22);
    expect(advise(w, 512, 2 ** 40, MADV.DONTNEED)).toBe(-22);
    expect(advise(w, 512, 0, MADV.DONTNEED)).toBe(0);
  });

  it('with holes: all that is mapped gets the advice, and the result is ENOMEM', () => {
    for (const advice of [MADV.DONTNEED, MADV.FREE, MADV.COLD, MADV.HUGEPAGE, MADV.GUARD_INSTALL] as const) {
      const w = withPages(30);
      w.run(munmap(w.m, w.mm, 520 as Vpn, 4));
      w.run(munmap(w.m, w.mm, 530 as Vpn, 4));
      expect(advise(w, 512, 30, advice)).toBe(-12);
      expect(advise(w, 500, 14, advice)).toBe(-12);
      expect(advise(w, 2000, 4, advice)).toBe(-12);
      if (advice === MADV.DONTNEED) expect(contents(w, 512, 542)).toEqual(Array(30).fill(0));
      if (advice === MADV.HUGEPAGE) {
        expect([512, 524, 534].map((page) => (flagsAt(w, page) & VM.HUGEPAGE) !== 0)).toEqual([true, true, true]);
      }
    }
  });

  it('ends at the first VMA that refuses: those before it have it, those behind it not', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 520, 8, { flags: RW | VM.LOCKED });
    mapAt(w, 528, 8);
    touch(w, w.mm, 512, 536);
    expect(advise(w, 512, 24, MADV.DONTNEED)).toBe(-22);
    expect(contents(w, 512, 520)).toEqual(Array(8).fill(0));
    expect(contents(w, 528, 536)).not.toContain(0);
  });

  it.each([
    ['DONTNEED', VM.LOCKED],
    ['DONTNEED', VM.PFNMAP],
    ['DONTNEED_LOCKED', VM.PFNMAP],
    ['FREE', VM.LOCKED],
    ['COLD', VM.LOCKED],
    ['PAGEOUT', VM.LOCKED],
    ['PAGEOUT', VM.PFNMAP],
    ['DOFORK', VM.IO],
    ['KEEPONFORK', VM.DROPPABLE],
    ['GUARD_INSTALL', VM.LOCKED],
    ['GUARD_INSTALL', VM.PFNMAP],
    ['GUARD_REMOVE', VM.MIXEDMAP],
  ] as const)('%s does not fit a VMA with flag %d: EINVAL', (name, flag) => {
    const w = makeWorld();
    mapAt(w, 512, 8, { flags: VM.READ | flag });
    expect(advise(w, 512, 8, MADV[name])).toBe(-22);
  });

  it.each(['FREE', 'WIPEONFORK'] as const)('%s does not fit shared memory: EINVAL', (name) => {
    const w = makeWorld();
    mapAt(w, 512, 8, { kind: VMA_KIND.shmem });
    expect(advise(w, 512, 8, MADV[name])).toBe(-22);
  });
});

describe('advice that sets VMA flags', () => {
  it.each([
    ['HUGEPAGE', VM.HUGEPAGE],
    ['NOHUGEPAGE', VM.NOHUGEPAGE],
    ['DONTFORK', VM.DONTCOPY],
    ['WIPEONFORK', VM.WIPEONFORK],
    ['MERGEABLE', VM.MERGEABLE],
  ] as const)('MADV_%s sets flag %d in its part, and the VMA is split there', (name, flag) => {
    const w = withPages();
    expect(advise(w, 516, 4, MADV[name])).toBe(0);
    expect(ranges(w)).toEqual([
      [512, 516],
      [516, 520],
      [520, 528],
    ]);
    expect(flagsAt(w, 517)).toBe(RW | flag);
    expect(flagsAt(w, 513)).toBe(RW);
  });

  it.each([
    ['HUGEPAGE', 'NOHUGEPAGE', VM.NOHUGEPAGE],
    ['NOHUGEPAGE', 'HUGEPAGE', VM.HUGEPAGE],
    ['DONTFORK', 'DOFORK', 0],
    ['WIPEONFORK', 'KEEPONFORK', 0],
    ['MERGEABLE', 'UNMERGEABLE', 0],
  ] as const)('MADV_%s then MADV_%s leaves flag %d', (one, other, flag) => {
    const w = withPages();
    advise(w, 512, 16, MADV[one]);
    expect(advise(w, 512, 16, MADV[other])).toBe(0);
    expect(flagsAt(w, 512)).toBe(RW | flag);
  });

  it('MADV_NOHUGEPAGE that moves the boundary to a neighbour into a huge page splits its mapping', () => {
    const w = withHugePage();
    mapAt(w, 1024, 8, { flags: RW | VM.NOHUGEPAGE });
    expect(advise(w, 1000, 24, MADV.NOHUGEPAGE)).toBe(0);
    expect(ranges(w)).toEqual([
      [512, 1000],
      [1000, 1032],
    ]);
    expect(pmdKind(w, 512)).toBe(PMD.table);
    expect(w.m.mm.rssAnon[w.mm]).toBe(512);
  });

  it('MADV_HUGEPAGE tells khugepaged, with the flags that the whole VMA would have; MADV_NOHUGEPAGE does not', () => {
    const w = withPages(1024);
    const told: unknown[] = [];
    w.m.hooks.khugepagedEnterVma = spy((vma: VmaId, flags?: number) =>
      told.push([w.m.vma.start[vma], w.m.vma.end[vma], flags]),
    );
    advise(w, 520, 8, MADV.HUGEPAGE);
    expect(told).toEqual([[512, 1536, HUGE]]);
    advise(w, 600, 8, MADV.NOHUGEPAGE);
    expect(told).toHaveLength(1);
  });

  it('a child gets no MADV_DONTFORK memory, and MADV_WIPEONFORK memory empty', () => {
    const w = withPages(24);
    advise(w, 512, 8, MADV.DONTFORK);
    advise(w, 520, 8, MADV.WIPEONFORK);
    const child = w.run(dupMm(w.m, w.mm));
    expect(ranges(w, child)).toEqual([
      [520, 528],
      [528, 536],
    ]);
    expect(contents(w, 520, 528, child)).toEqual(Array(8).fill(0));
    expect(contents(w, 528, 536, child)).toEqual(contents(w, 528, 536));
  });
});

describe('MADV_DONTNEED', () => {
  it('drops the pages; the next touch gives zeroes', () => {
    const w = withPages();
    expect(advise(w, 514, 4, MADV.DONTNEED)).toBe(0);
    expect(w.m.mm.rssAnon[w.mm]).toBe(12);
    expect(pteView(w, 515).state).toBe('none');
    touch(w, w.mm, 515, 516, false);
    expect(pteView(w, 515).state).toBe('zero');
  });

  it('over a whole table frees the table, in two halves it does not', () => {
    const w = makeWorld();
    mapAt(w, 512, 1024);
    touch(w, w.mm, 512, 1536);
    advise(w, 512, 512, MADV.DONTNEED);
    expect(pmdKind(w, 512)).toBe(PMD.none);
    advise(w, 1024, 256, MADV.DONTNEED);
    advise(w, 1280, 256, MADV.DONTNEED);
    expect(pmdKind(w, 1024)).toBe(PMD.table);
  });

  it('of a part of a huge page splits the mapping; the folio goes to the deferred-split queue', () => {
    const w = withHugePage();
    advise(w, 600, 10, MADV.DONTNEED);
    expect(pmdKind(w, 512)).toBe(PMD.table);
    expect(w.m.mm.rssAnon[w.mm]).toBe(502);
    expect(folioFlags(w, 512) & (FOLIO.PARTIALLY_MAPPED | FOLIO.DEFERRED)).not.toBe(0);
    expect(orderAt(w, 512)).toBe(9);
  });

  it('does not touch locked memory, MADV_DONTNEED_LOCKED does', () => {
    const w = withPages();
    w.run(mlock(w.m, w.mm, 512 as Vpn, 16));
    expect(advise(w, 512, 16, MADV.DONTNEED)).toBe(-22);
    expect(advise(w, 512, 16, MADV.DONTNEED_LOCKED)).toBe(0);
    expect(w.m.mm.rssAnon[w.mm]).toBe(0);
  });
});

describe('MADV_POPULATE', () => {
  it('READ maps the zero page, WRITE pages of its own; what is there stays', () => {
    const w = makeWorld();
    mapAt(w, 512, 16);
    touch(w, w.mm, 514, 515);
    const [kept] = contents(w, 514, 515);
    expect(advise(w, 512, 8, MADV.POPULATE_READ)).toBe(0);
    expect(pteView(w, 512).state).toBe('zero');
    expect(advise(w, 512, 16, MADV.POPULATE_WRITE)).toBe(0);
    expect(w.m.mm.rssAnon[w.mm]).toBe(16);
    expect(contents(w, 514, 515)).toEqual([kept]);
  });

  it('a hole is ENOMEM, a VMA without the right EINVAL, a page that gives a signal EFAULT; what came before stays', () => {
    const w = makeWorld();
    mapAt(w, 512, 8);
    mapAt(w, 520, 8, { flags: VM.READ });
    expect(advise(w, 512, 16, MADV.POPULATE_WRITE)).toBe(-22);
    expect(w.m.mm.rssAnon[w.mm]).toBe(8);
    expect(advise(w, 512, 20, MADV.POPULATE_READ)).toBe(-12);
    expect(pteView(w, 527).state).toBe('zero');
    advise(w, 512, 1, MADV.GUARD_INSTALL);
    expect(advise(w, 512, 8, MADV.POPULATE_READ)).toBe(-14);
  });
});

describe('MADV_COLLAPSE', () => {
  it('goes VMA by VMA with mmap_lock held for reading; the first error ends it, a hole is ENOMEM at the end', () => {
    const w = makeWorld();
    mapAt(w, 512, 512);
    mapAt(w, 1024, 512, { flags: VM.READ });
    mapAt(w, 2048, 512);
    const calls: number[][] = [];
    let answer = 0;
    w.m.hooks.madviseCollapse = function* (mm, start, end) {
      calls.push([mm, start, end, w.m.mm.mmapLock[mm * 4]]);
      yield* spy(() => {})();
      return answer;
    };
    expect(advise(w, 600, 2000, MADV.COLLAPSE)).toBe(-12);
    expect(calls).toEqual([
      [w.mm, 600, 1024, 1],
      [w.mm, 1024, 1536, 1],
      [w.mm, 2048, 2560, 1],
    ]);
    answer = -16;
    expect(advise(w, 512, 2048, MADV.COLLAPSE)).toBe(-16);
    expect(calls).toHaveLength(4);
    expect(w.m.mm.mmapLock[w.mm * 4]).toBe(0);
  });

  it('is EINVAL on a machine without anyone to do it', () => {
    expect(advise(withPages(), 512, 16, MADV.COLLAPSE)).toBe(-22);
  });
});
