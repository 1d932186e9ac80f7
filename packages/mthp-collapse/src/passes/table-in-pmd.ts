/**
 * Taking a page table out of its PMD and putting it back (khugepaged spec 10 steps 9, 12, 16). While it is out, neither the
 * hardware, nor a fault, nor the reverse map, nor lockless GUP can reach its entries.
 */
import { clearBitAtomic, getBit, setBitAtomic } from '@thplab/arena';
import {
  directoryOf,
  FOLIO,
  folioHead,
  type Machine,
  NO_FRAME,
  PMD,
  pteBit,
  pteCell,
  type TableId,
} from '@thplab/mm-model';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { CollapseAttempt } from '../collapse-attempt.js';

/**
 * Clears the PMD entry and flushes the TLB of the whole range, even for a window of four pages: lockless GUP must not walk
 * into a table whose entries move (khugepaged spec 24). mmap_lock and the anon_vma are held for writing.
 */
export function* clearPmdAndFlush(m: Machine, a: CollapseAttempt): Procedure<void> {
  const lock = m.locks.pmdLock.ref(directoryOf(m, a.pmd));
  yield acquire(lock);
  a.entry = m.directory.entry[a.pmd];
  m.directory.entry[a.pmd] = PMD.none;
  yield spend(m.costs.pmdFlush);
  yield release(lock);
}

/** Puts the table back as it was. Locks as for `clearPmdAndFlush`. */
export function* reinstallPmd(m: Machine, a: CollapseAttempt): Procedure<void> {
  const lock = m.locks.pmdLock.ref(directoryOf(m, a.pmd));
  yield acquire(lock);
  attachTable(m, a);
  yield spend(m.costs.setPte);
  yield release(lock);
}

/** Writes the old entry into the PMD, which must be empty. The PMD lock is held. */
export function attachTable(m: Machine, a: CollapseAttempt): void {
  requireEmptyPmd(m, a);
  m.directory.entry[a.pmd] = a.entry;
  refreshMirrors(m, a.table);
}

/** Nobody may have put anything into the PMD meanwhile: a fault that got past the VMA's write lock would have. */
export function requireEmptyPmd(m: Machine, a: CollapseAttempt): void {
  const entry = m.directory.entry[a.pmd];
  if (entry !== PMD.none) {
    throw new Error(
      `PMD of page ${a.tableStart}: entry ${entry} appeared while its table was taken out for a collapse`,
    );
  }
}

/**
 * Makes the mirror planes of a table agree with its folios. While a table is out of the PMD the reverse map does not find
 * it, so what others do to folios that they map too is not written into it. The table is in the PMD again already, so
 * that every later change finds it; each bit is settled against the folio's own record.
 */
function refreshMirrors(m: Machine, table: TableId): void {
  const { present, zero } = m.pte;
  const base = table * m.words;
  for (let w = 0; w < m.words; w++) {
    for (let rest = present[base + w] & ~zero[base + w]; rest !== 0; rest &= rest - 1) {
      const slot = w * 32 + 31 - Math.clz32(rest & -rest);
      const pfn = m.pte.pfn[pteCell(m, table, slot)];
      if (pfn !== NO_FRAME) settleMirrors(m, pteBit(m, table, slot), folioHead(m, pfn));
    }
  }
}

function settleMirrors(m: Machine, bit: number, head: number): void {
  const { shared, attention, referenced } = m.pte;
  for (;;) {
    const flags = m.frame.flags[head];
    settle(shared, bit, (flags & FOLIO.MIRROR_SHARED) !== 0);
    settle(attention, bit, (flags & FOLIO.MIRROR_ATTENTION) !== 0);
    settle(referenced, bit, (flags & FOLIO.MIRROR_REFERENCED) !== 0);
    if (m.frame.flags[head] === flags) return;
  }
}

function settle(plane: Uint32Array, bit: number, on: boolean): void {
  if (getBit(plane, bit) === on) return;
  if (on) setBitAtomic(plane, bit);
  else clearBitAtomic(plane, bit);
}
