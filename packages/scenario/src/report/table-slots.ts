/** One page table as its entries: what explain draws. */
import { asBrand, getBit } from '@thplab/arena';
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
  pmdTable,
  pmdType,
  pteBit,
  pteCell,
  type TableId,
  type Vpn,
  ZERO_FRAME,
} from '@thplab/mm-model';

/** One entry. */
export interface TableSlot {
  readonly kind: 'none' | 'page' | 'zero' | 'swap' | 'other';
  /** Order of the folio of a page. */
  readonly order: number;
  readonly young: boolean;
  readonly shared: boolean;
}

/** A PMD entry and what is under it. */
export interface TableView {
  readonly pmd: 'none' | 'table' | 'huge' | 'other';
  readonly slots: readonly TableSlot[];
}

/** The table of the range that starts with a page. */
export function viewTable(m: Machine, mm: MmId, page: number): TableView {
  const pmd = findPmd(m, mm, asBrand<Vpn>(page));
  const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
  switch (pmdType(entry)) {
    case PMD.none:
      return { pmd: 'none', slots: filled(m, { kind: 'none', order: 0, young: false, shared: false }) };
    case PMD.huge: {
      const kind = (entry & PMD_ZERO) !== 0 ? 'zero' : 'page';
      return { pmd: 'huge', slots: filled(m, { kind, order: m.pmdOrder, young: true, shared: false }) };
    }
    case PMD.table: {
      const table = pmdTable(entry);
      return { pmd: 'table', slots: Array.from({ length: m.ptes }, (_, slot) => slotAt(m, table, slot)) };
    }
    default:
      return { pmd: 'other', slots: filled(m, { kind: 'other', order: 0, young: false, shared: false }) };
  }
}

function filled(m: Machine, slot: TableSlot): TableSlot[] {
  return Array.from({ length: m.ptes }, () => slot);
}

function slotAt(m: Machine, table: TableId, slot: number): TableSlot {
  const bit = pteBit(m, table, slot);
  const pfn = m.pte.pfn[pteCell(m, table, slot)];
  const young = getBit(m.pte.young, bit) || getBit(m.pte.referenced, bit);
  const shared = getBit(m.pte.shared, bit);
  if (getBit(m.pte.present, bit)) {
    if (pfn === ZERO_FRAME) return { kind: 'zero', order: 0, young, shared };
    if (pfn === NO_FRAME) return { kind: 'other', order: 0, young, shared };
    return { kind: 'page', order: m.frame.flags[pfn] & 0xf, young, shared };
  }
  if (!getBit(m.pte.nonPresent, bit)) return { kind: 'none', order: 0, young: false, shared: false };
  return { kind: entryKind(pfn) === ENTRY_KIND.swap ? 'swap' : 'other', order: 0, young: false, shared: false };
}
