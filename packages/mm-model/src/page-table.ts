/**
 * Walking and changing page tables. These functions take no lock and yield nothing: callers hold what the columns' guards
 * name. Entries above the PTE level live in directories, PTE tables in bit planes (tables.ts).
 *
 * A PMD entry is one 32-bit word: the type in bits 0-2, attribute bits, and from bit 8 the PTE table's row or the frame
 * divided by the pages of a huge page.
 */
import { asBrand, type Brand, clearBit, clearBits, getBit, setBit, setBitAtomic } from '@thplab/arena';
import type { MmId, Pfn, TableId, Vpn } from './brands.js';
import { FOLIO, NO_FRAME, ZERO_FRAME } from './flags.js';
import type { Machine } from './machine.js';

/** Index of a PMD entry in `directory.entry`: directory row times slots, plus slot. */
export type PmdRef = Brand<'PmdRef'>;

/** What `findPmd` gives where a level above the PMD is missing. */
export const NO_PMD: PmdRef = asBrand(-1);

/** Types of PMD entry (khugepaged spec 2.3). */
export const PMD = { none: 0, table: 1, huge: 2, migration: 3, nonPresent: 4, bad: 5 } as const;
export type PmdType = (typeof PMD)[keyof typeof PMD];

/** Attribute bits of a huge PMD. */
export const PMD_YOUNG = 0x8;
export const PMD_DIRTY = 0x10;
export const PMD_WRITE = 0x20;
export const PMD_UFFD_WP = 0x40;
/** Maps the huge zero page. */
export const PMD_ZERO = 0x80;

/** Attribute bits for `setPtePage`. */
export const PTE_YOUNG = 1;
export const PTE_DIRTY = 2;
export const PTE_WRITE = 4;
export const PTE_UFFD_WP = 8;

/** Type of a PMD entry. */
export function pmdType(entry: number): PmdType {
  return (entry & 7) as PmdType;
}

/** PTE table of a PMD entry of type `table`. */
export function pmdTable(entry: number): TableId {
  return asBrand(entry >>> 8);
}

/** First frame of a PMD entry of type `huge`. */
export function pmdPfn(m: Machine, entry: number): Pfn {
  return asBrand((entry >>> 8) * m.ptes);
}

/** Entry that points to a PTE table. */
export function makePmdTable(table: TableId): number {
  return ((table << 8) | PMD.table) >>> 0;
}

/** Entry that maps a huge page; `pfn` is aligned to the PMD order. */
export function makePmdHuge(m: Machine, pfn: Pfn, attributes: number): number {
  return (((pfn / m.ptes) << 8) | attributes | PMD.huge) >>> 0;
}

/** Number of the PMD range that a page lies in: page number divided by the slots of a table. */
export function blockOf(m: Machine, page: Vpn): number {
  return Math.floor(page / m.ptes);
}

/** Slot of a page in its PTE table. */
export function slotOf(m: Machine, page: Vpn): number {
  return page % m.ptes;
}

/** PMD entry of a page, or NO_PMD if a level above it is missing (`mm_find_pmd` and "pmd_null" of the legacy code). */
export function findPmd(m: Machine, mm: MmId, page: Vpn): PmdRef {
  let directory = m.mm.pgd[mm];
  let index = Math.floor(page / m.ptes);
  for (let level = m.levels - 1; level > 1; level--) {
    if (directory === 0) return NO_PMD;
    const span = 1 << (m.pmdOrder * (level - 1));
    directory = m.directory.entry[directory * m.ptes + Math.floor(index / span)];
    index %= span;
  }
  return directory === 0 ? NO_PMD : asBrand(directory * m.ptes + index);
}

/** As `findPmd`, making the missing levels. Errors: TableFullError for 'directory'. */
export function allocPmd(m: Machine, mm: MmId, page: Vpn): PmdRef {
  let index = Math.floor(page / m.ptes);
  let directory = m.mm.pgd[mm];
  if (directory === 0) {
    directory = newDirectory(m, mm, m.levels - 1);
    m.mm.pgd[mm] = directory;
  }
  for (let level = m.levels - 1; level > 1; level--) {
    const span = 1 << (m.pmdOrder * (level - 1));
    const cell = directory * m.ptes + Math.floor(index / span);
    directory = m.directory.entry[cell];
    if (directory === 0) {
      directory = newDirectory(m, mm, level - 1);
      m.directory.entry[cell] = directory;
    }
    index %= span;
  }
  return asBrand(directory * m.ptes + index);
}

function newDirectory(m: Machine, mm: MmId, level: number): number {
  const row = m.directory.pool.alloc();
  m.directory.mm[row] = mm;
  m.directory.level[row] = level;
  return row;
}

/**
 * Writes an entry into a PMD that was none. Before, the plane `used` is told: whoever looks at many PMDs of which most are
 * none (DAMON in a terabyte) sees by a bit that one need not be read. A bit stays set while the directory lives, for an
 * entry that is taken out may be put back; one that is set in vain costs a look.
 */
export function setPmd(m: Machine, pmd: PmdRef, entry: number): void {
  const bit = pmdBit(m, pmd);
  if (!getBit(m.directory.used, bit)) setBitAtomic(m.directory.used, bit);
  m.directory.entry[pmd] = entry;
}

/** Index of a PMD in the bit planes of directories. */
export function pmdBit(m: Machine, pmd: PmdRef): number {
  return pteBit(m, asBrand(directoryOf(m, pmd)), pmd % m.ptes);
}

/** Directory row of a PMD reference: the instance of its pmd_lock. */
export function directoryOf(m: Machine, pmd: PmdRef): number {
  return Math.floor(pmd / m.ptes);
}

/** The PTE table that maps a page, or 0. */
export function findTable(m: Machine, mm: MmId, page: Vpn): TableId | 0 {
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return 0;
  const entry = m.directory.entry[pmd];
  return pmdType(entry) === PMD.table ? pmdTable(entry) : 0;
}

/** A new, empty PTE table for the range of `page`, not yet in any PMD. Errors: TableFullError for 'pte'. */
export function newTable(m: Machine, mm: MmId, page: Vpn): TableId {
  const table = m.pte.pool.alloc();
  m.pte.mm[table] = mm;
  m.pte.block[table] = blockOf(m, page);
  m.mm.pageTables[mm] += 1;
  return asBrand(table);
}

/** Frees a PTE table. */
export function freeTable(m: Machine, table: TableId): void {
  const mm = m.pte.mm[table];
  m.mm.pageTables[mm] = m.mm.pageTables[mm] - 1;
  m.pte.pool.free(table);
}

/** Index of an entry in `pte.pfn`. */
export function pteCell(m: Machine, table: TableId, slot: number): number {
  return table * m.ptes + slot;
}

/** Index of an entry in the bit planes. */
export function pteBit(m: Machine, table: TableId, slot: number): number {
  return table * m.planeBits + slot;
}

/** First page of a table. */
export function tableStart(m: Machine, table: TableId): Vpn {
  return asBrand(m.pte.block[table] * m.ptes);
}

/** True if the entry is all zero. */
export function isPteNone(m: Machine, table: TableId, slot: number): boolean {
  const bit = pteBit(m, table, slot);
  return !getBit(m.pte.present, bit) && !getBit(m.pte.nonPresent, bit);
}

/** Frame that an entry maps, ZERO_FRAME for the zero page, NO_FRAME for a special page, or -1 if it is not present. */
export function ptePfn(m: Machine, table: TableId, slot: number): number {
  return getBit(m.pte.present, pteBit(m, table, slot)) ? m.pte.pfn[pteCell(m, table, slot)] : -1;
}

/** Makes the entry none. */
export function clearPte(m: Machine, table: TableId, slot: number): void {
  clearPtes(m, table, slot, slot + 1);
}

/** Flushes the translations of entries from `from` to `to - 1`, which have gone or allow less than before. */
export function flushPtes(m: Machine, table: TableId, from: number, to: number): void {
  const first = m.pte.block[table] * m.ptes;
  m.hooks.flushTlb(asBrand(m.pte.mm[table]), asBrand(first + from), asBrand(first + to));
}

/** Flushes the translations of the PMD range that a page lies in. */
export function flushBlock(m: Machine, mm: MmId, page: Vpn): void {
  const first = page - (page % m.ptes);
  m.hooks.flushTlb(mm, asBrand(first), asBrand(first + m.ptes));
}

/** Lets the accesses of entries from `from` to `to - 1` leave their marks, which are about to be looked at or taken away. */
export function settlePtes(m: Machine, table: TableId, from: number, to: number): void {
  const first = m.pte.block[table] * m.ptes;
  m.hooks.settleAccessRange(asBrand(m.pte.mm[table]), asBrand(first + from), asBrand(first + to));
}

/** Makes the entries from `from` to `to - 1` none. */
export function clearPtes(m: Machine, table: TableId, from: number, to: number): void {
  flushPtes(m, table, from, to);
  const p = m.pte;
  const base = table * m.planeBits;
  p.pfn.fill(0, table * m.ptes + from, table * m.ptes + to);
  clearBits(p.present, base + from, base + to);
  clearBits(p.zero, base + from, base + to);
  clearBits(p.nonPresent, base + from, base + to);
  clearBits(p.uffdWp, base + from, base + to);
  clearBits(p.write, base + from, base + to);
  clearBits(p.dirty, base + from, base + to);
  clearBits(p.young, base + from, base + to);
  clearBits(p.shared, base + from, base + to);
  clearBits(p.attention, base + from, base + to);
  clearBits(p.referenced, base + from, base + to);
}

/**
 * Points a none entry to a frame (or NO_FRAME). Sets the mirror planes from what the folio's mirrors show; reference and
 * map counts are the caller's.
 */
export function setPtePage(m: Machine, table: TableId, slot: number, pfn: number, attributes: number): void {
  const bit = pteBit(m, table, slot);
  m.pte.pfn[pteCell(m, table, slot)] = pfn;
  setBit(m.pte.present, bit);
  setPteAttributes(m, bit, attributes);
  if (pfn === NO_FRAME) {
    setBit(m.pte.attention, bit);
    return;
  }
  const flags = m.frame.flags[pfn - (pfn % (1 << (m.frame.flags[pfn] & 0xf)))];
  if ((flags & FOLIO.MIRROR_SHARED) !== 0) setBit(m.pte.shared, bit);
  if ((flags & FOLIO.MIRROR_ATTENTION) !== 0) setBit(m.pte.attention, bit);
  if ((flags & FOLIO.MIRROR_REFERENCED) !== 0) setBit(m.pte.referenced, bit);
}

/** Points a none entry to the shared zero page. */
export function setPteZero(m: Machine, table: TableId, slot: number, attributes = 0): void {
  const bit = pteBit(m, table, slot);
  m.pte.pfn[pteCell(m, table, slot)] = ZERO_FRAME;
  setBit(m.pte.present, bit);
  setBit(m.pte.zero, bit);
  setPteAttributes(m, bit, attributes);
}

/** Makes a none entry a swap-type entry (`makeEntry`); `uffdWp`: it carries the userfaultfd write-protect bit. */
export function setPteEntry(m: Machine, table: TableId, slot: number, entry: number, uffdWp = false): void {
  const bit = pteBit(m, table, slot);
  m.pte.pfn[pteCell(m, table, slot)] = entry;
  setBit(m.pte.nonPresent, bit);
  if (uffdWp) setBit(m.pte.uffdWp, bit);
}

function setPteAttributes(m: Machine, bit: number, attributes: number): void {
  if ((attributes & PTE_YOUNG) !== 0) setBit(m.pte.young, bit);
  if ((attributes & PTE_DIRTY) !== 0) setBit(m.pte.dirty, bit);
  if ((attributes & PTE_WRITE) !== 0) setBit(m.pte.write, bit);
  if ((attributes & PTE_UFFD_WP) !== 0) setBit(m.pte.uffdWp, bit);
}

/** Attribute bits of a present entry, as `setPtePage` takes them. */
export function pteAttributes(m: Machine, table: TableId, slot: number): number {
  const bit = pteBit(m, table, slot);
  return (
    (getBit(m.pte.young, bit) ? PTE_YOUNG : 0) |
    (getBit(m.pte.dirty, bit) ? PTE_DIRTY : 0) |
    (getBit(m.pte.write, bit) ? PTE_WRITE : 0) |
    (getBit(m.pte.uffdWp, bit) ? PTE_UFFD_WP : 0)
  );
}

/** Takes write permission from an entry. */
export function writeProtectPte(m: Machine, table: TableId, slot: number): void {
  clearBit(m.pte.write, pteBit(m, table, slot));
  flushPtes(m, table, slot, slot + 1);
}
