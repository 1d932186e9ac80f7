/** The kernel's names of results in plain words: what was found, and what would have to be different (khugepaged spec 3). */

const REASONS: Readonly<Record<string, string>> = {
  succeeded: 'collapsed; the folio is gone again (split, unmapped or swapped out)',
  failed: 'no window was full enough for any enabled size, or none could be tried',
  not_scanned: 'khugepaged has not come here: not registered, not eligible, or not yet its turn',
  no_pte_table: 'there is no page table: nothing was ever mapped here, or the upper level is missing',
  pmd_none: 'there is no page table: nothing was ever mapped here',
  pmd_null: 'there is no page table that could be looked at',
  page_pmd_mapped: 'it is mapped as one huge page already',
  exceed_none_pte:
    'more entries are empty than khugepaged/max_ptes_none allows (none at all where userfaultfd watches); touch more of it, or raise the limit',
  exceed_swap_pte: 'more entries are swapped out than khugepaged/max_ptes_swap allows',
  exceed_shared_pte: 'more pages are shared with other processes than khugepaged/max_ptes_shared allows',
  pte_non_present: 'an entry is neither present nor swapped out: migration, poison, guard or device memory',
  pte_uffd_wp: 'userfaultfd write-protects an entry',
  pte_mapped_hugepage: 'a folio of this size is there already, mapped page by page',
  lack_referenced_page:
    'no sign of recent use: at least one entry must be young or referenced; half of all, if any entry is swapped out',
  page_null: 'an entry maps something without a page of its own',
  scan_aborted: 'the pages lie on nodes too far apart',
  not_suitable_page_count: 'somebody holds a page besides its mappings: pinned (GUP), or in use by the kernel',
  page_not_in_lru: 'a page is not on the LRU list',
  page_locked: 'a page was locked by somebody else at that moment',
  page_not_anon: 'a page is not anonymous memory',
  page_lazyfree: 'a page may be dropped at any time (MADV_FREE); a collapse would keep it',
  page_compound: 'a page is part of a large folio that cannot be taken apart here',
  no_process_for_page: 'no process maps it any more',
  vma_null: 'the mapping was gone when it was looked up again',
  vma_check_failed: 'the mapping does not allow it: its kind, its flags, sysfs or prctl; see "not eligible"',
  not_suitable_address_range: 'no whole, aligned range of this size lies inside the mapping',
  could_not_delete_page_from_lru: 'a page could not be taken off the LRU list at that moment',
  alloc_huge_page_failed:
    'no free block of that size, compaction included; khugepaged backs off for alloc_sleep_millisecs',
  ccgroup_charge_failed: 'the memory cgroup is at its limit',
  truncated: 'the file was cut meanwhile',
  page_has_private: 'a page of the file has private data of its file system',
  store_failed: 'the page cache had no memory for its own bookkeeping',
  copy_poisoned_page: 'reading a page met a memory error',
  page_filled: 'the file has pages already where none should be',
  page_dirty_or_writeback: 'a page of the file is dirty or being written',
  no_writable_page: 'not one entry is writable, which this kernel asks for',
  invalid_ptes_none:
    'max_ptes_none is neither 0 nor the largest value, which this kernel does not take for sizes below the PMD',
};

/** What a result means, in a sentence; null for one that is unknown here. */
export function reasonText(result: string): string | null {
  return REASONS[result] ?? null;
}

/** The names that --only takes. */
export const REASON_NAMES: readonly string[] = Object.keys(REASONS);
