/**
 * Taking mappings away: munmap, MADV_DONTNEED, exit. One PMD range at a time under its lock, as `zap_pmd_range` does.
 */
import { clearBit, findBit } from '@thplab/arena';
import { acquire, LOCK_STATE, LOCK_WAITERS, type Procedure, release, spend } from '@thplab/sync';
import type { MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { ENTRY_KIND, entryKind, entryValue, FOLIO, makeEntry, NO_FRAME } from './flags.js';
import { folioHead, setFrameFlags } from './folio.js';
import { folioPut } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { splitHugePmd, withdrawDeposit } from './huge-pmd.js';
import { LOCKLESS, lockless } from './lockless.js';
import type { Machine } from './machine.js';
import { munlockVmaFolio } from './mlocked.js';
import {
  clearPtes,
  directoryOf,
  findPmd,
  flushBlock,
  freeTable,
  NO_PMD,
  PMD,
  PMD_DIRTY,
  PMD_ZERO,
  type PmdRef,
  pmdPfn,
  pmdTable,
  pmdType,
  pteBit,
  pteCell,
  setPteEntry,
  slotOf,
} from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { removePmdRmap, removePteRmap, rssColumn } from './rmap-change.js';
import { swapFree } from './swap-slots.js';

/** What zapping does besides removing pages. */
export interface ZapOptions {
  /** Free a PTE table that the range covers wholly (MADV_DONTNEED since 6.14). Default false. */
  readonly freeEmptyTables?: boolean;
  /** Leave guard entries in place (MADV_DONTNEED; only unmapping removes them). Default false. */
  readonly keepGuards?: boolean;
}

/** Unmaps all pages of `vma` from `start` to `end` (`zap_page_range_single`, `unmap_vmas`). mmap_lock is the caller's. */
export function* zapRange(m: Machine, vma: VmaId, start: Vpn, end: Vpn, options: ZapOptions = {}): Procedure<void> {
  const mm = m.vma.mm[vma] as MmId;
  let page = start as number;
  while (page < end) {
    const blockEnd = Math.min(end, page - (page % m.ptes) + m.ptes);
    const pmd = findPmd(m, mm, page as Vpn);
    if (pmd === NO_PMD) page = nextDirectory(m, page, end);
    else {
      if (pmdType(m.directory.entry[pmd]) !== PMD.none) {
        yield* zapBlock(m, vma, pmd, page as Vpn, blockEnd as Vpn, options);
      }
      page = blockEnd;
    }
  }
}

/** First page behind the PMD directory that a page would lie in, at most `end`. */
function nextDirectory(m: Machine, page: number, end: number): number {
  const span = m.ptes * m.ptes;
  return Math.min(end, page - (page % span) + span);
}

function* zapBlock(m: Machine, vma: VmaId, pmd: PmdRef, from: Vpn, to: Vpn, options: ZapOptions): Procedure<void> {
  const mm = m.vma.mm[vma] as MmId;
  const pmdLock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(pmdLock);
  let entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) {
    if (to - from === m.ptes) {
      zapHugePmd(m, vma, pmd, entry);
      flushBlock(m, mm, from);
      yield release(pmdLock);
      yield spend(m.costs.pmdFlush + m.costs.setPte);
      return;
    }
    splitHugePmd(m, vma, pmd, from);
    entry = m.directory.entry[pmd];
  }
  if (pmdType(entry) !== PMD.table) {
    yield release(pmdLock);
    return;
  }
  yield release(pmdLock);
  const table = pmdTable(entry);
  // Somebody else who empties the range under a VMA's lock may have freed the table.
  if (!(yield* pteOffsetMapLock(m, mm, table, from))) return;
  const removed = zapPtes(m, vma, table, slotOf(m, from), slotOf(m, from) + (to - from), options.keepGuards);
  yield release(m.locks.pteLock.ref(table));
  yield spend(removed * m.costs.setPte + (removed > 0 ? m.costs.pmdFlush : 0));
  if (options.freeEmptyTables === true && to - from === m.ptes) yield* freeEmptyTable(m, pmd, table);
}

function zapHugePmd(m: Machine, vma: VmaId, pmd: PmdRef, entry: number): void {
  const mm = m.vma.mm[vma] as MmId;
  m.directory.entry[pmd] = 0;
  const deposit = withdrawDeposit(m, pmd);
  if (deposit !== 0) freeTable(m, deposit);
  if ((entry & PMD_ZERO) !== 0) return;
  const head = pmdPfn(m, entry);
  const rss = rssColumn(m, head);
  rss[mm] = rss[mm] - m.ptes;
  if ((entry & PMD_DIRTY) !== 0) setFrameFlags(m, head, FOLIO.DIRTY);
  removePmdRmap(m, head, mm);
  munlockVmaFolio(m, vma, head);
  dropMapping(m, head);
}

/** Removes the entries from slot `from` to `to - 1`; the PTE lock is the caller's. Gives the number that were not none. */
export function zapPtes(
  m: Machine,
  vma: VmaId,
  table: TableId,
  from: number,
  to: number,
  keepGuards: boolean | undefined = false,
): number {
  const base = pteBit(m, table, 0);
  const mm = m.vma.mm[vma] as MmId;
  const guards: number[] = [];
  let removed = 0;
  for (
    let bit = findBit(m.pte.present, base + from, base + to);
    bit >= 0;
    bit = findBit(m.pte.present, bit, base + to)
  ) {
    clearBit(m.pte.present, bit);
    zapPresent(m, vma, table, bit - base);
    removed++;
  }
  for (let bit = findBit(m.pte.nonPresent, base + from, base + to); bit >= 0; ) {
    const entry = m.pte.pfn[pteCell(m, table, bit - base)];
    if (keepGuards && entryKind(entry) === ENTRY_KIND.markerGuard) guards.push(bit - base);
    zapEntry(m, mm, entry);
    clearBit(m.pte.nonPresent, bit);
    removed++;
    bit = findBit(m.pte.nonPresent, bit, base + to);
  }
  clearPtes(m, table, from, to);
  for (const slot of guards) setPteEntry(m, table, slot, makeEntry(ENTRY_KIND.markerGuard));
  return removed - guards.length;
}

function zapPresent(m: Machine, vma: VmaId, table: TableId, slot: number): void {
  const mm = m.vma.mm[vma] as MmId;
  const pfn = m.pte.pfn[pteCell(m, table, slot)] as Pfn;
  if (pfn === 0 || (pfn as number) === NO_FRAME) return;
  const head = folioHead(m, pfn);
  const rss = rssColumn(m, head);
  rss[mm] = rss[mm] - 1;
  removePteRmap(m, pfn, mm);
  munlockVmaFolio(m, vma, head);
  dropMapping(m, head);
}

/** Drops the reference of a mapping that was removed. */
function dropMapping(m: Machine, head: Pfn): void {
  const last = m.frame.refcount[head] === 1;
  folioPut(m, head);
  if (!last) updateMirrors(m, head);
}

function zapEntry(m: Machine, mm: MmId, entry: number): void {
  if (entryKind(entry) !== ENTRY_KIND.swap) return;
  m.mm.swapEnts[mm] = m.mm.swapEnts[mm] - 1;
  swapFree(m, entryValue(entry));
}

/** Frees a table that has become empty (`try_to_free_pte`). */
function* freeEmptyTable(m: Machine, pmd: PmdRef, table: TableId): Procedure<void> {
  const pmdLock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  const pteLock = m.locks.pteLock.ref(table);
  yield acquire(pmdLock);
  yield acquire(pteLock);
  const base = pteBit(m, table, 0);
  const empty = findBit(m.pte.present, base, base + m.ptes) < 0 && findBit(m.pte.nonPresent, base, base + m.ptes) < 0;
  const still = pmdType(m.directory.entry[pmd]) === PMD.table && pmdTable(m.directory.entry[pmd]) === table;
  if (empty && still) m.directory.entry[pmd] = 0;
  yield release(pteLock);
  yield release(pmdLock);
  if (!empty || !still) return;
  yield* pteFreeDefer(m, table);
}

/**
 * Frees a table that has just left its PMD (`pte_free_defer`). Who looked it up before may be at its lock by now, and will
 * find that it is gone; the kernel waits for an RCU grace period.
 */
export function* pteFreeDefer(m: Machine, table: TableId): Procedure<void> {
  const pteLock = m.locks.pteLock.ref(table);
  while (isLockInUse(m, table)) {
    yield acquire(pteLock);
    yield release(pteLock);
  }
  freeTable(m, table);
}

function isLockInUse(m: Machine, table: TableId): boolean {
  const base = m.locks.pteLock.base(table);
  return m.pte.lock[base + LOCK_STATE] !== 0 || m.pte.lock[base + LOCK_WAITERS] !== 0;
}

/**
 * Frees the PTE tables of a hole (`free_pgtables`): those whose whole range lies between `floor` and `ceiling`, the ends
 * of the neighbouring VMAs. The pages must be zapped, mmap_lock held for writing.
 */
export function freePageTables(m: Machine, mm: MmId, start: Vpn, end: Vpn, floor: number, ceiling: number): void {
  const { directory } = lockless(m, LOCKLESS.freeTables);
  for (let block = start - (start % m.ptes); block < end; ) {
    const pmd = findPmd(m, mm, block as Vpn);
    if (pmd === NO_PMD) {
      block = nextDirectory(m, block, Math.max(end, block + 1));
      continue;
    }
    const entry = directory.entry[pmd];
    if (block >= floor && block + m.ptes <= ceiling && pmdType(entry) === PMD.table) {
      directory.entry[pmd] = 0;
      freeTable(m, pmdTable(entry));
    }
    block += m.ptes;
  }
}

/** Frees all directories of an exiting mm; its tables must be gone. */
export function freeDirectories(m: Machine, mm: MmId): void {
  const { entry, level, pool } = lockless(m, LOCKLESS.freeDirectories).directory;
  const free = (directory: number): void => {
    if (directory === 0) return;
    if (level[directory] > 1) for (let slot = 0; slot < m.ptes; slot++) free(entry[directory * m.ptes + slot]);
    pool.free(directory);
  };
  free(m.mm.pgd[mm]);
  m.mm.pgd[mm] = 0;
}
