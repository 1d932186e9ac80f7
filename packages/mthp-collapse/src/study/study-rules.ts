import type { Generation } from '../generations/generation.js';
import type { LimitContext, PtesSettings } from '../limits.js';
import { type OrderSet, orderBit, orderRange } from '../orders.js';
import { SCAN, type ScanResult } from '../results.js';
import type { StudyTable } from './study-table.js';

/** What a study holds fixed while tables change. */
export interface StudyRules {
  readonly generation: Generation;
  readonly pmdOrder: number;
  readonly enabledOrders: OrderSet;
  /** Orders whose own `enabled` file says `always`; only greedy generations look at them. */
  readonly alwaysOrders: OrderSet;
  readonly settings: PtesSettings;
}

/** What the limits of khugepaged depend on. */
export function contextOf({ pmdOrder, settings }: StudyRules): LimitContext {
  return { pmdOrder, settings, initiator: 'khugepaged', uffdArmed: false };
}

/** The enabled orders that the generation knows. */
export function knownOrders({ generation, pmdOrder, enabledOrders }: StudyRules): OrderSet {
  const known = generation.minOrder === 'pmd' ? orderBit(pmdOrder) : orderRange(generation.minOrder, pmdOrder);
  return enabledOrders & known;
}

/**
 * What an attempt at a window gives, by the rules of isolate and swap-in (khugepaged spec 11.3, 11.4), for a table as studies see
 * it: SUCCEED, PTE_MAPPED_HUGEPAGE, EXCEED_SWAP_PTE, EXCEED_NONE_PTE, LACK_REFERENCED_PAGE for a window without any page, or
 * what the generation gives where the limit is refused.
 */
export function attemptResult(rules: StudyRules, table: StudyTable, offset: number, order: number): ScanResult {
  const { generation, pmdOrder } = rules;
  const context = contextOf(rules);
  if (order < pmdOrder && table.mapsFolioOf(offset, order)) {
    return generation.walk === 'linearRescan' ? SCAN.PTE_MAPPED : SCAN.PTE_MAPPED_HUGEPAGE;
  }
  const swapped = table.swappedIn(offset, order);
  if (swapped > 0 && swapped > swapsAllowed(rules, order)) return SCAN.EXCEED_SWAP_PTE;
  const limit = generation.noneLimit(order, context);
  if (limit === 'refused') return generation.refusedResult;
  const present = table.present(offset, order);
  if ((1 << order) - present - swapped > limit) return SCAN.EXCEED_NONE_PTE;
  return present === 0 ? SCAN.LACK_REFERENCED_PAGE : SCAN.SUCCEED;
}

function swapsAllowed(rules: StudyRules, order: number): number {
  const { generation, pmdOrder } = rules;
  return order === pmdOrder || generation.swapsInBelowPmd ? generation.swapLimit(order, contextOf(rules)) : 0;
}

/** What the scan of the whole table gives before any window is chosen (khugepaged spec 7.1); window by window for Dev Jain's. */
export function scanResult(rules: StudyRules, table: StudyTable): ScanResult {
  const { generation, pmdOrder } = rules;
  const context = contextOf(rules);
  if (table.folioOrder[0] === pmdOrder) return SCAN.PMD_MAPPED;
  if (generation.walk === 'linearRescan') return SCAN.SUCCEED;
  const swapped = table.swappedIn(0, pmdOrder);
  const present = table.present(0, pmdOrder);
  if (swapped > generation.swapLimit(pmdOrder, context)) return SCAN.EXCEED_SWAP_PTE;
  const empty = (1 << pmdOrder) - present - swapped;
  if (empty > generation.scanNoneLimit(knownOrders(rules), context)) return SCAN.EXCEED_NONE_PTE;
  const unused = present === 0 || (swapped > 0 && present < 1 << (pmdOrder - 1));
  return unused ? SCAN.LACK_REFERENCED_PAGE : SCAN.SUCCEED;
}
