/**
 * Result codes of a scan or of one collapse attempt (khugepaged spec 3), under the kernel's names without their
 * `SCAN_` prefix.
 *
 * A `ScanResult` is a small integer, so it can live in a column or a trace record. 0 to 31 are the numbers of the
 * merged kernel; codes that only other generations know follow after 31. The integer that a given kernel prints
 * is `scanResultNumber`, the text of its trace events is `scanResultText`.
 */
export const SCAN = {
  FAIL: 0,
  SUCCEED: 1,
  NO_PTE_TABLE: 2,
  PMD_MAPPED: 3,
  EXCEED_NONE_PTE: 4,
  EXCEED_SWAP_PTE: 5,
  EXCEED_SHARED_PTE: 6,
  PTE_NON_PRESENT: 7,
  PTE_UFFD_WP: 8,
  PTE_MAPPED_HUGEPAGE: 9,
  LACK_REFERENCED_PAGE: 10,
  PAGE_NULL: 11,
  SCAN_ABORT: 12,
  PAGE_COUNT: 13,
  PAGE_LRU: 14,
  PAGE_LOCK: 15,
  PAGE_ANON: 16,
  PAGE_LAZYFREE: 17,
  PAGE_COMPOUND: 18,
  ANY_PROCESS: 19,
  VMA_NULL: 20,
  VMA_CHECK: 21,
  ADDRESS_RANGE: 22,
  DEL_PAGE_LRU: 23,
  ALLOC_HUGE_PAGE_FAIL: 24,
  CGROUP_CHARGE_FAIL: 25,
  TRUNCATED: 26,
  PAGE_HAS_PRIVATE: 27,
  STORE_FAILED: 28,
  COPY_MC: 29,
  PAGE_FILLED: 30,
  PAGE_DIRTY_OR_WRITEBACK: 31,
  /** Legacy to v12: no table because an upper level is missing, the entry is bad or not present. */
  PMD_NULL: 32,
  /** Legacy to v12: no table because the PMD entry is empty. */
  PMD_NONE: 33,
  /** Legacy up to 6.17: not one writable PTE in the range. */
  PAGE_RO: 34,
  /** v17 only: max_ptes_none is neither 0 nor the ceiling while an mTHP order is considered. */
  INVALID_PTES_NONE: 35,
  /** Dev Jain's proposals: the scan met a folio that is as large as the window, or larger (khugepaged spec 15.4). */
  PTE_MAPPED: 36,
} as const;

/** Name of a result code: the kernel's, without the prefix. */
export type ScanResultName = keyof typeof SCAN;

/** A result code; see `SCAN`. */
export type ScanResult = (typeof SCAN)[ScanResultName];

/** How many codes there are; every `ScanResult` is below it, so it sizes counters per result. */
export const SCAN_RESULT_COUNT = 37;

const TEXTS: Readonly<Record<ScanResultName, string>> = {
  FAIL: 'failed',
  SUCCEED: 'succeeded',
  NO_PTE_TABLE: 'no_pte_table',
  PMD_MAPPED: 'page_pmd_mapped',
  EXCEED_NONE_PTE: 'exceed_none_pte',
  EXCEED_SWAP_PTE: 'exceed_swap_pte',
  EXCEED_SHARED_PTE: 'exceed_shared_pte',
  PTE_NON_PRESENT: 'pte_non_present',
  PTE_UFFD_WP: 'pte_uffd_wp',
  PTE_MAPPED_HUGEPAGE: 'pte_mapped_hugepage',
  LACK_REFERENCED_PAGE: 'lack_referenced_page',
  PAGE_NULL: 'page_null',
  SCAN_ABORT: 'scan_aborted',
  PAGE_COUNT: 'not_suitable_page_count',
  PAGE_LRU: 'page_not_in_lru',
  PAGE_LOCK: 'page_locked',
  PAGE_ANON: 'page_not_anon',
  PAGE_LAZYFREE: 'page_lazyfree',
  PAGE_COMPOUND: 'page_compound',
  ANY_PROCESS: 'no_process_for_page',
  VMA_NULL: 'vma_null',
  VMA_CHECK: 'vma_check_failed',
  ADDRESS_RANGE: 'not_suitable_address_range',
  DEL_PAGE_LRU: 'could_not_delete_page_from_lru',
  ALLOC_HUGE_PAGE_FAIL: 'alloc_huge_page_failed',
  // The double c is the kernel's own spelling.
  CGROUP_CHARGE_FAIL: 'ccgroup_charge_failed',
  TRUNCATED: 'truncated',
  PAGE_HAS_PRIVATE: 'page_has_private',
  STORE_FAILED: 'store_failed',
  COPY_MC: 'copy_poisoned_page',
  PAGE_FILLED: 'page_filled',
  PAGE_DIRTY_OR_WRITEBACK: 'page_dirty_or_writeback',
  PMD_NULL: 'pmd_null',
  PMD_NONE: 'pmd_none',
  PAGE_RO: 'no_writable_page',
  INVALID_PTES_NONE: 'invalid_ptes_none',
  // The text is ours, in the manner of page_pmd_mapped: only the name is known.
  PTE_MAPPED: 'page_pte_mapped',
};

const NAME_OF: readonly ScanResultName[] = namesByCode();

function namesByCode(): ScanResultName[] {
  const names: ScanResultName[] = [];
  for (const name of Object.keys(SCAN) as ScanResultName[]) names[SCAN[name]] = name;
  return names;
}

/** The kernel's name of a result, without prefix: `scanResultName(SCAN.VMA_CHECK) === 'VMA_CHECK'`. */
export function scanResultName(result: ScanResult): ScanResultName {
  return NAME_OF[result];
}

/**
 * The text that the trace events of the kernel print as `status=` (khugepaged spec 3 and 14.3). The same in every
 * generation that has the code: a generation differs in which codes it has, see `Generation.results`.
 */
export function scanResultText(result: ScanResult): string {
  return TEXTS[NAME_OF[result]];
}

/** The code whose trace text is `text`, or `undefined` when no generation prints such a text. */
export function scanResultOfText(text: string): ScanResult | undefined {
  const name = NAME_OF.find((candidate) => TEXTS[candidate] === text);
  return name === undefined ? undefined : SCAN[name];
}
