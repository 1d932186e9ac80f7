/**
 * Moving mappings to another address without touching pages (`move_page_tables`). Whole PMD entries move where old and
 * new place are both aligned, a huge PMD as a huge PMD, a table as a table; else a huge PMD is split and entries move one
 * by one. A walker of the reverse map must not look at the old place after, and at the new place before an entry moved,
 * so each move is under the anon_vma lock, and for files under i_mmap_rwsem.
 */
import { asBrand, getBit } from '@thplab/arena';
import { acquire, acquireNested, type LockRef, type Procedure, release, spend } from '@thplab/sync';
import { anonVmaLock } from './anon-vma.js';
import type { AnonVmaId, MmId, TableId, VmaId, Vpn } from './brands.js';
import { pteAlloc } from './fault.js';
import { fileMapWriteLock, fileMapWriteUnlock } from './file-map.js';
import { ENTRY_KIND, entryKind, VM_UFFD } from './flags.js';
import type { Machine } from './machine.js';
import {
  allocPmd,
  blockOf,
  clearPte,
  directoryOf,
  findPmd,
  flushBlock,
  isPteNone,
  NO_PMD,
  PMD,
  PMD_UFFD_WP,
  type PmdRef,
  PTE_UFFD_WP,
  pmdTable,
  pmdType,
  pteAttributes,
  pteBit,
  pteCell,
  setPmd,
  setPteEntry,
  setPtePage,
  setPteZero,
  slotOf,
} from './page-table.js';
import { splitHugePmdOf } from './vma/adjust.js';

/** A move: the VMA that pages leave, and where they go in the same mm. */
export interface TableMove {
  readonly vma: VmaId;
  readonly from: number;
  readonly to: number;
  readonly pages: number;
}

/** Moves all entries of a range. mmap_lock is held for writing, both VMAs are write-locked, the new place is empty. */
export function* movePageTables(m: Machine, move: TableMove): Procedure<void> {
  const mm = asBrand<MmId>(m.vma.mm[move.vma]);
  const anonVma = m.vma.anonVma[move.vma];
  const rmapLock = anonVma === 0 ? undefined : anonVmaLock(m, asBrand<AnonVmaId>(anonVma));
  for (let done = 0; done < move.pages; ) {
    const from = asBrand<Vpn>(move.from + done);
    const to = asBrand<Vpn>(move.to + done);
    const step = Math.min(move.pages - done, m.ptes - (from % m.ptes), m.ptes - (to % m.ptes));
    const pmd = findPmd(m, mm, from);
    if (pmd !== NO_PMD && pmdType(m.directory.entry[pmd]) !== PMD.none) {
      const fileMap = yield* fileMapWriteLock(m, move.vma);
      if (rmapLock !== undefined) yield acquire(rmapLock);
      yield* moveBlock(m, move.vma, pmd, from, to, step);
      if (rmapLock !== undefined) yield release(rmapLock);
      yield* fileMapWriteUnlock(fileMap);
    }
    done += step;
  }
}

function* moveBlock(m: Machine, vma: VmaId, pmd: PmdRef, from: Vpn, to: Vpn, pages: number): Procedure<void> {
  const mm = asBrand<MmId>(m.vma.mm[vma]);
  const target = allocPmd(m, mm, to);
  const type = pmdType(m.directory.entry[pmd]);
  const whole = pages === m.ptes && pmdType(m.directory.entry[target]) === PMD.none;
  const armed = (m.vma.flags[vma] & VM_UFFD) !== 0;
  // A table of an armed VMA moves entry by entry, because each one loses its protection.
  if (whole && (type === PMD.huge || (type === PMD.table && !armed))) {
    yield* movePmd(m, pmd, target, from, to, armed);
    return;
  }
  if (type === PMD.huge) yield* splitHugePmdOf(m, vma, from);
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) !== PMD.table) return;
  const table = yield* pteAlloc(m, mm, target, to);
  if (table !== 0) yield* movePtes(m, pmdTable(entry), table, slotOf(m, from), slotOf(m, to), pages, armed);
}

/** `move_huge_pmd` and `move_normal_pmd`. */
function* movePmd(m: Machine, pmd: PmdRef, target: PmdRef, from: Vpn, to: Vpn, armed: boolean): Procedure<void> {
  const old = m.locks.pmdLock.ref(directoryOf(m, pmd));
  const other = m.locks.pmdLock.ref(directoryOf(m, target));
  yield* lockBoth(old, other);
  const { entry, deposit } = m.directory;
  const moved = entry[pmd];
  entry[pmd] = 0;
  flushBlock(m, asBrand<MmId>(m.directory.mm[directoryOf(m, pmd)]), from);
  setPmd(m, target, pmdType(moved) === PMD.huge && armed ? (moved & ~PMD_UFFD_WP) >>> 0 : moved);
  deposit[target] = deposit[pmd];
  deposit[pmd] = 0;
  if (pmdType(moved) === PMD.table) m.pte.block[pmdTable(moved)] = blockOf(m, to);
  yield* unlockBoth(old, other);
  yield spend(m.costs.setPte + m.costs.pmdFlush);
}

function* movePtes(
  m: Machine,
  source: TableId,
  target: TableId,
  from: number,
  to: number,
  pages: number,
  armed: boolean,
): Procedure<void> {
  const old = m.locks.pteLock.ref(source);
  const other = m.locks.pteLock.ref(target);
  yield* lockBoth(old, other);
  let moved = 0;
  for (let i = 0; i < pages; i++) {
    if (isPteNone(m, source, from + i)) continue;
    movePte(m, source, from + i, target, to + i, armed);
    moved++;
  }
  yield* unlockBoth(old, other);
  yield spend(moved * m.costs.setPte + m.costs.pmdFlush);
}

/** Moves one entry that is not none to one that is; an armed one loses its write protection or its marker. */
function movePte(m: Machine, source: TableId, from: number, target: TableId, to: number, armed: boolean): void {
  const bit = pteBit(m, source, from);
  const value = m.pte.pfn[pteCell(m, source, from)];
  const present = getBit(m.pte.present, bit);
  const zero = getBit(m.pte.zero, bit);
  const attributes = pteAttributes(m, source, from) & (armed ? ~PTE_UFFD_WP : -1);
  clearPte(m, source, from);
  if (zero) setPteZero(m, target, to, attributes);
  else if (present) setPtePage(m, target, to, value, attributes);
  else if (!armed || entryKind(value) !== ENTRY_KIND.markerUffdWp) {
    setPteEntry(m, target, to, value, (attributes & PTE_UFFD_WP) !== 0);
  }
}

/** Old before new, as the kernel does; mmap_lock, held for writing, keeps others from the opposite order. */
function* lockBoth(old: LockRef, other: LockRef): Procedure<void> {
  yield acquire(old);
  if (other !== old) yield acquireNested(other);
}

function* unlockBoth(old: LockRef, other: LockRef): Procedure<void> {
  if (other !== old) yield release(other);
  yield release(old);
}
