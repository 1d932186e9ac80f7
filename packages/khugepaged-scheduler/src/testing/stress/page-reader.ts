/**
 * Reads page tables and swap as the hardware and the device would: from the arena's columns, with none of the model's
 * functions, so that a mistake there cannot hide itself.
 */
import type { Machine, MmId } from '@thplab/mm-model';

/** What a page-table entry (or the huge PMD above it) says about one page. */
export interface SeenPage {
  readonly kind: 'zero' | 'page' | 'swap' | 'marker' | 'guard';
  /** Frame of a page, slot of a swap entry, else 0. */
  readonly where: number;
  /** What a read gives. */
  readonly content: number;
  readonly writable: boolean;
  /** Write-protected by userfaultfd. */
  readonly wp: boolean;
  readonly huge: boolean;
}

const PMD_TABLE = 1;
const PMD_HUGE = 2;
const PMD_WRITE = 0x20;
const PMD_UFFD_WP = 0x40;
const PMD_ZERO = 0x80;
const KIND_SWAP = 1;
const KIND_GUARD = 7;

/** All pages of an address space that are not empty, by page number. */
export function readAddressSpace(m: Machine, mm: MmId): Map<number, SeenPage> {
  const seen = new Map<number, SeenPage>();
  if (m.mm.pgd[mm] !== 0) readDirectory(m, m.mm.pgd[mm], m.levels - 1, 0, seen);
  return seen;
}

/** One page, or undefined if its entry is empty. */
export function readPage(m: Machine, mm: MmId, page: number): SeenPage | undefined {
  let directory = m.mm.pgd[mm];
  let block = Math.floor(page / m.ptes);
  for (let level = m.levels - 1; level > 1; level--) {
    const span = m.ptes ** (level - 1);
    directory = m.directory.entry[directory * m.ptes + Math.floor(block / span)];
    block %= span;
    if (directory === 0) return undefined;
  }
  if (directory === 0) return undefined;
  const entry = m.directory.entry[directory * m.ptes + block];
  if ((entry & 7) === PMD_HUGE) return readHuge(m, entry, page % m.ptes);
  return (entry & 7) === PMD_TABLE ? readEntry(m, entry >>> 8, page % m.ptes) : undefined;
}

function readDirectory(m: Machine, row: number, level: number, block: number, seen: Map<number, SeenPage>): void {
  for (let slot = 0; slot < m.ptes; slot++) {
    const entry = m.directory.entry[row * m.ptes + slot];
    if (entry === 0) continue;
    const at = block + slot * m.ptes ** (level - 1);
    if (level > 1) readDirectory(m, entry, level - 1, at, seen);
    else readPmd(m, entry, at * m.ptes, seen);
  }
}

function readPmd(m: Machine, entry: number, first: number, seen: Map<number, SeenPage>): void {
  for (let slot = 0; slot < m.ptes; slot++) {
    const page = (entry & 7) === PMD_HUGE ? readHuge(m, entry, slot) : readEntry(m, entry >>> 8, slot);
    if (page !== undefined) seen.set(first + slot, page);
  }
}

function readHuge(m: Machine, entry: number, slot: number): SeenPage {
  const zero = (entry & PMD_ZERO) !== 0;
  const where = zero ? 0 : (entry >>> 8) * m.ptes + slot;
  return {
    kind: zero ? 'zero' : 'page',
    where,
    content: zero ? 0 : m.frame.stamp[where],
    writable: (entry & PMD_WRITE) !== 0,
    wp: (entry & PMD_UFFD_WP) !== 0,
    huge: true,
  };
}

function readEntry(m: Machine, table: number, slot: number): SeenPage | undefined {
  const word = table * m.words + (slot >>> 5);
  const bit = 1 << (slot & 31);
  const on = (plane: Uint32Array): boolean => (plane[word] & bit) !== 0;
  const value = m.pte.pfn[table * m.ptes + slot];
  const wp = on(m.pte.uffdWp);
  if (on(m.pte.present)) {
    const zero = on(m.pte.zero);
    const content = zero ? 0 : m.frame.stamp[value];
    return { kind: zero ? 'zero' : 'page', where: value, content, writable: on(m.pte.write), wp, huge: false };
  }
  if (!on(m.pte.nonPresent)) return undefined;
  const type = value >>> 28;
  const slotNumber = type === KIND_SWAP ? value & 0x0fff_ffff : 0;
  const content = type === KIND_SWAP ? readSlot(m, slotNumber) : 0;
  const kind = type === KIND_SWAP ? 'swap' : type === KIND_GUARD ? 'guard' : 'marker';
  return { kind, where: slotNumber, content, writable: false, wp, huge: false };
}

/** A page in the swap cache is read from there, as a fault would. */
function readSlot(m: Machine, slot: number): number {
  const cached = m.swap.cache[slot];
  return cached === 0 ? m.swap.stamp[slot] : m.frame.stamp[cached];
}
