/**
 * Places in an attempt where another thread may get in between, by the label that their `preempt` carries: what schedule
 * searches and printed schedules name them by. Each lies where the kernel holds exactly the locks that the text says.
 */
export const COLLAPSE_POINT = {
  /** The scan has succeeded, mmap_lock was just given back. No lock. */
  afterScan: 101,
  /** The new folio is there. No lock. */
  afterAlloc: 102,
  /** mmap_lock was given back after reading, to be taken for writing. No lock. */
  beforeWriteLock: 103,
  /** The VMA is write-locked and the PMD was found valid. mmap_lock W, VMA W. */
  afterVmaLock: 104,
  /** The table is out of the PMD. mmap_lock W, VMA W, anon_vma W. */
  pmdCleared: 105,
  /** Sources are locked and off the LRU. mmap_lock W, VMA W, anon_vma W. */
  isolated: 106,
  /** Data is copied, the new mapping is not there. mmap_lock W, VMA W, perhaps anon_vma W. */
  copied: 107,
  /** Everything is mapped again. mmap_lock W, VMA W, perhaps anon_vma W. */
  installed: 108,
} as const;

/** Name of a point, for printed schedules; undefined for labels of others. */
export function collapsePointName(label: number): string | undefined {
  return Object.entries(COLLAPSE_POINT).find(([, value]) => value === label)?.[0];
}
