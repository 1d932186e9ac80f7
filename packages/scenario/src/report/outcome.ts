/** What became of a PMD range, in the terms of product question 6: collapsed to what, or the one reason why not. */
import { asBrand, findBit } from '@thplab/arena';
import {
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
  type Vpn,
  ZERO_FRAME,
} from '@thplab/mm-model';
import { scanResultText } from '@thplab/mthp-collapse';
import { NOT_SCANNED } from '../format/index.js';
import type { RangeRecord } from '../run/collapse-log.js';
import type { World } from '../run/world.js';

/** The outcome of one range. */
export interface RangeOutcome {
  /** Sizes in bytes of the folios that collapses built and that are still there, descending; empty: not collapsed. */
  readonly collapsedTo: readonly number[];
  /** The kernel's text of the last result, or `not_scanned`. */
  readonly result: string;
}

/** The outcome of the range that starts with a page. */
export function rangeOutcome(world: World, mm: MmId, page: number): RangeOutcome {
  const record = world.log.range(mm, page);
  const result = record === undefined || record.looks === 0 ? NOT_SCANNED : scanResultText(record.result);
  const orders = record === undefined ? 0 : standingOrders(world.m, mm, page, record);
  const { pageSize } = world.scenario.machine;
  const collapsedTo: number[] = [];
  for (let order = world.m.pmdOrder; order > 0; order--) {
    if ((orders & (1 << order)) !== 0) collapsedTo.push(pageSize * 2 ** order);
  }
  return { collapsedTo, result };
}

/** Of the orders that were built here, those of which the range still maps a folio. */
function standingOrders(m: Machine, mm: MmId, page: number, record: RangeRecord): number {
  if (record.orders === 0) return 0;
  const pmd = findPmd(m, mm, asBrand<Vpn>(page));
  if (pmd === NO_PMD) return 0;
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) return (entry & PMD_ZERO) !== 0 ? 0 : record.orders & (1 << m.pmdOrder);
  if (pmdType(entry) !== PMD.table) return 0;
  const table = pmdTable(entry);
  const base = pteBit(m, table, 0);
  let orders = 0;
  for (let bit = findBit(m.pte.present, base, base + m.ptes); bit >= 0; ) {
    const pfn = m.pte.pfn[pteCell(m, table, bit - base)];
    if (pfn !== ZERO_FRAME && pfn !== NO_FRAME) orders |= 1 << (m.frame.flags[pfn] & 0xf);
    bit = bit + 1 >= base + m.ptes ? -1 : findBit(m.pte.present, bit + 1, base + m.ptes);
  }
  return orders & record.orders & ~1;
}
