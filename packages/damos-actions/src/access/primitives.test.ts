// What clearing and checking accessed bits do to entries and folios (DAMON spec 1.10).

import { clearBit, getBit, setBit } from '@thplab/arena';
import {
  createFile,
  dupMm,
  FOLIO,
  findPmd,
  findTable,
  folioHas,
  folioHead,
  type Machine,
  type MmId,
  type Pfn,
  PMD_YOUNG,
  PTE_WRITE,
  PTE_YOUNG,
  pageCacheLookup,
  placeCachedPages,
  placeFolio,
  pmdPfn,
  pteBit,
  ptePfn,
  slotOf,
  updateMirrors,
} from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { createDamon, damonRegions } from '../create.js';
import { BASE, range } from '../testing/apply-once.js';
import {
  type DamonWorld,
  fillBase,
  fillHuge,
  keepTouching,
  makeDamonWorld,
  makeProcess,
  page,
} from '../testing/damon-world.js';
import { CHECK, CHILDREN, FLUSHES, MKOLD, PHYSICAL_CHECK, REUSE, UNMAPPED_CHECK } from '../testing/golden-access.js';
import { profileNamed } from '../testing/rounds.js';
import { isPmdYoung, isPteYoung, pmdpMkold, ptepMkold } from './folio-age.js';
import { folioMkold, folioYoung } from './paddr.js';

type Mapping = 'page' | 'mthp' | 'huge';

/** The first page of a process, its entry and its folio. */
class Entry {
  readonly m: Machine;
  readonly head: Pfn;
  readonly #mm: MmId;
  readonly #huge: boolean;

  constructor(w: DamonWorld, mm: MmId) {
    this.m = w.m;
    this.#mm = mm;
    this.#huge = findTable(w.m, mm, page(BASE)) === 0;
    const { entry } = w.m.directory;
    const pfn = this.#huge ? pmdPfn(w.m, entry[this.pmd]) : ptePfn(w.m, this.table, slotOf(w.m, page(BASE)));
    this.head = folioHead(w.m, pfn);
  }

  get pmd() {
    return findPmd(this.m, this.#mm, page(BASE));
  }

  get table() {
    return findTable(this.m, this.#mm, page(BASE)) as Exclude<ReturnType<typeof findTable>, 0>;
  }

  get young(): boolean {
    if (this.#huge) return (this.m.directory.entry[this.pmd] & PMD_YOUNG) !== 0;
    return getBit(this.m.pte.young, pteBit(this.m, this.table, slotOf(this.m, page(BASE))));
  }

  set young(on: boolean) {
    if (this.#huge) {
      const { entry } = this.m.directory;
      entry[this.pmd] = (on ? entry[this.pmd] | PMD_YOUNG : entry[this.pmd] & ~PMD_YOUNG) >>> 0;
    } else (on ? setBit : clearBit)(this.m.pte.young, pteBit(this.m, this.table, slotOf(this.m, page(BASE))));
  }

  flag(flag: number, on: boolean): void {
    if (on) this.m.frame.flags[this.head] |= flag;
    else this.m.frame.flags[this.head] &= ~flag;
    updateMirrors(this.m, this.head);
  }

  mkold(): void {
    if (this.#huge) pmdpMkold(this.m, this.pmd);
    else ptepMkold(this.m, this.table, slotOf(this.m, page(BASE)));
  }

  check(): boolean {
    if (this.#huge) return isPmdYoung(this.m, this.m.directory.entry[this.pmd], this.head);
    return isPteYoung(this.m, this.table, slotOf(this.m, page(BASE)), this.head);
  }
}

function entryOf(mapping: Mapping): Entry {
  const w = makeDamonWorld();
  const { mm, vma } = makeProcess(w, BASE, 512);
  if (mapping === 'page') fillBase(w, vma, BASE, 512);
  else if (mapping === 'huge') fillHuge(w, vma, BASE, 1);
  else placeFolio(w.m, vma, page(BASE), 4, PTE_YOUNG | PTE_WRITE, { pmdMapped: false });
  return new Entry(w, mm);
}

describe('the accessed bit of an entry', () => {
  it.each(MKOLD)('$row: of a $mapping that is young $young leaves $after', ({ mapping, lru, young, after }) => {
    const entry = entryOf(mapping);
    entry.young = young;
    for (const flag of [FOLIO.YOUNG, FOLIO.IDLE]) entry.flag(flag, false);
    entry.flag(FOLIO.LRU, lru);
    entry.mkold();
    const has = (flag: number): boolean => folioHas(entry.m, entry.head, flag);
    expect({ entry: entry.young, young: has(FOLIO.YOUNG), idle: has(FOLIO.IDLE) }).toEqual(after);
  });

  it.each(CHECK)('$row: of a $mapping, young $young, idle $idle: $accessed', ({ mapping, young, idle, accessed }) => {
    const entry = entryOf(mapping);
    entry.young = young;
    entry.flag(FOLIO.IDLE, idle);
    expect(entry.check()).toBe(accessed);
  });
});

describe('a folio of physical memory', () => {
  it.each(PHYSICAL_CHECK)('$row: young by $young is accessed $accessed, and old everywhere afterwards', (row) => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 512);
    fillBase(w, vma, BASE, 1);
    const child = w.run(() => dupMm(w.m, mm));
    const entries = [mm, child as MmId].map((one) => new Entry(w, one));
    const d = createDamon({ machine: w.m, operations: 'paddr', targets: [{}] });
    const head = entries[0]?.head as Pfn;
    expect(entries[1]?.head).toBe(head);
    entries[0]?.flag(FOLIO.IDLE, true);
    for (const [i, entry] of entries.entries()) entry.young = row.young[i] as boolean;
    expect(w.run(() => folioYoung(d, head))).toBe(row.accessed);
    w.run(() => folioMkold(d, head));
    expect(entries.map(({ young }) => young)).toEqual([false, false]);
    expect(w.run(() => folioYoung(d, head))).toBe(false);
  });

  it.each(UNMAPPED_CHECK)('$row: idle $idle is accessed $accessed', ({ idle, accessed }) => {
    const w = makeDamonWorld();
    const file = createFile(w.m, { pages: 1 });
    placeCachedPages(w.m, file, 0, 1);
    const head = pageCacheLookup(w.m, file, 0) as Pfn;
    const d = createDamon({ machine: w.m, operations: 'paddr', targets: [{}] });
    if (idle) w.run(() => folioMkold(d, head));
    expect(folioHas(w.m, head, FOLIO.IDLE)).toBe(idle);
    expect(w.run(() => folioYoung(d, head))).toBe(accessed);
  });
});

describe('a round of checks', () => {
  it.each(REUSE)('$row: of $regions neighbours in one folio takes $looks looks ($profile)', (row) => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 512);
    fillHuge(w, vma, BASE, 1);
    const pages = 512 / row.regions;
    const { operations } = row;
    const first = operations === 'paddr' ? new Entry(w, mm).head : BASE;
    const regions = Array.from({ length: row.regions }, (_, i) => range(first + i * pages, pages));
    const targets = [operations === 'paddr' ? { regions } : { mm, regions }];
    const attributes = { minNrRegions: row.regions, minRegionSize: pages * 4_096 };
    w.start({ operations, targets, attributes, profile: profileNamed(row.profile) });
    // 19 samples, the 20th is on its way.
    w.pass(0.0995);
    const busyNs = w.executor.tasks.find(({ name }) => name === 'kdamond.0')?.cpuNs ?? 0;
    expect(busyNs / (19.5 * w.m.costs.scanVisit)).toBeCloseTo(row.looks, -1);
  });

  it.each(FLUSHES)('$row ($operations)', ({ operations, flushes }) => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 1_024);
    fillBase(w, vma, BASE, 512);
    fillHuge(w, vma, BASE + 512, 1);
    keepTouching(w, mm, BASE, 1_024);
    let seen = 0;
    w.m.hooks.flushTlb = () => seen++;
    const regions = operations === 'paddr' ? undefined : [range(BASE, 1_024)];
    const target = regions === undefined ? {} : { mm, regions };
    const d = w.start({ operations, targets: [target] });
    w.pass(0.5);
    expect(damonRegions(d).some(({ lastNrAccesses }) => lastNrAccesses > 0)).toBe(true);
    expect(seen).toBe(flushes);
  });

  it('of a process does not see what its child does', () => {
    const { pages, parentSeen, childSeen } = CHILDREN;
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, pages);
    fillBase(w, vma, BASE, pages);
    const child = w.run(() => dupMm(w.m, mm)) as MmId;
    keepTouching(w, child, BASE, pages);
    const regions = Array.from({ length: pages }, (_, i) => range(BASE + i, 1));
    const attributes = { minNrRegions: pages, maxNrRegions: pages };
    const [parents, children] = [mm, child].map((of, contextIndex) =>
      w.start({ operations: 'fvaddr', targets: [{ mm: of, regions }], attributes, contextIndex }),
    );
    w.pass(0.45);
    const used = (d: typeof parents): number =>
      damonRegions(d as NonNullable<typeof d>).reduce(
        (sum, { start, end, lastNrAccesses }) => sum + (lastNrAccesses > 0 ? (end - start) / 4_096 : 0),
        0,
      );
    expect([used(parents), used(children)]).toEqual([parentSeen, childSeen]);
  });
});
