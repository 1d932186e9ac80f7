/**
 * Making one page old and looking at it, as the checks page by page do (folio-age.ts), in as few steps as it takes: flags
 * that are as wanted already are left alone, so an atomic access is made only where something changes.
 */
import {
  FOLIO,
  type Machine,
  NO_FRAME,
  ORDER_MASK,
  PAGE,
  type Pfn,
  PMD,
  PMD_YOUNG,
  PMD_ZERO,
  updateMirrors,
  ZERO_FRAME,
} from '@thplab/mm-model';

/** Makes a page old, which the PMD entry in a cell maps at an address. */
export function makeOldAt(m: Machine, cell: number, address: number): void {
  const { entry: entries } = m.directory;
  const { flags } = m.frame;
  const entry = entries[cell];
  const type = entry & 7;
  if (type === PMD.huge) {
    const head = (entry & PMD_ZERO) !== 0 ? 0 : headOf(m, flags, (entry >>> 8) * m.ptes);
    if (head === 0) return;
    if ((entry & PMD_YOUNG) !== 0) entries[cell] = (entry & ~PMD_YOUNG) >>> 0;
    age(m, flags, head, (entry & PMD_YOUNG) !== 0);
  } else if (type === PMD.table) {
    const page = Math.floor(address * 2 ** -m.geometry.pageShift);
    const bit = pteBitOf(m, entry >>> 8, page);
    if ((m.pte.present[bit >>> 5] & (1 << (bit & 31))) === 0) return;
    const head = headOf(m, flags, m.pte.pfn[(entry >>> 8) * m.ptes + (page % m.ptes)]);
    if (head !== 0) age(m, flags, head, clearYoung(m.pte.young, bit));
  }
}

/** Pages of the folio that a PMD entry maps at an address, 0: none; negative if it was accessed. */
export function lookAt(m: Machine, entry: number, address: number): number {
  const { flags } = m.frame;
  const type = entry & 7;
  let head: number;
  let young: boolean;
  if (type === PMD.huge) {
    head = (entry & PMD_ZERO) !== 0 ? 0 : headOf(m, flags, (entry >>> 8) * m.ptes);
    young = (entry & PMD_YOUNG) !== 0;
  } else if (type === PMD.table) {
    const page = Math.floor(address * 2 ** -m.geometry.pageShift);
    const bit = pteBitOf(m, entry >>> 8, page);
    if ((m.pte.present[bit >>> 5] & (1 << (bit & 31))) === 0) return 0;
    head = headOf(m, flags, m.pte.pfn[(entry >>> 8) * m.ptes + (page % m.ptes)]);
    young = (m.pte.young[bit >>> 5] & (1 << (bit & 31))) !== 0;
  } else return 0;
  if (head === 0) return 0;
  const pages = 1 << (flags[head] & ORDER_MASK);
  return young || (flags[head] & FOLIO.IDLE) === 0 ? -pages : pages;
}

/** First frame of the folio of `pfn`, if DAMON may look at it (`damon_get_folio`); else 0. */
function headOf(m: Machine, flags: Uint32Array, pfn: number): number {
  if (pfn <= ZERO_FRAME || pfn === NO_FRAME || pfn >= m.frame.capacity) return 0;
  const own = flags[pfn];
  if ((own & PAGE.ALLOCATED) === 0) return 0;
  const head = pfn - (pfn & ((1 << (own & ORDER_MASK)) - 1));
  return (flags[head] & FOLIO.LRU) === 0 ? 0 : head;
}

/** Marks a folio idle, and young if its entry was (`markOld`). */
function age(m: Machine, flags: Uint32Array, head: number, wasYoung: boolean): void {
  const wanted = wasYoung ? FOLIO.IDLE | FOLIO.YOUNG : FOLIO.IDLE;
  const before = flags[head];
  if ((before & wanted) === wanted) return;
  Atomics.or(flags, head, wanted);
  // Being idle concerns nobody else; being young is mirrored into the tables that map the folio.
  if (wasYoung && (before & FOLIO.YOUNG) === 0) updateMirrors(m, head as Pfn);
}

/** Bit of a PTE in the planes. */
function pteBitOf(m: Machine, table: number, page: number): number {
  return table * m.planeBits + (page % m.ptes);
}

/** Clears a bit; true if it was set. */
function clearYoung(young: Uint32Array, bit: number): boolean {
  const mask = 1 << (bit & 31);
  if ((young[bit >>> 5] & mask) === 0) return false;
  return (Atomics.and(young, bit >>> 5, ~mask) & mask) !== 0;
}
