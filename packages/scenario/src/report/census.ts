/** Counting what a range of an address space maps, by state and by folio size. */
import { asBrand, countBits, findBit } from '@thplab/arena';
import {
  ENTRY_KIND,
  entryKind,
  findPmd,
  type Machine,
  type MmId,
  NO_FRAME,
  NO_PMD,
  PMD,
  PMD_ZERO,
  pmdPfn,
  pmdTable,
  pmdType,
  pteBit,
  pteCell,
  type TableId,
  type Vpn,
  ZERO_FRAME,
} from '@thplab/mm-model';

/** Base pages of a range, by what they are. */
export interface Census {
  /** All pages of the range. */
  pages: number;
  /** Mapped to memory, the shared zero page not counted. */
  resident: number;
  /** Mapped by huge PMDs. */
  huge: number;
  /** Pages in folios of an order that are mapped whole, at a natural address: by order, 1 and more. */
  readonly byOrder: number[];
  /** Mapped pages that nobody ever wrote to: filled up by collapses or huge faults. */
  noData: number;
  zero: number;
  swap: number;
}

/** A census with nothing in it. */
export function emptyCensus(m: Machine): Census {
  const byOrder = Array.from({ length: m.pmdOrder + 1 }, () => 0);
  return { pages: 0, resident: 0, huge: 0, byOrder, noData: 0, zero: 0, swap: 0 };
}

/** Adds what [start, end) of an address space maps. */
export function countRange(m: Machine, mm: MmId, start: number, end: number, census: Census): void {
  census.pages += end - start;
  for (let page = start; page < end; ) {
    const pmd = findPmd(m, mm, asBrand<Vpn>(page));
    if (pmd === NO_PMD) {
      // No directory: nothing up to the end of what it would cover.
      const span = m.ptes * m.ptes;
      page += span - (page % span);
      continue;
    }
    const blockEnd = Math.min(end, page - (page % m.ptes) + m.ptes);
    const entry = m.directory.entry[pmd];
    if (pmdType(entry) === PMD.huge) countHuge(m, entry, page % m.ptes, blockEnd - page, census);
    else if (pmdType(entry) === PMD.table) {
      countTable(m, pmdTable(entry), page % m.ptes, (page % m.ptes) + blockEnd - page, census);
    }
    page = blockEnd;
  }
}

function countHuge(m: Machine, entry: number, slot: number, pages: number, census: Census): void {
  if ((entry & PMD_ZERO) !== 0) {
    census.zero += pages;
    return;
  }
  census.huge += pages;
  census.resident += pages;
  census.byOrder[m.pmdOrder] += pages;
  const first = pmdPfn(m, entry) + slot;
  for (let pfn = first; pfn < first + pages; pfn++) if (m.frame.stamp[pfn] === 0) census.noData++;
}

function countTable(m: Machine, table: TableId, from: number, to: number, census: Census): void {
  const base = pteBit(m, table, 0);
  const zero = countBits(m.pte.zero, base + from, base + to);
  census.zero += zero;
  if (countBits(m.pte.nonPresent, base + from, base + to) > 0) census.swap += swapEntries(m, table, from, to);
  const { present } = m.pte;
  const cell = pteCell(m, table, 0);
  for (let bit = findBit(present, base + from, base + to); bit >= 0; ) {
    const slot = bit - base;
    const pfn = m.pte.pfn[cell + slot];
    let next = slot + 1;
    if (pfn !== ZERO_FRAME && pfn !== NO_FRAME) {
      const order = m.frame.flags[pfn] & 0xf;
      if (order > 0 && isWholeFolio(m, table, slot, to, pfn, order)) {
        const pages = 1 << order;
        census.byOrder[order] += pages;
        next = slot + pages;
      }
      census.resident += next - slot;
      for (let i = 0; i < next - slot; i++) if (m.frame.stamp[pfn + i] === 0) census.noData++;
    }
    bit = next >= to ? -1 : findBit(present, base + next, base + to);
  }
}

/** The folio starts at this slot, the slot is aligned to its size, and all of it is mapped in order before `to`. */
function isWholeFolio(m: Machine, table: TableId, slot: number, to: number, pfn: number, order: number): boolean {
  const pages = 1 << order;
  if (slot % pages !== 0 || pfn % pages !== 0 || slot + pages > to) return false;
  const cell = pteCell(m, table, slot);
  const bit = pteBit(m, table, slot);
  if (countBits(m.pte.present, bit, bit + pages) !== pages) return false;
  for (let i = 1; i < pages; i++) if (m.pte.pfn[cell + i] !== pfn + i) return false;
  return true;
}

function swapEntries(m: Machine, table: TableId, from: number, to: number): number {
  const base = pteBit(m, table, 0);
  let count = 0;
  for (let bit = findBit(m.pte.nonPresent, base + from, base + to); bit >= 0; ) {
    if (entryKind(m.pte.pfn[pteCell(m, table, bit - base)]) === ENTRY_KIND.swap) count++;
    bit = bit + 1 >= base + to ? -1 : findBit(m.pte.nonPresent, bit + 1, base + to);
  }
  return count;
}
