/**
 * Bits and small enumerations of the model, by the kernel's names.
 */

/** `vma.kind` (khugepaged spec 2.4). */
export const VMA_KIND = { anon: 0, shmem: 1, file: 2, dax: 3, special: 4 } as const;
export type VmaKind = (typeof VMA_KIND)[keyof typeof VMA_KIND];

/** `vma.flags`. */
export const VM = {
  READ: 0x1,
  WRITE: 0x2,
  EXEC: 0x4,
  SHARED: 0x8,
  HUGEPAGE: 0x10,
  NOHUGEPAGE: 0x20,
  IO: 0x40,
  DONTEXPAND: 0x80,
  PFNMAP: 0x100,
  MIXEDMAP: 0x200,
  HUGETLB: 0x400,
  LOCKED: 0x800,
  DROPPABLE: 0x1000,
  /** userfaultfd, mode missing. */
  UFFD_MISSING: 0x2000,
  /** userfaultfd, mode write-protect. */
  UFFD_WP: 0x4000,
  /** userfaultfd, mode minor. */
  UFFD_MINOR: 0x8000,
  /** The argument stack while exec sets it up (VM_STACK_INCOMPLETE_SETUP). */
  TEMPORARY_STACK: 0x10000,
  GROWSDOWN: 0x20000,
  DONTCOPY: 0x40000,
  WIPEONFORK: 0x80000,
  MERGEABLE: 0x100000,
  NORESERVE: 0x200000,
  /** Guard regions may exist. */
  MAYBE_GUARD: 0x400000,
  /**
   * Anonymous private memory that is not charged to what may be committed, as it was never writable or never written: the
   * kernel's VM_ACCOUNT the other way round. VMAs that differ in it do not merge.
   */
  UNCHARGED: 0x800000,
} as const;

/** Any userfaultfd mode: the VMA is "armed". */
export const VM_UFFD: number = VM.UFFD_MISSING | VM.UFFD_WP | VM.UFFD_MINOR;
/** VM_NO_KHUGEPAGED (khugepaged spec 2.4). */
export const VM_NO_KHUGEPAGED: number = VM.IO | VM.DONTEXPAND | VM.PFNMAP | VM.MIXEDMAP | VM.HUGETLB;

/** `mm.flags` (khugepaged spec 2.5). */
export const MMF = {
  /** Registered with khugepaged. */
  VM_HUGEPAGE: 0x1,
  DISABLE_THP_COMPLETELY: 0x2,
  DISABLE_THP_EXCEPT_ADVISED: 0x4,
} as const;

/** Low bits of `frame.flags`: the order of the folio or of the free block that the frame is part of. */
export const ORDER_MASK = 0xf;

/** Bits of `frame.flags` of a folio's first frame. */
export const FOLIO = {
  ANON: 0x10,
  LRU: 0x20,
  LOCKED: 0x40,
  /** Anonymous and not swap-backed is "lazyfree" (MADV_FREE). */
  SWAPBACKED: 0x80,
  YOUNG: 0x100,
  REFERENCED: 0x200,
  DIRTY: 0x400,
  UPTODATE: 0x800,
  MLOCKED: 0x1000,
  SWAPCACHE: 0x2000,
  KSM: 0x4000,
  PARTIALLY_MAPPED: 0x8000,
  /** On the deferred-split queue. */
  DEFERRED: 0x10000,
  WRITEBACK: 0x20000,
  SHMEM: 0x40000,
  /** Isolated from the LRU by someone. */
  ISOLATED: 0x80000,
  ACTIVE: 0x100000,
  /** State that the planes of the mapping tables show now (folio-mirror.ts). */
  MIRROR_SHARED: 0x200000,
  MIRROR_ATTENTION: 0x400000,
  MIRROR_REFERENCED: 0x800000,
  /** Nobody has been seen to use it since this was set (PG_idle): access monitoring sets it, signs of use clear it. */
  IDLE: 0x40000000,
} as const;

/** Bits of `frame.flags` of any frame. */
export const PAGE = {
  /** Anonymous page that belongs to one process alone (PageAnonExclusive). */
  ANON_EXCLUSIVE: 0x1000000,
  /** First frame of a free block of the buddy allocator. */
  BUDDY: 0x2000000,
  /** Not the allocator's to give (holes, reserved memory). */
  RESERVED: 0x4000000,
  HWPOISON: 0x8000000,
  /** In use by the kernel or a device: cannot be moved by compaction. */
  UNMOVABLE: 0x10000000,
  /** Part of an allocated folio. */
  ALLOCATED: 0x20000000,
} as const;

/** `pfn` of a present PTE without a struct page (special mapping, zone-device). */
export const NO_FRAME = 0xffff_ffff;
/** The shared zero page. */
export const ZERO_FRAME = 0;

/** Kinds of non-present, non-none PTEs: the top 4 bits of the entry (khugepaged spec 2.1). */
export const ENTRY_KIND = {
  swap: 1,
  migration: 2,
  hwpoison: 3,
  devicePrivate: 4,
  markerUffdWp: 5,
  markerPoison: 6,
  markerGuard: 7,
} as const;
export type EntryKind = (typeof ENTRY_KIND)[keyof typeof ENTRY_KIND];

/** Builds a non-present entry; `value` (28 bits) is the swap slot or frame. */
export function makeEntry(kind: EntryKind, value = 0): number {
  return kind * 2 ** 28 + value;
}

/** Kind of a non-present entry. */
export function entryKind(entry: number): EntryKind {
  return (entry >>> 28) as EntryKind;
}

/** Swap slot or frame of a non-present entry. */
export function entryValue(entry: number): number {
  return entry & 0x0fff_ffff;
}
