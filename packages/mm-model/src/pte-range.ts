/**
 * Walking the page tables of a VMA's range one PMD range at a time (`walk_page_range`), and what mprotect and userfaultfd
 * share on that walk: `change_protection`.
 */
import { asBrand } from '@thplab/arena';
import { type Procedure, release, spend } from '@thplab/sync';
import type { MmId, TableId, VmaId, Vpn } from './brands.js';
import type { Machine } from './machine.js';
import { findPmd, NO_PMD, PMD, type PmdRef, pmdTable, pmdType, slotOf } from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { splitHugePmdOf } from './vma/adjust.js';

/** One PMD range of a walk, or the part of it that lies in the range asked for. */
export interface BlockVisit {
  readonly mm: MmId;
  readonly vma: VmaId;
  readonly pmd: PmdRef;
  /** First page, and one past the last: within one PMD range. */
  readonly start: Vpn;
  readonly end: Vpn;
}

/** What to do with each kind of range. */
export interface BlockVisitor {
  /**
   * A huge PMD that lies wholly in the range. True: done with it. False, or no function: it is split, and its table
   * visited. A huge PMD that the range covers in part comes here too; look at `start` and `end`.
   */
  huge?(visit: BlockVisit): Procedure<boolean>;
  /** Huge PMDs are passed over. */
  readonly skipHuge?: boolean;
  /** A PTE table; no lock is held. */
  table(visit: BlockVisit, table: TableId): Procedure<void>;
}

/** Visits the PMD ranges of [start, end) that map anything, ascending. mmap_lock or the VMA's lock is the caller's. */
export function* walkBlocks(
  m: Machine,
  vma: VmaId,
  start: number,
  end: number,
  visitor: BlockVisitor,
): Procedure<void> {
  const mm = asBrand<MmId>(m.vma.mm[vma]);
  for (let at = start; at < end; ) {
    const page = asBrand<Vpn>(at);
    const to = Math.min(end, at - (at % m.ptes) + m.ptes);
    const pmd = findPmd(m, mm, page);
    if (pmd === NO_PMD) {
      const span = m.ptes * m.ptes;
      at += span - (at % span);
      continue;
    }
    yield* visitBlock(m, { mm, vma, pmd, start: page, end: asBrand<Vpn>(to) }, visitor);
    at = to;
  }
}

function* visitBlock(m: Machine, visit: BlockVisit, visitor: BlockVisitor): Procedure<void> {
  if (pmdType(m.directory.entry[visit.pmd]) === PMD.huge) {
    if (visitor.skipHuge === true) return;
    if (visitor.huge !== undefined && (yield* visitor.huge(visit))) return;
    yield* splitHugePmdOf(m, visit.vma, visit.start);
  }
  const entry = m.directory.entry[visit.pmd];
  if (pmdType(entry) === PMD.table) yield* visitor.table(visit, pmdTable(entry));
}

/** True if the visit covers the whole PMD range. */
export function coversBlock(m: Machine, visit: BlockVisit): boolean {
  return visit.end - visit.start === m.ptes;
}

/** Slots of a visit in its table: first, and one past the last. */
export function slotsOf(m: Machine, visit: BlockVisit): { from: number; to: number } {
  const from = slotOf(m, visit.start);
  return { from, to: from + (visit.end - visit.start) };
}

/**
 * Runs `change` under the lock of the PTE table that was found for `page`, and charges `setPte` for each entry that it says
 * it changed, and one flush. Gives that number; -1, and nothing is run, if the table is no longer the page's.
 */
export function* withPteLock(m: Machine, mm: MmId, page: Vpn, table: TableId, change: () => number): Procedure<number> {
  if (!(yield* pteOffsetMapLock(m, mm, table, page))) return -1;
  const changed = change();
  yield release(m.locks.pteLock.ref(table));
  if (changed > 0) yield spend(changed * m.costs.setPte + m.costs.pmdFlush);
  return changed;
}
