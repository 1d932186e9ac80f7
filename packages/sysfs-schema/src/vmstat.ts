/** What each line of /proc/vmstat counts (khugepaged spec 14.2), and the text of the file. */
import { VMSTAT_NAMES, type VmstatName, vmstatIndex } from './counters.js';

export interface VmstatDescription {
  readonly name: VmstatName;
  /** A level goes up and down; an event only counts up. */
  readonly kind: 'level' | 'event';
  /** One line: what is counted, in base pages where it counts memory. */
  readonly doc: string;
}

const LEVELS: Readonly<Partial<Record<VmstatName, string>>> = {
  nr_free_pages: 'free base pages',
  nr_mlock: 'base pages locked in memory',
  nr_isolated_anon: 'anonymous pages taken off the LRU lists for a moment, by collapse or migration',
  nr_isolated_file: 'file pages taken off the LRU lists for a moment; lazily freed anonymous pages count here',
  nr_anon_pages: 'anonymous pages mapped by processes',
  nr_file_pages: 'pages in the page cache, shmem included',
  nr_shmem: 'shmem pages',
  nr_shmem_hugepages: 'shmem huge pages of PMD size',
  nr_shmem_pmdmapped: 'shmem huge pages mapped by a PMD',
  nr_file_hugepages: 'huge pages of PMD size in other page cache',
  nr_file_pmdmapped: 'huge pages of other page cache mapped by a PMD',
  nr_anon_transparent_hugepages: 'anonymous huge pages mapped by a PMD',
  nr_page_table_pages: 'page table pages',
  nr_swapcached: 'pages in the swap cache',
};

const EVENTS: Readonly<Partial<Record<VmstatName, string>>> = {
  numa_hit: 'allocations that got a page of the intended node',
  numa_miss: 'allocations that got a page of this node although another was intended',
  numa_foreign: 'allocations intended for this node that went to another',
  numa_local: 'allocations on the node of the running processor',
  numa_other: 'allocations on another node than that of the running processor',
  pswpin: 'pages read from swap',
  pswpout: 'pages written to swap',
  pgalloc_normal: 'pages allocated from zone Normal',
  pgfree: 'pages freed',
  pgdeactivate: 'pages moved to the inactive list, for instance by MADV_COLD',
  pglazyfree: 'pages marked by MADV_FREE',
  pgfault: 'page faults',
  pgmajfault: 'page faults that had to read from a device',
  pglazyfreed: 'pages marked by MADV_FREE that were freed',
  numa_pages_migrated: 'pages moved by NUMA balancing',
  pgmigrate_success: 'pages migrated',
  pgmigrate_fail: 'pages whose migration failed',
  thp_migration_success: 'huge pages migrated whole',
  thp_migration_fail: 'huge pages whose migration failed',
  thp_migration_split: 'huge pages split to be migrated',
  compact_migrate_scanned: 'pages looked at by compaction for pages to move',
  compact_free_scanned: 'pages looked at by compaction for free places',
  compact_isolated: 'pages taken off the LRU lists by compaction',
  compact_stall: 'allocations that compacted memory themselves',
  compact_fail: 'allocations that compacted memory themselves in vain',
  compact_success: 'allocations that compacted memory themselves and got their page',
  compact_daemon_wake: 'times kcompactd was woken',
  compact_daemon_migrate_scanned: 'pages looked at by kcompactd for pages to move',
  compact_daemon_free_scanned: 'pages looked at by kcompactd for free places',
  thp_fault_alloc: 'page faults that got a huge page of PMD size',
  thp_fault_fallback: 'page faults that failed to get a huge page of PMD size',
  thp_fault_fallback_charge: 'page faults that failed to get a huge page of PMD size because of the memory cgroup',
  thp_collapse_alloc:
    'huge pages of PMD size allocated for a collapse, anonymous or file, by khugepaged or MADV_COLLAPSE',
  thp_collapse_alloc_failed: 'allocations of a huge page of PMD size for a collapse that failed',
  thp_file_alloc: 'shmem huge pages of PMD size allocated',
  thp_file_fallback: 'allocations of a shmem huge page of PMD size that failed',
  thp_file_fallback_charge: 'allocations of a shmem huge page of PMD size that failed because of the memory cgroup',
  thp_file_mapped: 'file and shmem huge pages mapped by a PMD',
  thp_split_page: 'huge pages split into base pages',
  thp_split_page_failed: 'splits of a huge page that failed',
  thp_deferred_split_page: 'huge pages put on the list for a later split',
  thp_underused_split_page: 'huge pages split for holding too many zero-filled pages',
  thp_split_pmd: 'PMD mappings turned into page table mappings',
  thp_scan_exceed_none_pte: 'collapses of PMD size refused for too many empty or zero-page entries',
  thp_scan_exceed_swap_pte: 'collapses of PMD size refused for too many swapped-out entries',
  thp_scan_exceed_share_pte: 'collapses of PMD size refused for too many shared entries',
  thp_split_pud: 'PUD mappings split',
  thp_zero_page_alloc: 'huge zero pages allocated',
  thp_zero_page_alloc_failed: 'allocations of a huge zero page that failed',
  thp_swpout: 'huge pages of PMD size swapped out whole',
  thp_swpout_fallback: 'huge pages of PMD size split before swap-out',
  ksm_swpin_copy: 'KSM pages copied on swap-in',
  cow_ksm: 'KSM pages copied on write',
};

/** What a vmstat counter counts. Throws `unknown-counter` for a name that is none. */
export function describeVmstat(name: VmstatName): VmstatDescription {
  vmstatIndex(name);
  const level = LEVELS[name];
  return level === undefined ? { name, kind: 'event', doc: EVENTS[name] ?? '' } : { name, kind: 'level', doc: level };
}

/** The lines of /proc/vmstat, `name value` each, from a flat store at the places of vmstatIndex. */
export function formatVmstat(values: ArrayLike<number | bigint>): string {
  return VMSTAT_NAMES.map((name, i) => `${name} ${values[i] ?? 0}\n`).join('');
}
