/** What became of a PMD range, in the terms of product question 6: collapsed to what, or the one reason why not. */
import {
  type FileId,
  folioOrder,
  linearIndex,
  type Machine,
  type MmId,
  pageCacheLookup,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { scanResultText } from '@thplab/mthp-collapse';
import { NOT_SCANNED } from '../format/index.js';
import type { RangeRecord } from '../run/collapse-log.js';
import type { World } from '../run/world.js';
import { countRange, emptyCensus } from './census.js';

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

/**
 * Of the orders that were built here, those of which the range still maps a folio as a whole; of a file, those that are in
 * the page cache, whether mapped yet or not.
 */
function standingOrders(m: Machine, mm: MmId, page: number, record: RangeRecord): number {
  if (record.orders === 0) return 0;
  const vma = vmaAt(m, mm, page);
  if (vma !== 0 && m.vma.file[vma] !== 0) return record.orders & orderInPageCache(m, vma, page);
  const census = emptyCensus(m);
  countRange(m, mm, page, page + m.ptes, census);
  return (
    census.byOrder.reduce((orders, pages, order) => (pages > 0 ? orders | (1 << order) : orders), 0) & record.orders
  );
}

function orderInPageCache(m: Machine, vma: VmaId, page: number): number {
  const pfn = pageCacheLookup(m, m.vma.file[vma] as FileId, linearIndex(m, vma, page as Vpn));
  return pfn === 0 ? 0 : 1 << folioOrder(m, pfn);
}
