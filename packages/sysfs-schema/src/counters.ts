/**
 * Counters: /proc/vmstat (khugepaged spec 14.2), the per-order hugepages-<size>kB/stats files and khugepaged's own two
 * (14.1). Like the settings they have dense places, the same for every profile and geometry.
 */
import { SysfsSchemaError } from './errors.js';
import { MAX_PMD_ORDER } from './geometry.js';

/**
 * Per-order counters in the order of the kernel's own list. Which of them a kernel shows, and for which orders, is the
 * profile's and the tree's business; the cells exist always.
 */
export const MTHP_STAT_NAMES = [
  'anon_fault_alloc',
  'anon_fault_fallback',
  'anon_fault_fallback_charge',
  'collapse_alloc',
  'collapse_alloc_failed',
  'zswpout',
  'swpin',
  'swpin_fallback',
  'swpin_fallback_charge',
  'swpout',
  'swpout_fallback',
  'shmem_alloc',
  'shmem_fallback',
  'shmem_fallback_charge',
  'split',
  'split_failed',
  'split_deferred',
  'nr_anon',
  'nr_anon_partially_mapped',
  'collapse_exceed_swap_pte',
  'collapse_exceed_none_pte',
  'collapse_exceed_shared_pte',
] as const;
export type MthpStatName = (typeof MTHP_STAT_NAMES)[number];
export const MTHP_STAT_COUNT: number = MTHP_STAT_NAMES.length;
/** Cells of a flat store of all per-order counters, orders 0..13. */
export const MTHP_STAT_CELL_COUNT: number = MTHP_STAT_COUNT * (MAX_PMD_ORDER + 1);

/** The read-only counters in khugepaged/. Both are 32 bits wide and wrap. */
export const KHUGEPAGED_COUNTER_NAMES = ['pages_collapsed', 'full_scans'] as const;
export type KhugepagedCounterName = (typeof KHUGEPAGED_COUNTER_NAMES)[number];

/** The vmstat lines that the model can feed, in the order in which /proc/vmstat prints them. */
export const VMSTAT_NAMES = [
  'nr_free_pages',
  'nr_mlock',
  'numa_hit',
  'numa_miss',
  'numa_foreign',
  'numa_local',
  'numa_other',
  'nr_isolated_anon',
  'nr_isolated_file',
  'nr_anon_pages',
  'nr_file_pages',
  'nr_shmem',
  'nr_shmem_hugepages',
  'nr_shmem_pmdmapped',
  'nr_file_hugepages',
  'nr_file_pmdmapped',
  'nr_anon_transparent_hugepages',
  'nr_page_table_pages',
  'nr_swapcached',
  'pswpin',
  'pswpout',
  'pgalloc_normal',
  'pgfree',
  'pgdeactivate',
  'pglazyfree',
  'pgfault',
  'pgmajfault',
  'pglazyfreed',
  'numa_pages_migrated',
  'pgmigrate_success',
  'pgmigrate_fail',
  'thp_migration_success',
  'thp_migration_fail',
  'thp_migration_split',
  'compact_migrate_scanned',
  'compact_free_scanned',
  'compact_isolated',
  'compact_stall',
  'compact_fail',
  'compact_success',
  'compact_daemon_wake',
  'compact_daemon_migrate_scanned',
  'compact_daemon_free_scanned',
  'thp_fault_alloc',
  'thp_fault_fallback',
  'thp_fault_fallback_charge',
  'thp_collapse_alloc',
  'thp_collapse_alloc_failed',
  'thp_file_alloc',
  'thp_file_fallback',
  'thp_file_fallback_charge',
  'thp_file_mapped',
  'thp_split_page',
  'thp_split_page_failed',
  'thp_deferred_split_page',
  'thp_underused_split_page',
  'thp_split_pmd',
  'thp_scan_exceed_none_pte',
  'thp_scan_exceed_swap_pte',
  'thp_scan_exceed_share_pte',
  'thp_split_pud',
  'thp_zero_page_alloc',
  'thp_zero_page_alloc_failed',
  'thp_swpout',
  'thp_swpout_fallback',
  'ksm_swpin_copy',
  'cow_ksm',
] as const;
export type VmstatName = (typeof VMSTAT_NAMES)[number];
export const VMSTAT_COUNT: number = VMSTAT_NAMES.length;

const vmstatPlace: ReadonlyMap<string, number> = new Map(VMSTAT_NAMES.map((name, i) => [name, i]));
const mthpPlace: ReadonlyMap<string, number> = new Map(MTHP_STAT_NAMES.map((name, i) => [name, i]));
const khugepagedPlace: ReadonlyMap<string, number> = new Map(KHUGEPAGED_COUNTER_NAMES.map((name, i) => [name, i]));

/** Place of a vmstat counter, 0..VMSTAT_COUNT-1. */
export function vmstatIndex(name: VmstatName): number {
  return place(vmstatPlace, name, 'vmstat counter');
}

/** Place of a per-order counter among the counters of one order, 0..MTHP_STAT_COUNT-1. */
export function mthpStatIndex(name: MthpStatName): number {
  return place(mthpPlace, name, 'per-order counter');
}

/** Place of a per-order counter in a flat store of MTHP_STAT_CELL_COUNT cells: all counters of order 0, then of order 1, ... */
export function mthpStatCell(name: MthpStatName, order: number): number {
  if (!Number.isInteger(order) || order < 0 || order > MAX_PMD_ORDER)
    throw new SysfsSchemaError('unknown-counter', `${name} needs an order from 0 to ${MAX_PMD_ORDER}, not ${order}`);
  return order * MTHP_STAT_COUNT + mthpStatIndex(name);
}

/** Place of a khugepaged counter: 0 pages_collapsed, 1 full_scans. */
export function khugepagedCounterIndex(name: KhugepagedCounterName): number {
  return place(khugepagedPlace, name, 'khugepaged counter');
}

/** True if the text is the name of a vmstat counter of this package. */
export function isVmstatName(name: string): name is VmstatName {
  return vmstatPlace.has(name);
}

/** True if the text is the name of a per-order counter. */
export function isMthpStatName(name: string): name is MthpStatName {
  return mthpPlace.has(name);
}

function place(places: ReadonlyMap<string, number>, name: string, what: string): number {
  const index = places.get(name);
  if (index === undefined)
    throw new SysfsSchemaError(
      'unknown-counter',
      `no ${what} is called ${JSON.stringify(name)}; see the list of names`,
    );
  return index;
}
