/**
 * Places in an attempt where another thread may get in between, by the label that their `preempt` carries, so that printed
 * schedules can name them. Every lock operation is such a place too; these are the ones between phases.
 */
export const COLLAPSE_POINT = {
  /** The scan has succeeded, mmap_lock was just given back. No lock. */
  afterScan: 101,
  /** mmap_lock was given back after reading, to be taken for writing. No lock. */
  beforeWriteLock: 102,
  /** The table is out of the PMD, nothing is isolated yet. mmap_lock W, VMA W, anon_vma W. */
  pmdCleared: 103,
  /** Data is copied and the sources are gone; nothing is mapped. mmap_lock W, VMA W, perhaps anon_vma W. */
  copied: 104,
  /** max_ptes_none has been read once, and is read again (the defect B11). No lock. */
  noneSettingRead: 105,
  /** Data is copied, the sources are still mapped (Dev Jain's v1). mmap_lock R, PTE lock. */
  copiedUnderPtl: 106,
  /** Pages of a file are copied, the new folio is not in the page cache. Sources and folio locked. */
  fileCopied: 107,
} as const;

/** Name of a point, for printed schedules; undefined for labels of others. */
export function collapsePointName(label: number): string | undefined {
  return Object.entries(COLLAPSE_POINT).find(([, value]) => value === label)?.[0];
}
