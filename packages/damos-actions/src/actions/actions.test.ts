// What actions do to memory, and what they say they did (DAMON spec 3.2, 4.1, 4.3, 4.5).

import {
  allocPmd,
  checkMachine,
  FOLIO,
  folioGet,
  folioOrder,
  type MmId,
  mmap,
  newTable,
  type Pfn,
  PTE_WRITE,
  pinPages,
  placeFilePages,
  placeFolio,
  setHugeZeroPmd,
  updateMirrors,
  VM,
  VMA_KIND,
  type VmaId,
  vmaAt,
  vmasOf,
} from '@thplab/mm-model';
import { legacy618 } from '@thplab/mthp-collapse';
import { mthpStatCell, vmstatIndex } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import { stopDamon } from '../create.js';
import type { AddressRange } from '../monitor/regions.js';
import { type DamonProfile, damonMm, damonReviewed, damonRfcV2 } from '../profile.js';
import { type SchemeStats, schemeStats } from '../schemes/running.js';
import { ANY_PATTERN, type SchemeInput } from '../schemes/scheme.js';
import {
  addVma,
  type DamonWorld,
  fillBase,
  fillHuge,
  HUGE_SIZE,
  keepTouching,
  makeDamonWorld,
  makeProcess,
  PAGE_SIZE,
  page,
} from '../testing/damon-world.js';
import { SPLIT_ERRORS } from '../testing/golden-schemes.js';

const BASE = 0x80000;

function range(first: number, pages: number): AddressRange {
  return { start: first * PAGE_SIZE, end: (first + pages) * PAGE_SIZE };
}

/** Applies a scheme to every region once (or more often), as they are, and gives its counters. */
function applyOnce(
  w: DamonWorld,
  mm: MmId | undefined,
  regions: readonly AddressRange[],
  scheme: Partial<SchemeInput> & { readonly action: SchemeInput['action'] },
  profile: DamonProfile = damonReviewed,
  rounds = 1,
): SchemeStats {
  const total = regions.reduce((sum, { start, end }) => sum + end - start, 0);
  const d = w.start({
    operations: mm === undefined ? 'paddr' : 'fvaddr',
    targets: [mm === undefined ? { regions } : { mm, regions }],
    profile,
    // No region is larger than the limit, nor can any be cut, and neighbours do not join.
    attributes: { minNrRegions: 3, minRegionSize: 2 ** Math.ceil(Math.log2(total)) },
    schemes: [{ pattern: ANY_PATTERN, ...scheme }],
  });
  while ((d.t.damonContext.passedSamples[d.context] as number) < 20 * rounds) w.pass(0.005);
  w.run(() => stopDamon(d));
  return schemeStats(d, 0);
}

function stat(w: DamonWorld, order: number): number {
  return w.m.mthpStat.value[mthpStatCell('nr_anon', order)] as number;
}

function event(w: DamonWorld, name: Parameters<typeof vmstatIndex>[0]): number {
  return w.m.vmstat.value[vmstatIndex(name)] as number;
}

/** A process with so many huge pages at BASE. */
function hugeProcess(w: DamonWorld, blocks: number): MmId {
  const { mm, vma } = makeProcess(w, BASE, blocks * 512);
  fillHuge(w, vma, BASE, blocks);
  return mm;
}

describe('actions that are advice', () => {
  it('hugepage and nohugepage set the flags of the VMA', () => {
    for (const [action, flag] of [
      ['hugepage', VM.HUGEPAGE],
      ['nohugepage', VM.NOHUGEPAGE],
    ] as const) {
      const w = makeDamonWorld();
      const { mm } = makeProcess(w, BASE, 1_024);
      expect(applyOnce(w, mm, [range(BASE, 512)], { action })).toMatchObject({ nrApplied: 1, szApplied: HUGE_SIZE });
      expect([...vmasOf(w.m, mm)].map((vma) => (w.m.vma.flags[vma] & flag) !== 0)).toEqual([true, false]);
    }
  });

  it('cold and willneed are applied in full; pageout swaps out', () => {
    const w = makeDamonWorld({ swapPages: 4_096 });
    const { mm, vma } = makeProcess(w, BASE, 512);
    fillBase(w, vma, BASE, 512);
    for (const action of ['cold', 'willneed', 'pageout'] as const) {
      expect(applyOnce(w, mm, [range(BASE, 512)], { action }).szApplied).toBe(HUGE_SIZE);
    }
    expect([w.m.mm.rssAnon[mm], w.m.mm.swapEnts[mm]]).toEqual([0, 512]);
    expect(checkMachine(w.m)).toEqual([]);
  });

  it('act on a region with a hole, and apply nothing (10 #13)', () => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 512);
    fillBase(w, vma, BASE, 512);
    fillBase(w, addVma(w, mm, BASE + 1_024, 512), BASE + 1_024, 512);
    const stats = applyOnce(w, mm, [range(BASE, 1_536)], { action: 'collapse' });
    expect(stats).toMatchObject({ nrTried: 1, szTried: 3 * HUGE_SIZE, nrApplied: 0, szApplied: 0 });
    expect(w.m.mm.anonThps[mm]).toBe(2);
  });
});

describe('collapse', () => {
  it('makes huge pages although none are enabled, and without counting empty entries', () => {
    const w = makeDamonWorld({ commandLine: 'transparent_hugepage=never' } as object);
    const { mm, vma } = makeProcess(w, BASE, 1_024);
    fillBase(w, vma, BASE, 1);
    fillBase(w, vma, BASE + 512, 512);
    const stats = applyOnce(w, mm, [range(BASE, 1_024)], { action: 'collapse' }, damonMm);
    expect(stats).toMatchObject({ nrApplied: 1, szApplied: 2 * HUGE_SIZE, szOpsFilterPassed: 0 });
    expect(w.m.mm.anonThps[mm]).toBe(2);
    expect(checkMachine(w.m)).toEqual([]);
  });

  it('of a region on both sides of a boundary, with no whole block, counts as applied and changes nothing', () => {
    const w = makeDamonWorld({ generation: legacy618 });
    const { mm, vma } = makeProcess(w, BASE, 1_024);
    fillBase(w, vma, BASE, 1_024);
    const stats = applyOnce(w, mm, [range(BASE + 256, 512)], { action: 'collapse' });
    expect(stats).toMatchObject({ nrApplied: 1, szApplied: HUGE_SIZE });
    expect(w.m.mm.anonThps[mm]).toBe(0);
  });

  it('of a region strictly inside a block is invalid, and applies nothing', () => {
    const w = makeDamonWorld({ generation: legacy618 });
    const { mm, vma } = makeProcess(w, BASE, 1_024);
    fillBase(w, vma, BASE, 1_024);
    const stats = applyOnce(w, mm, [range(BASE + 16, 256)], { action: 'collapse' });
    expect(stats).toMatchObject({ nrTried: 1, nrApplied: 0, szApplied: 0 });
  });

  it('with one block that fails applies nothing, although the others are huge', () => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 3 * 512);
    fillBase(w, vma, BASE, 3 * 512);
    w.run(() => pinPages(w.m, mm, page(BASE + 600), 1, { write: true }));
    const stats = applyOnce(w, mm, [range(BASE, 3 * 512)], { action: 'collapse' });
    expect(stats).toMatchObject({ nrApplied: 0, szApplied: 0 });
    expect(w.m.mm.anonThps[mm]).toBe(2);
  });

  it('with the PMD order as target counts each block by itself, aligned outwards', () => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 3 * 512);
    fillBase(w, vma, BASE, 3 * 512);
    w.run(() => pinPages(w.m, mm, page(BASE + 600), 1, { write: true }));
    const regions = [range(BASE + 1, 3 * 512 - 2)];
    const stats = applyOnce(w, mm, regions, { action: 'collapse', targetOrder: 9 }, damonRfcV2);
    expect(stats).toMatchObject({ nrApplied: 1, szApplied: 2 * HUGE_SIZE, szOpsFilterPassed: 3 * HUGE_SIZE });
    expect(w.m.mm.anonThps[mm]).toBe(2);
    const again = applyOnce(w, mm, regions, { action: 'collapse', targetOrder: 9 }, damonRfcV2);
    expect(again.szApplied).toBe(2 * HUGE_SIZE);
  });

  it('with a lower order, as the reviewers asked for, makes folios of that order', () => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 1_024);
    fillBase(w, vma, BASE, 512);
    const stats = applyOnce(w, mm, [range(BASE, 1_024)], { action: 'collapse', targetOrder: 4 });
    expect(stats).toMatchObject({ szApplied: HUGE_SIZE, szOpsFilterPassed: 2 * HUGE_SIZE });
    expect([stat(w, 4), w.m.mm.anonThps[mm]]).toEqual([32, 0]);
    expect(checkMachine(w.m)).toEqual([]);
  });
});

describe('split', () => {
  const MIB = 2 ** 20;

  it('of one of 128 huge pages by an address filter leaves the others alone (S4)', () => {
    const w = makeDamonWorld({ nodePages: [131_072] });
    const mm = hugeProcess(w, 128);
    const { start, end } = range(BASE + 64 * 512, 512);
    const d = w.start({
      operations: 'fvaddr',
      targets: [{ mm, regions: [range(BASE, 128 * 512)] }],
      profile: damonRfcV2,
      schemes: [
        {
          action: 'split',
          pattern: ANY_PATTERN,
          targetOrder: 2,
          coreFilters: [{ type: 'addr', matching: true, allow: true, start, end }],
        },
      ],
      attributes: { minRegionSize: HUGE_SIZE },
    });
    w.pass(1);
    expect(schemeStats(d, 0)).toMatchObject({ nrApplied: 1, szApplied: 2 * MIB });
    expect([w.m.mm.anonThps[mm], stat(w, 9), stat(w, 2)]).toEqual([127, 127, 128]);
    // Memory that the filter rejects is not tried.
    expect(schemeStats(d, 0).szTried).toBe(schemeStats(d, 0).nrTried * 2 * MIB);
  });

  it('makes 128 folios of 16 KiB of each of 33 huge pages, and collapse undoes it (VM)', () => {
    const w = makeDamonWorld();
    const mm = hugeProcess(w, 33);
    applyOnce(w, mm, [range(BASE, 33 * 512)], { action: 'split', targetOrder: 2 });
    expect([stat(w, 9), stat(w, 2), w.m.mm.anonThps[mm]]).toEqual([0, 4_224, 0]);
    const back = applyOnce(w, mm, [range(BASE, 33 * 512)], { action: 'collapse', targetOrder: 9 });
    expect(back.szApplied).toBe(69_206_016);
    expect([stat(w, 9), stat(w, 2), w.m.mm.anonThps[mm]]).toEqual([33, 0, 33]);
    expect(checkMachine(w.m)).toEqual([]);
  });

  it('(a) of a region that is not aligned applies more than its size', () => {
    const w = makeDamonWorld();
    const mm = hugeProcess(w, 2);
    const stats = applyOnce(w, mm, [range(BASE + 511, 2)], { action: 'split', targetOrder: 2 });
    expect(stats).toMatchObject({ szTried: 2 * PAGE_SIZE, szApplied: 2 * HUGE_SIZE, szOpsFilterPassed: 2 * HUGE_SIZE });
  });

  it('(b) of two regions that share a huge page applies it once', () => {
    const w = makeDamonWorld();
    const mm = hugeProcess(w, 1);
    const stats = applyOnce(w, mm, [range(BASE, 128), range(BASE + 256, 128)], { action: 'split', targetOrder: 2 });
    expect(stats).toMatchObject({ nrTried: 2, nrApplied: 1, szApplied: HUGE_SIZE, szOpsFilterPassed: 2 * HUGE_SIZE });
  });

  it('(c) looks at the start of a block only: folios elsewhere in it stay', () => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 512);
    placeFolio(w.m, vma, page(BASE), 4, PTE_WRITE);
    placeFolio(w.m, vma, page(BASE + 16), 4, PTE_WRITE);
    const stats = applyOnce(w, mm, [range(BASE, 512)], { action: 'split', targetOrder: 2 });
    // And the block counts in full, although the folio was small.
    expect(stats.szApplied).toBe(HUGE_SIZE);
    expect([stat(w, 4), stat(w, 2)]).toEqual([1, 4]);
  });

  it('(d) skips a block whose start is not mapped', () => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE + 256, 256);
    placeFolio(w.m, vma, page(BASE + 256), 8, PTE_WRITE);
    const stats = applyOnce(w, mm, [range(BASE + 256, 256)], { action: 'split', targetOrder: 2 });
    expect(stats).toMatchObject({ szApplied: 0, szOpsFilterPassed: HUGE_SIZE });
    expect(stat(w, 8)).toBe(1);
  });

  it('(e) a second time applies nothing, and goes on trying', () => {
    const w = makeDamonWorld();
    const mm = hugeProcess(w, 2);
    const regions = [range(BASE, 1_024)];
    const stats = applyOnce(w, mm, regions, { action: 'split', targetOrder: 2 }, damonRfcV2, 5);
    expect(stats).toMatchObject({ nrTried: 5, nrApplied: 1, szApplied: 2 * HUGE_SIZE });
  });

  it('(f) may reach beyond an address filter, by less than a block on each side', () => {
    const w = makeDamonWorld();
    const mm = hugeProcess(w, 3);
    const coreFilters = [{ type: 'addr' as const, matching: true, allow: true, ...range(BASE + 511, 514) }];
    const d = w.start({
      operations: 'fvaddr',
      targets: [{ mm, regions: [range(BASE, 3 * 512)] }],
      profile: damonRfcV2,
      schemes: [{ action: 'split', pattern: ANY_PATTERN, targetOrder: 2, coreFilters }],
      attributes: { minNrRegions: 3 },
    });
    w.pass(0.11);
    expect(schemeStats(d, 0).szTried).toBe(514 * PAGE_SIZE);
    expect([w.m.mm.anonThps[mm], stat(w, 2)]).toEqual([0, 3 * 128]);
  });

  it('to base pages is order 0 in the version after RFC v2, and order 2 in RFC v2', () => {
    for (const [profile, left] of [
      [damonRfcV2, 128],
      [damonReviewed, 0],
    ] as const) {
      const w = makeDamonWorld();
      const mm = hugeProcess(w, 1);
      expect(applyOnce(w, mm, [range(BASE, 512)], { action: 'split' }, profile).nrApplied).toBe(1);
      expect([w.m.mm.anonThps[mm], stat(w, 2)]).toEqual([0, left]);
    }
  });

  it('of shared memory in base pages finds nothing to split', () => {
    const w = makeDamonWorld();
    const { mm } = makeProcess(w, BASE, 512);
    w.run(() => mmap(w.m, mm, { at: page(2 * BASE), pages: 512, fixed: 'replace', kind: VMA_KIND.shmem }));
    placeFilePages(w.m, vmaAt(w.m, mm, 2 * BASE) as VmaId, page(2 * BASE), 512, PTE_WRITE);
    const stats = applyOnce(w, mm, [range(2 * BASE, 512)], { action: 'split', targetOrder: 2 });
    expect(stats).toMatchObject({ nrTried: 1, nrApplied: 0, szOpsFilterPassed: HUGE_SIZE });
  });

  it('of the huge zero page finds no folio', () => {
    const w = makeDamonWorld();
    const { mm } = makeProcess(w, BASE, 512);
    setHugeZeroPmd(w.m, allocPmd(w.m, mm, page(BASE)), newTable(w.m, mm, page(BASE)));
    const stats = applyOnce(w, mm, [range(BASE, 512)], { action: 'split', targetOrder: 2 });
    expect(stats).toMatchObject({ nrTried: 1, nrApplied: 0, szOpsFilterPassed: HUGE_SIZE });
  });

  it.each(SPLIT_ERRORS)('is refused: $name (10 #11)', ({ flag, reference, order, failed }) => {
    const w = makeDamonWorld();
    const mm = hugeProcess(w, 1);
    const head = w.m.frame.flags.findIndex((flags) => (flags & 0xf) === 9 && (flags & FOLIO.ANON) !== 0) as Pfn;
    expect(folioOrder(w.m, head)).toBe(9);
    if (flag !== undefined) w.m.frame.flags[head] |= FOLIO[flag];
    if (reference) folioGet(w.m, head);
    updateMirrors(w.m, head);
    const stats = applyOnce(w, mm, [range(BASE, 512)], { action: 'split', targetOrder: order });
    expect(stats).toMatchObject({ nrTried: 1, nrApplied: 0, szApplied: 0, szOpsFilterPassed: HUGE_SIZE });
    expect([stat(w, 9), event(w, 'thp_split_page_failed')]).toEqual([1, failed]);
  });
});

describe('actions on physical addresses', () => {
  it('pageout spares what is in use, unless the user has a filter for young pages', () => {
    const all = range(0, 65_536);
    for (const [touched, own, left] of [
      [true, false, 512],
      [false, false, 0],
      [true, true, 0],
    ] as const) {
      const w = makeDamonWorld({ swapPages: 4_096 });
      const { mm, vma } = makeProcess(w, BASE, 512);
      fillBase(w, vma, BASE, 512);
      if (touched) keepTouching(w, mm, BASE, 512);
      else {
        // Without signs of use: old entries, idle folios.
        w.m.pte.young.fill(0);
        for (let pfn = 0; pfn < w.m.frame.flags.length; pfn++) w.m.frame.flags[pfn] |= FOLIO.IDLE;
      }
      const opsFilters = own ? [{ type: 'young' as const, matching: false, allow: false }] : [];
      applyOnce(w, undefined, [all], { action: 'pageout', opsFilters });
      expect(w.m.mm.rssAnon[mm]).toBe(left);
      expect(checkMachine(w.m)).toEqual([]);
    }
  });

  it('lru_prio and lru_deprio move folios between the lists', () => {
    const w = makeDamonWorld();
    const { vma } = makeProcess(w, BASE, 512);
    fillBase(w, vma, BASE, 512);
    const active = (): number => w.m.frame.flags.filter((flags) => (flags & FOLIO.ACTIVE) !== 0).length;
    const whole = [range(0, 65_536)];
    expect(applyOnce(w, undefined, whole, { action: 'lru_prio' }).szApplied).toBe(HUGE_SIZE);
    expect(active()).toBe(512);
    applyOnce(w, undefined, whole, { action: 'lru_deprio' });
    expect(active()).toBe(0);
  });
});

describe('operations filters', () => {
  /** 512 base pages and one huge page of a process. */
  function mixed() {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 1_024);
    fillBase(w, vma, BASE, 512);
    fillHuge(w, vma, BASE + 512, 1);
    return { w, mm };
  }

  it.each(['fvaddr', 'paddr'] as const)('of stat count what passes (%s)', (operations) => {
    const passed = (opsFilters: NonNullable<SchemeInput['opsFilters']>): number => {
      const { w, mm } = mixed();
      const physical = operations === 'paddr';
      const regions = [physical ? range(0, 65_536) : range(BASE, 1_024)];
      return applyOnce(w, physical ? undefined : mm, regions, { action: 'stat', opsFilters }).szOpsFilterPassed;
    };
    const size = { type: 'hugepage_size' as const, min: HUGE_SIZE, max: HUGE_SIZE };
    expect(passed([{ ...size, matching: true, allow: true }])).toBe(HUGE_SIZE);
    expect(passed([{ ...size, matching: true, allow: false }])).toBe(HUGE_SIZE);
    expect(passed([{ type: 'anon', matching: true, allow: true }])).toBe(2 * HUGE_SIZE);
    expect(passed([{ type: 'active', matching: true, allow: true }])).toBe(0);
    expect(passed([{ type: 'young', matching: true, allow: false }])).toBeLessThan(2 * HUGE_SIZE);
  });

  it('decide by the first that speaks; the last one sets the default (10 #10)', () => {
    const { w, mm } = mixed();
    const opsFilters = [
      { type: 'anon' as const, matching: true, allow: false },
      { type: 'unmapped' as const, matching: true, allow: true },
    ];
    expect(applyOnce(w, mm, [range(BASE, 1_024)], { action: 'stat', opsFilters })).toMatchObject({
      nrTried: 1,
      szTried: 2 * HUGE_SIZE,
      szOpsFilterPassed: 0,
    });
  });

  it('are not asked where a core filter allows', () => {
    const { w, mm } = mixed();
    const opsFilters = [{ type: 'anon' as const, matching: true, allow: false }];
    const coreFilters = [{ type: 'target' as const, matching: true, allow: true, targetIndex: 0 }];
    const stats = applyOnce(w, mm, [range(BASE, 1_024)], { action: 'stat', opsFilters, coreFilters });
    expect(stats.szOpsFilterPassed).toBe(2 * HUGE_SIZE);
  });
});
