/**
 * I3 of khugepaged spec 19: while a table that maps pages is out of its PMD, mmap_lock is held for writing, and either the
 * anon_vma lock too or the locks of all folios in the table. For moments between two steps: within one a table is made, or
 * put in its place.
 */
import { findBit, getBit } from '@thplab/arena';
import { type HeldLocks, instanceOf, LOCK_STATE, LOCK_WORDS, WRITE_HELD } from '@thplab/sync';
import type { AnonVmaId, MmId, TableId, Vpn } from '../brands.js';
import { FOLIO, NO_FRAME } from '../flags.js';
import { folioHead } from '../folio.js';
import type { Machine } from '../machine.js';
import { findPmd, NO_PMD, pteBit, pteCell, tableStart } from '../page-table.js';
import { vmaAt } from '../vma-tree.js';

/** What is missing for a table to be out of its PMD, in words; undefined if it is not out, or may be. */
export function detachedTableDefect(m: Machine, mm: MmId, table: TableId): string | undefined {
  const page = tableStart(m, table);
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD || m.directory.entry[pmd] !== 0 || !mapsPages(m, table)) return undefined;
  const missing = missingLock(m, mm, page, table);
  return missing === undefined ? undefined : `is out of its PMD without ${missing}`;
}

/** The same of all tables of the address spaces whose mmap_lock is among the locks: what a task between two steps may ask. */
export function detachedTableDefects(m: Machine, held: HeldLocks): string[] {
  const found: string[] = [];
  for (const lock of held.locks) {
    if (m.domain.classOf(lock) !== m.locks.mmapLock) continue;
    const mm = instanceOf(lock);
    for (const table of m.pte.pool.rows()) {
      if (m.pte.mm[table] !== mm) continue;
      const defect = detachedTableDefect(m, mm as MmId, table as TableId);
      if (defect !== undefined) found.push(`I3: table ${table} of mm ${mm} ${defect}`);
    }
  }
  return found;
}

function mapsPages(m: Machine, table: TableId): boolean {
  const base = pteBit(m, table, 0);
  return findBit(m.pte.present, base, base + m.ptes) >= 0;
}

function missingLock(m: Machine, mm: MmId, page: Vpn, table: TableId): string | undefined {
  if (m.mm.mmapLock[mm * LOCK_WORDS + LOCK_STATE] !== WRITE_HELD) return 'mmap_lock held for writing';
  const vma = vmaAt(m, mm, page);
  const anonVma = vma === 0 ? 0 : m.vma.anonVma[vma];
  const root = anonVma === 0 ? 0 : m.anonVma.root[anonVma as AnonVmaId];
  if (m.anonVma.lock[root * LOCK_WORDS + LOCK_STATE] === WRITE_HELD) return undefined;
  return allLocked(m, table) ? undefined : 'the anon_vma lock, and with folios in it that are not locked';
}

function allLocked(m: Machine, table: TableId): boolean {
  for (let slot = 0; slot < m.ptes; slot++) {
    const bit = pteBit(m, table, slot);
    const pfn = m.pte.pfn[pteCell(m, table, slot)];
    if (!getBit(m.pte.present, bit) || getBit(m.pte.zero, bit) || pfn === NO_FRAME) continue;
    if ((m.frame.flags[folioHead(m, pfn)] & FOLIO.LOCKED) === 0) return false;
  }
  return true;
}
