import { asBrand, clearBit, getBit, Random, setBit } from '@thplab/arena';
import { describe, expect, it } from 'vitest';
import type { MmId, Pfn, TableId, VmaId, Vpn } from '../brands.js';
import { takeBlock } from '../buddy.js';
import { deferredQueueRemove } from '../deferred-queue.js';
import { VM } from '../flags.js';
import { dupMm } from '../fork.js';
import { MADV } from '../madvise/advice.js';
import { madvise } from '../madvise.js';
import { migrateFolio } from '../migrate.js';
import { mmAlloc } from '../mm.js';
import { mprotect } from '../mprotect.js';
import { munmap } from '../munmap.js';
import { findPmd, findTable, PMD_YOUNG, PTE_DIRTY, PTE_WRITE, PTE_YOUNG, pteBit, slotOf } from '../page-table.js';
import { placeBasePages, placeFolio } from '../populate.js';
import { headAt, split } from '../testing/folios.js';
import { CONTEXT_SWITCH, CYCLIC_SWEEP, RANDOM_USE, TLB_ACCESSES, TLB_INVALIDATION } from '../testing/golden-tlb.js';
import { makeWorld, mapAt, type World } from '../testing/world.js';
import { vmaAt } from '../vma-tree.js';
import {
  checkTlb,
  createTlb,
  KUNPENG_920,
  NEOVERSE,
  TLB_ACCESS,
  TLB_TABLES,
  type Tlb,
  type TlbSpec,
  TlbSpecError,
  tlbAccess,
  tlbCounts,
  tlbHitRate,
  tlbLostNs,
  tlbSizes,
  tlbWalks,
} from './index.js';

const START = 0x8000;
const ATTRIBUTES = PTE_WRITE | PTE_DIRTY | PTE_YOUNG;

interface Bench extends World {
  readonly tlb: Tlb;
}

function bench(spec: TlbSpec, pages: number, order = 0, nodePages = [16_384]): Bench {
  const w = makeWorld({ nodePages, thp: 'always', extraTables: TLB_TABLES, extraSizes: tlbSizes(spec, 2) });
  const tlb = createTlb(w.m, spec, 1);
  mapAt(w, START, pages);
  const vma = vmaAt(w.m, w.mm, START);
  if (order === 0) placeBasePages(w.m, vma as VmaId, START as Vpn, pages, ATTRIBUTES);
  else {
    for (let page = START; page < START + pages; page += 2 ** order) {
      placeFolio(w.m, vma as VmaId, page as Vpn, order, ATTRIBUTES, { pmdMapped: order === w.m.pmdOrder });
    }
  }
  return { ...w, tlb };
}

const read = (b: Bench, page: number, cpu = 0): number => tlbAccess(b.tlb, cpu, b.mm, asBrand<Vpn>(page), false);
const write = (b: Bench, page: number, cpu = 0): number => tlbAccess(b.tlb, cpu, b.mm, asBrand<Vpn>(page), true);

function isYoung(b: Bench, page: number): boolean {
  const pmd = findPmd(b.m, b.mm, asBrand<Vpn>(page));
  const table = findTable(b.m, b.mm, asBrand<Vpn>(page));
  if (table === 0) return (b.m.directory.entry[pmd] & PMD_YOUNG) !== 0;
  return getBit(b.m.pte.young, pteBit(b.m, table, slotOf(b.m, asBrand<Vpn>(page))));
}

/** The result of an access in the words of the tables. */
function kindOf(result: number): 'hit' | 'walk' | 'fault' {
  if (result === TLB_ACCESS.fault) return 'fault';
  return result === TLB_ACCESS.first || result === TLB_ACCESS.second ? 'hit' : 'walk';
}

/** What DAMON does: clears the accessed bit, and flushes nothing. */
function mkold(b: Bench, page: number): void {
  const pmd = findPmd(b.m, b.mm, asBrand<Vpn>(page));
  const table = findTable(b.m, b.mm, asBrand<Vpn>(page));
  if (table === 0) b.m.directory.entry[pmd] = (b.m.directory.entry[pmd] & ~PMD_YOUNG) >>> 0;
  else clearBit(b.m.pte.young, pteBit(b.m, table, slotOf(b.m, asBrand<Vpn>(page))));
}

const TINY: TlbSpec = {
  name: 'tiny',
  levels: [[{ entries: 2, sizes: [4096] }], [{ entries: 8, sizes: [4096, 2 ** 21] }]],
  cycles: { secondLevelHit: 10, walkHuge: 20, walkBase: 30 },
  gigahertz: 2,
};

describe('an access through the TLB', () => {
  it('sets the accessed bit when it walks, and not when it hits: clearing without a flush hides it (effect T1)', () => {
    const b = bench(TINY, 512);
    expect(read(b, START)).toBe(TLB_ACCESS.walkBase);
    mkold(b, START);
    expect(read(b, START)).toBe(TLB_ACCESS.first);
    expect(isYoung(b, START)).toBe(false);
    // Eight others push it out of the second level.
    for (let i = 1; i <= 8; i++) read(b, START + i);
    expect(read(b, START)).toBe(TLB_ACCESS.walkBase);
    expect(isYoung(b, START)).toBe(true);
  });

  it('asks the second level after the first', () => {
    const b = bench(TINY, 512);
    for (const page of [0, 1, 2]) read(b, START + page);
    expect(read(b, START)).toBe(TLB_ACCESS.second);
    expect(read(b, START)).toBe(TLB_ACCESS.first);
    expect(tlbCounts(b.tlb, b.mm)).toMatchObject({ accesses: 5, firstHits: 1, secondHits: 1, walksBase: 3 });
    expect(tlbHitRate(tlbCounts(b.tlb, b.mm))).toBeCloseTo(0.4);
    // One second-level hit of 10 cycles, three walks of 10 + 30, at 2 GHz.
    expect(tlbLostNs(TINY, tlbCounts(b.tlb, b.mm))).toBe((10 + 3 * 40) / 2);
  });

  it('gives a fault where the page table does not allow it', () => {
    const b = bench(TINY, 512);
    expect(read(b, START + 600)).toBe(TLB_ACCESS.fault);
    b.run(mprotect(b.m, b.mm, START as Vpn, 512, VM.READ));
    expect(read(b, START)).toBe(TLB_ACCESS.walkBase);
    expect(write(b, START)).toBe(TLB_ACCESS.fault);
  });

  it('walks once more to mark a page dirty that was only read', () => {
    const b = bench(TINY, 512);
    const table = findTable(b.m, b.mm, START as Vpn);
    clearBit(b.m.pte.dirty, pteBit(b.m, table as TableId, 0));
    read(b, START);
    expect(write(b, START)).toBe(TLB_ACCESS.walkBase);
    expect(getBit(b.m.pte.dirty, pteBit(b.m, table as TableId, 0))).toBe(true);
    expect(write(b, START)).toBe(TLB_ACCESS.first);
    expect(tlbCounts(b.tlb, b.mm).dirtyWalks).toBe(1);
  });

  it('one entry serves a whole huge page, and one bit shows all of it (effect T2)', () => {
    const b = bench(KUNPENG_920, 512, 9);
    expect(read(b, START)).toBe(TLB_ACCESS.walkHuge);
    for (let page = START; page < START + 512; page++) expect(read(b, page)).toBe(TLB_ACCESS.first);
  });

  it('a contiguous entry serves its block, and leaves all accessed bits of it set', () => {
    const b = bench(NEOVERSE, 512, 4);
    for (let page = START; page < START + 16; page++) mkold(b, page);
    expect(read(b, START + 3)).toBe(TLB_ACCESS.walkBase);
    for (let page = START; page < START + 16; page++) expect(read(b, page)).toBe(TLB_ACCESS.first);
    expect(isYoung(b, START + 15)).toBe(true);
    expect(read(b, START + 16)).toBe(TLB_ACCESS.walkBase);
  });

  it('keeps the entries of address spaces apart, and of all of them where there are ASIDs enough', () => {
    const b = bench(TINY, 512);
    read(b, START);
    const child = b.run(dupMm(b.m, b.mm)) as MmId;
    expect(tlbAccess(b.tlb, 0, child, START as Vpn, false)).toBe(TLB_ACCESS.walkBase);
    expect(checkTlb(b.tlb)).toEqual([]);
  });

  it.each(CONTEXT_SWITCH)('$row: coming back is a $next', ({ asids, next }) => {
    const b = bench({ ...TINY, asids }, 512);
    read(b, START);
    const other = mmAlloc(b.m);
    tlbAccess(b.tlb, 0, other, START as Vpn, false);
    expect(kindOf(read(b, START))).toBe(next);
  });

  it.each(TLB_ACCESSES)('$row: is a $result', ({ cached, young, dirty, write: isWrite, result, after }) => {
    const b = bench(TINY, 512);
    const bit = pteBit(b.m, findTable(b.m, b.mm, START as Vpn) as TableId, 0);
    const set = (plane: Uint32Array, on: boolean): void => (on ? setBit : clearBit)(plane, bit);
    set(b.m.pte.dirty, dirty);
    if (cached) read(b, START);
    set(b.m.pte.young, young);
    expect(kindOf(isWrite ? write(b, START) : read(b, START))).toBe(result);
    expect({ young: getBit(b.m.pte.young, bit), dirty: getBit(b.m.pte.dirty, bit) }).toEqual(after);
  });
});

describe('flushes', () => {
  it.each([MADV.DONTNEED, MADV.COLD, MADV.FREE, MADV.PAGEOUT])(
    'madvise %s forgets the range on all processors',
    (advice) => {
      const b = bench(KUNPENG_920, 512);
      for (const cpu of [0, 1]) for (let i = 0; i < 20; i++) read(b, START + i, cpu);
      b.run(madvise(b.m, b.mm, START as Vpn, 10, advice));
      const found = [0, 1].map((cpu) => {
        const results = Array.from({ length: 20 }, (_, i) => read(b, START + i, cpu));
        return results.map((result) => (result === TLB_ACCESS.first ? 'h' : 'm')).join('');
      });
      expect(found).toEqual(['mmmmmmmmmmhhhhhhhhhh', 'mmmmmmmmmmhhhhhhhhhh']);
    },
  );

  /** What becomes of the first page of a huge one, or of the huge page. */
  const operations: Record<(typeof TLB_INVALIDATION)[number]['operation'], (b: Bench) => void> = {
    munmap: (b) => void b.run(munmap(b.m, b.mm, START as Vpn, 512)),
    mprotect: (b) => void b.run(mprotect(b.m, b.mm, START as Vpn, 512, VM.READ)),
    migration: (b) => {
      const head = headAt(b, START);
      deferredQueueRemove(b.m, head);
      const target = takeBlock(b.m, 0, 9) as Pfn;
      expect(migrateFolio(b.m, head, target)).toBe(true);
    },
    split: (b) => expect(split(b, headAt(b, START), 2)).toBe(0),
    'swap-out': (b) => void b.run(madvise(b.m, b.mm, START as Vpn, 512, MADV.PAGEOUT)),
    'explicit flush': (b) => b.m.hooks.flushTlb(b.mm, START as Vpn, (START + 512) as Vpn),
    clear: (b) => mkold(b, START),
  };

  it.each(TLB_INVALIDATION)('$row: the next access is a $next', ({ operation, next }) => {
    const b = bench(KUNPENG_920, 512, 9);
    const looks = (): string[] => [0, 1].map((cpu) => kindOf(read(b, START, cpu)));
    looks();
    expect(looks()).toEqual(['hit', 'hit']);
    operations[operation](b);
    expect(looks()).toEqual([next, next]);
    expect(checkTlb(b.tlb)).toEqual([]);
  });

  it('a flush that somebody forgets is found', () => {
    const b = bench(TINY, 512);
    read(b, START);
    expect(checkTlb(b.tlb)).toEqual([]);
    b.m.hooks.flushTlb = () => {};
    b.run(madvise(b.m, b.mm, START as Vpn, 1, MADV.DONTNEED));
    expect(checkTlb(b.tlb)[0]).toContain('is not mapped any more');
  });
});

describe('exact and analytic form', () => {
  it.each(RANDOM_USE)('$row: agree on the miss rate of $pages pages', ({ pages, replacement, miss, off }) => {
    const spec: TlbSpec = {
      ...KUNPENG_920,
      levels: [[{ entries: 48, sizes: [4096] }], [{ entries: 2048, ways: 8, sizes: [4096], replacement }]],
    };
    const b = bench(spec, pages);
    const random = new Random(7);
    for (let i = 0; i < 6 * pages; i++) read(b, START + random.below(pages));
    const before = tlbWalks(tlbCounts(b.tlb, b.mm));
    const accesses = 60_000;
    for (let i = 0; i < accesses; i++) read(b, START + random.below(pages));
    const missed = (tlbWalks(tlbCounts(b.tlb, b.mm)) - before) / accesses;
    expect(Math.abs(missed - miss)).toBeLessThan(off);
  });

  it('agree on a cyclic sweep: all hits up to the capacity, no hit beyond', () => {
    const { capacity, entries, misses } = CYCLIC_SWEEP.exact;
    const spec: TlbSpec = { ...TINY, levels: [[{ entries: capacity, sizes: [4096] }]] };
    const missRate = (pages: number): number => {
      const b = bench(spec, pages);
      for (let i = 0; i < pages; i++) read(b, START + i);
      let walks = 0;
      for (let i = 0; i < 4 * pages; i++) if (read(b, START + (i % pages)) !== TLB_ACCESS.first) walks++;
      return walks / (4 * pages);
    };
    expect(entries.map(missRate)).toEqual(misses);
  });
});

describe('a TLB that cannot be', () => {
  it.each([
    [{ ...TINY, levels: [] }, 'one or two'],
    [{ ...TINY, levels: [[{ entries: 10, ways: 3, sizes: [4096] }]] }, 'do not divide'],
    [{ ...TINY, levels: [[{ entries: 0, sizes: [4096] }]] }, '1 to 2^20'],
  ])('is refused', (spec, message) => {
    const w = makeWorld({ extraTables: TLB_TABLES, extraSizes: { tlbArrays: 8, tlbEntries: 64 } });
    expect(() => createTlb(w.m, spec, 1)).toThrow(TlbSpecError);
    expect(() => createTlb(w.m, spec, 1)).toThrow(message);
  });

  it('needs its tables', () => {
    expect(() => createTlb(makeWorld().m, TINY, 1)).toThrow('TLB_TABLES');
  });
});
