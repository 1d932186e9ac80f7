/**
 * Fixture: the transparent_hugepage tree of a running Linux 6.18 on x86-64 with 4 KiB pages, as rows
 * of kind (D or F), octal mode, path below the root, and content without its newline, separated by tabs. After it the lines
 * of its /proc/vmstat that concern huge pages, compaction, migration and swap.
 */
export const LINUX_6_18_TREE: string = `\
D	0755	.
F	0644	defrag	always defer defer+madvise [madvise] never
F	0644	enabled	always [madvise] never
F	0444	hpage_pmd_size	2097152
F	0644	shmem_enabled	always within_size advise [never] deny force
F	0644	shrink_underused	1
F	0644	use_zero_page	1
D	0755	hugepages-1024kB
F	0644	hugepages-1024kB/enabled	always inherit madvise [never]
F	0644	hugepages-1024kB/shmem_enabled	always inherit within_size advise [never]
D	0755	hugepages-1024kB/stats
F	0444	hugepages-1024kB/stats/anon_fault_alloc	0
F	0444	hugepages-1024kB/stats/anon_fault_fallback	0
F	0444	hugepages-1024kB/stats/anon_fault_fallback_charge	0
F	0444	hugepages-1024kB/stats/nr_anon	0
F	0444	hugepages-1024kB/stats/nr_anon_partially_mapped	0
F	0444	hugepages-1024kB/stats/shmem_alloc	0
F	0444	hugepages-1024kB/stats/shmem_fallback	0
F	0444	hugepages-1024kB/stats/shmem_fallback_charge	0
F	0444	hugepages-1024kB/stats/split	0
F	0444	hugepages-1024kB/stats/split_deferred	0
F	0444	hugepages-1024kB/stats/split_failed	0
F	0444	hugepages-1024kB/stats/swpin	0
F	0444	hugepages-1024kB/stats/swpin_fallback	0
F	0444	hugepages-1024kB/stats/swpin_fallback_charge	0
F	0444	hugepages-1024kB/stats/swpout	0
F	0444	hugepages-1024kB/stats/swpout_fallback	0
F	0444	hugepages-1024kB/stats/zswpout	0
D	0755	hugepages-128kB
F	0644	hugepages-128kB/enabled	always inherit madvise [never]
F	0644	hugepages-128kB/shmem_enabled	always inherit within_size advise [never]
D	0755	hugepages-128kB/stats
F	0444	hugepages-128kB/stats/anon_fault_alloc	0
F	0444	hugepages-128kB/stats/anon_fault_fallback	0
F	0444	hugepages-128kB/stats/anon_fault_fallback_charge	0
F	0444	hugepages-128kB/stats/nr_anon	0
F	0444	hugepages-128kB/stats/nr_anon_partially_mapped	0
F	0444	hugepages-128kB/stats/shmem_alloc	0
F	0444	hugepages-128kB/stats/shmem_fallback	0
F	0444	hugepages-128kB/stats/shmem_fallback_charge	0
F	0444	hugepages-128kB/stats/split	0
F	0444	hugepages-128kB/stats/split_deferred	0
F	0444	hugepages-128kB/stats/split_failed	0
F	0444	hugepages-128kB/stats/swpin	0
F	0444	hugepages-128kB/stats/swpin_fallback	0
F	0444	hugepages-128kB/stats/swpin_fallback_charge	0
F	0444	hugepages-128kB/stats/swpout	0
F	0444	hugepages-128kB/stats/swpout_fallback	0
F	0444	hugepages-128kB/stats/zswpout	0
D	0755	hugepages-16kB
F	0644	hugepages-16kB/enabled	always inherit madvise [never]
F	0644	hugepages-16kB/shmem_enabled	always inherit within_size advise [never]
D	0755	hugepages-16kB/stats
F	0444	hugepages-16kB/stats/anon_fault_alloc	0
F	0444	hugepages-16kB/stats/anon_fault_fallback	0
F	0444	hugepages-16kB/stats/anon_fault_fallback_charge	0
F	0444	hugepages-16kB/stats/nr_anon	0
F	0444	hugepages-16kB/stats/nr_anon_partially_mapped	0
F	0444	hugepages-16kB/stats/shmem_alloc	0
F	0444	hugepages-16kB/stats/shmem_fallback	0
F	0444	hugepages-16kB/stats/shmem_fallback_charge	0
F	0444	hugepages-16kB/stats/split	0
F	0444	hugepages-16kB/stats/split_deferred	0
F	0444	hugepages-16kB/stats/split_failed	0
F	0444	hugepages-16kB/stats/swpin	0
F	0444	hugepages-16kB/stats/swpin_fallback	0
F	0444	hugepages-16kB/stats/swpin_fallback_charge	0
F	0444	hugepages-16kB/stats/swpout	0
F	0444	hugepages-16kB/stats/swpout_fallback	0
F	0444	hugepages-16kB/stats/zswpout	0
D	0755	hugepages-2048kB
F	0644	hugepages-2048kB/enabled	always [inherit] madvise never
F	0644	hugepages-2048kB/shmem_enabled	always [inherit] within_size advise never
D	0755	hugepages-2048kB/stats
F	0444	hugepages-2048kB/stats/anon_fault_alloc	495
F	0444	hugepages-2048kB/stats/anon_fault_fallback	0
F	0444	hugepages-2048kB/stats/anon_fault_fallback_charge	0
F	0444	hugepages-2048kB/stats/nr_anon	0
F	0444	hugepages-2048kB/stats/nr_anon_partially_mapped	0
F	0444	hugepages-2048kB/stats/shmem_alloc	0
F	0444	hugepages-2048kB/stats/shmem_fallback	0
F	0444	hugepages-2048kB/stats/shmem_fallback_charge	0
F	0444	hugepages-2048kB/stats/split	0
F	0444	hugepages-2048kB/stats/split_deferred	227
F	0444	hugepages-2048kB/stats/split_failed	0
F	0444	hugepages-2048kB/stats/swpin	0
F	0444	hugepages-2048kB/stats/swpin_fallback	0
F	0444	hugepages-2048kB/stats/swpin_fallback_charge	0
F	0444	hugepages-2048kB/stats/swpout	0
F	0444	hugepages-2048kB/stats/swpout_fallback	0
F	0444	hugepages-2048kB/stats/zswpout	0
D	0755	hugepages-256kB
F	0644	hugepages-256kB/enabled	always inherit madvise [never]
F	0644	hugepages-256kB/shmem_enabled	always inherit within_size advise [never]
D	0755	hugepages-256kB/stats
F	0444	hugepages-256kB/stats/anon_fault_alloc	0
F	0444	hugepages-256kB/stats/anon_fault_fallback	0
F	0444	hugepages-256kB/stats/anon_fault_fallback_charge	0
F	0444	hugepages-256kB/stats/nr_anon	0
F	0444	hugepages-256kB/stats/nr_anon_partially_mapped	0
F	0444	hugepages-256kB/stats/shmem_alloc	0
F	0444	hugepages-256kB/stats/shmem_fallback	0
F	0444	hugepages-256kB/stats/shmem_fallback_charge	0
F	0444	hugepages-256kB/stats/split	0
F	0444	hugepages-256kB/stats/split_deferred	0
F	0444	hugepages-256kB/stats/split_failed	0
F	0444	hugepages-256kB/stats/swpin	0
F	0444	hugepages-256kB/stats/swpin_fallback	0
F	0444	hugepages-256kB/stats/swpin_fallback_charge	0
F	0444	hugepages-256kB/stats/swpout	0
F	0444	hugepages-256kB/stats/swpout_fallback	0
F	0444	hugepages-256kB/stats/zswpout	0
D	0755	hugepages-32kB
F	0644	hugepages-32kB/enabled	always inherit madvise [never]
F	0644	hugepages-32kB/shmem_enabled	always inherit within_size advise [never]
D	0755	hugepages-32kB/stats
F	0444	hugepages-32kB/stats/anon_fault_alloc	0
F	0444	hugepages-32kB/stats/anon_fault_fallback	0
F	0444	hugepages-32kB/stats/anon_fault_fallback_charge	0
F	0444	hugepages-32kB/stats/nr_anon	0
F	0444	hugepages-32kB/stats/nr_anon_partially_mapped	0
F	0444	hugepages-32kB/stats/shmem_alloc	0
F	0444	hugepages-32kB/stats/shmem_fallback	0
F	0444	hugepages-32kB/stats/shmem_fallback_charge	0
F	0444	hugepages-32kB/stats/split	0
F	0444	hugepages-32kB/stats/split_deferred	0
F	0444	hugepages-32kB/stats/split_failed	0
F	0444	hugepages-32kB/stats/swpin	0
F	0444	hugepages-32kB/stats/swpin_fallback	0
F	0444	hugepages-32kB/stats/swpin_fallback_charge	0
F	0444	hugepages-32kB/stats/swpout	0
F	0444	hugepages-32kB/stats/swpout_fallback	0
F	0444	hugepages-32kB/stats/zswpout	0
D	0755	hugepages-512kB
F	0644	hugepages-512kB/enabled	always inherit madvise [never]
F	0644	hugepages-512kB/shmem_enabled	always inherit within_size advise [never]
D	0755	hugepages-512kB/stats
F	0444	hugepages-512kB/stats/anon_fault_alloc	0
F	0444	hugepages-512kB/stats/anon_fault_fallback	0
F	0444	hugepages-512kB/stats/anon_fault_fallback_charge	0
F	0444	hugepages-512kB/stats/nr_anon	0
F	0444	hugepages-512kB/stats/nr_anon_partially_mapped	0
F	0444	hugepages-512kB/stats/shmem_alloc	0
F	0444	hugepages-512kB/stats/shmem_fallback	0
F	0444	hugepages-512kB/stats/shmem_fallback_charge	0
F	0444	hugepages-512kB/stats/split	0
F	0444	hugepages-512kB/stats/split_deferred	0
F	0444	hugepages-512kB/stats/split_failed	0
F	0444	hugepages-512kB/stats/swpin	0
F	0444	hugepages-512kB/stats/swpin_fallback	0
F	0444	hugepages-512kB/stats/swpin_fallback_charge	0
F	0444	hugepages-512kB/stats/swpout	0
F	0444	hugepages-512kB/stats/swpout_fallback	0
F	0444	hugepages-512kB/stats/zswpout	0
D	0755	hugepages-64kB
F	0644	hugepages-64kB/enabled	always inherit madvise [never]
F	0644	hugepages-64kB/shmem_enabled	always inherit within_size advise [never]
D	0755	hugepages-64kB/stats
F	0444	hugepages-64kB/stats/anon_fault_alloc	0
F	0444	hugepages-64kB/stats/anon_fault_fallback	0
F	0444	hugepages-64kB/stats/anon_fault_fallback_charge	0
F	0444	hugepages-64kB/stats/nr_anon	0
F	0444	hugepages-64kB/stats/nr_anon_partially_mapped	0
F	0444	hugepages-64kB/stats/shmem_alloc	0
F	0444	hugepages-64kB/stats/shmem_fallback	0
F	0444	hugepages-64kB/stats/shmem_fallback_charge	0
F	0444	hugepages-64kB/stats/split	0
F	0444	hugepages-64kB/stats/split_deferred	0
F	0444	hugepages-64kB/stats/split_failed	0
F	0444	hugepages-64kB/stats/swpin	0
F	0444	hugepages-64kB/stats/swpin_fallback	0
F	0444	hugepages-64kB/stats/swpin_fallback_charge	0
F	0444	hugepages-64kB/stats/swpout	0
F	0444	hugepages-64kB/stats/swpout_fallback	0
F	0444	hugepages-64kB/stats/zswpout	0
D	0755	hugepages-8kB
F	0644	hugepages-8kB/shmem_enabled	always inherit within_size advise [never]
D	0755	hugepages-8kB/stats
F	0444	hugepages-8kB/stats/shmem_alloc	0
F	0444	hugepages-8kB/stats/shmem_fallback	0
F	0444	hugepages-8kB/stats/shmem_fallback_charge	0
F	0444	hugepages-8kB/stats/split	0
F	0444	hugepages-8kB/stats/split_failed	0
F	0444	hugepages-8kB/stats/swpin	0
F	0444	hugepages-8kB/stats/swpin_fallback	0
F	0444	hugepages-8kB/stats/swpin_fallback_charge	0
F	0444	hugepages-8kB/stats/swpout	0
F	0444	hugepages-8kB/stats/swpout_fallback	0
F	0444	hugepages-8kB/stats/zswpout	0
D	0755	khugepaged
F	0644	khugepaged/alloc_sleep_millisecs	60000
F	0644	khugepaged/defrag	1
F	0444	khugepaged/full_scans	1
F	0644	khugepaged/max_ptes_none	511
F	0644	khugepaged/max_ptes_shared	256
F	0644	khugepaged/max_ptes_swap	64
F	0444	khugepaged/pages_collapsed	7
F	0644	khugepaged/pages_to_scan	4096
F	0644	khugepaged/scan_sleep_millisecs	10000
`;

export const LINUX_6_18_VMSTAT: string = `\
numa_hit 4642862
numa_miss 0
numa_foreign 0
numa_interleave 1129
numa_local 4642862
numa_other 0
nr_isolated_anon 0
nr_isolated_file 0
nr_anon_pages 5267
nr_file_pages 104464
nr_shmem 2197
nr_shmem_hugepages 0
nr_shmem_pmdmapped 0
nr_file_hugepages 0
nr_file_pmdmapped 0
nr_anon_transparent_hugepages 0
pswpin 0
pswpout 0
numa_pte_updates 0
numa_huge_pte_updates 0
numa_hint_faults 0
numa_hint_faults_local 0
numa_pages_migrated 0
pgmigrate_success 0
pgmigrate_fail 0
thp_migration_success 0
thp_migration_fail 0
thp_migration_split 0
compact_migrate_scanned 0
compact_free_scanned 0
compact_isolated 0
compact_stall 0
compact_fail 0
compact_success 0
compact_daemon_wake 0
compact_daemon_migrate_scanned 0
compact_daemon_free_scanned 0
thp_fault_alloc 495
thp_fault_fallback 0
thp_fault_fallback_charge 0
thp_collapse_alloc 7
thp_collapse_alloc_failed 0
thp_file_alloc 0
thp_file_fallback 0
thp_file_fallback_charge 0
thp_file_mapped 7
thp_split_page 0
thp_split_page_failed 0
thp_deferred_split_page 227
thp_underused_split_page 0
thp_split_pmd 227
thp_scan_exceed_none_pte 0
thp_scan_exceed_swap_pte 0
thp_scan_exceed_share_pte 0
thp_split_pud 0
thp_zero_page_alloc 0
thp_zero_page_alloc_failed 0
thp_swpout 0
thp_swpout_fallback 0
swap_ra 0
swap_ra_hit 0
ksm_swpin_copy 0
cow_ksm 0
zswpin 0
zswpout 0
zswpwb 0
direct_map_level2_splits 4
direct_map_level3_splits 0
direct_map_level2_collapses 0
direct_map_level3_collapses 0
`;
