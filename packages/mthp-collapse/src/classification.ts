import { SCAN, SCAN_RESULT_COUNT, type ScanResult } from './results.js';

/**
 * What the result of one attempt means for the rest of the table (khugepaged spec 9 step 3, 15.10). Three groups:
 * - `nextRegion`: this region is done, go on behind it;
 * - `retryLower`: the same region may still take smaller folios;
 * - `stop`: the whole table is out of the question, keep what was collapsed.
 */
export type AttemptEffect = 'retryLower' | 'nextRegion' | 'stop';

/** Effect of every result, indexed by `ScanResult`. */
export type EffectTable = readonly AttemptEffect[];

/** Region is done: it is large now, or it was large before. */
export const REGION_DONE: readonly ScanResult[] = [SCAN.SUCCEED, SCAN.PTE_MAPPED_HUGEPAGE];

/** Facts about some pages of the window, or about memory for that size: a smaller window may avoid them. */
export const RETRY_LOWER: readonly ScanResult[] = [
  SCAN.ALLOC_HUGE_PAGE_FAIL,
  SCAN.LACK_REFERENCED_PAGE,
  SCAN.EXCEED_NONE_PTE,
  SCAN.EXCEED_SWAP_PTE,
  SCAN.EXCEED_SHARED_PTE,
  SCAN.PAGE_LOCK,
  SCAN.PAGE_COUNT,
  SCAN.PAGE_NULL,
  SCAN.DEL_PAGE_LRU,
  SCAN.PTE_NON_PRESENT,
  SCAN.PTE_UFFD_WP,
  SCAN.PAGE_LAZYFREE,
];

/** Builds a table from its groups; every result in neither group has the effect `otherwise`. */
export function effectTable(
  nextRegion: readonly ScanResult[],
  retryLower: readonly ScanResult[],
  otherwise: AttemptEffect,
): EffectTable {
  const table = new Array<AttemptEffect>(SCAN_RESULT_COUNT).fill(otherwise);
  for (const result of nextRegion) table[result] = 'nextRegion';
  for (const result of retryLower) table[result] = 'retryLower';
  return table;
}

/** RFC v2: every failure is just a failure, smaller windows are tried. */
export const UNCLASSIFIED_EFFECTS: EffectTable = effectTable([SCAN.SUCCEED], [], 'retryLower');

/** Dev Jain: a failure takes its order out of the range, a folio that is there already is stepped over. */
export const LINEAR_EFFECTS: EffectTable = effectTable([SCAN.SUCCEED, SCAN.PTE_MAPPED], [], 'retryLower');

/** v4: the first classification, by a list of its own; even an mTHP that was there before ends the table. */
export const V4_EFFECTS: EffectTable = effectTable(
  [SCAN.SUCCEED],
  [
    SCAN.EXCEED_NONE_PTE,
    SCAN.EXCEED_SWAP_PTE,
    SCAN.EXCEED_SHARED_PTE,
    SCAN.PTE_NON_PRESENT,
    SCAN.PTE_UFFD_WP,
    SCAN.ALLOC_HUGE_PAGE_FAIL,
    SCAN.CGROUP_CHARGE_FAIL,
    SCAN.COPY_MC,
    SCAN.PAGE_LOCK,
    SCAN.PAGE_COUNT,
  ],
  'stop',
);

/** v12: a page off the LRU is still a matter of its window; lazily freed pages are no result yet. */
export const V12_EFFECTS: EffectTable = effectTable(
  REGION_DONE,
  [...RETRY_LOWER.filter((result) => result !== SCAN.PAGE_LAZYFREE), SCAN.PAGE_LRU],
  'stop',
);

/** merged, v17 to v19. */
export const MERGED_EFFECTS: EffectTable = effectTable(REGION_DONE, RETRY_LOWER, 'stop');

/** Legacy has one window per table: any failure is the end, under its own name. */
export const SINGLE_ATTEMPT_EFFECTS: EffectTable = effectTable([SCAN.SUCCEED], [], 'stop');
