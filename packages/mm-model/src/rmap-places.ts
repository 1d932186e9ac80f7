/**
 * What rmap walkers that change entries share: the list of entries that map a folio, and splitting the huge PMDs among
 * them. The anon_vma's lock is the caller's, so no VMA joins or leaves meanwhile.
 */
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { Pfn, TableId, VmaId, Vpn } from './brands.js';
import { splitHugePmd } from './huge-pmd.js';
import type { Machine } from './machine.js';
import { directoryOf, PMD, type PmdRef, pmdPfn, pmdType } from './page-table.js';
import { rmapWalk } from './rmap.js';

/** One PTE that maps a page of a folio. */
export interface MappedPlace {
  readonly table: TableId;
  readonly slot: number;
  readonly pfn: Pfn;
  readonly vma: VmaId;
  readonly page: Vpn;
}

/** All PTEs that map pages of the folio, in the order of the rmap walk. */
export function mappedPlaces(m: Machine, head: Pfn): MappedPlace[] {
  const places: MappedPlace[] = [];
  rmapWalk(m, head, {
    pte(table, slot, pfn, vma, page) {
      places.push({ table, slot, pfn, vma, page });
    },
    pmd() {},
  });
  return places;
}

/** The places by table, tables ascending. */
export function placesByTable(places: readonly MappedPlace[]): Map<TableId, MappedPlace[]> {
  const tables = [...new Set(places.map((place) => place.table))].sort((a, b) => a - b);
  return new Map(tables.map((table) => [table, places.filter((place) => place.table === table)]));
}

/** Turns all huge PMDs that map the folio into tables (`TTU_SPLIT_HUGE_PMD`). */
export function* splitPmdMappings(m: Machine, head: Pfn): Procedure<void> {
  const found: { pmd: PmdRef; vma: VmaId; page: Vpn }[] = [];
  rmapWalk(m, head, {
    pte() {},
    pmd(pmd, vma, page) {
      found.push({ pmd, vma, page });
    },
  });
  for (const { pmd, vma, page } of found) {
    const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
    yield acquire(lock);
    const entry = m.directory.entry[pmd];
    const still = pmdType(entry) === PMD.huge && pmdPfn(m, entry) === head;
    if (still) splitHugePmd(m, vma, pmd, page);
    yield release(lock);
    if (still) yield spend(m.costs.pmdFlush + m.costs.setPte * m.ptes);
  }
}
