// What one page table entry of a snapshot can be, and the facts that are stored beside it. The numbers are part of the
// file format thplab/snapshot@1: never reuse one, only add.

/**
 * Kinds of entry (khugepaged spec 2.1). An entry that is none (never touched, or dropped) has no row at all.
 *
 * | kind | the entry |
 * |---|---|
 * | anon | present, an anonymous page (also a copied-on-write page of a private file mapping) |
 * | zero | present, the shared zero page, or a part of the huge zero page |
 * | swap | not present, in a swap slot |
 * | file | present, page cache of a file |
 * | shmem | present, tmpfs, memfd, SysV or shared anonymous memory |
 * | ksm | present, an anonymous page merged by KSM |
 * | guard | not present, MADV_GUARD_INSTALL (pagemap bit 58) |
 * | marker | not present, another PTE marker: uffd-wp (then flag uffdWp is set too) or poison |
 * | hugetlb | present, a page of the hugetlb pool |
 * | special | present, without a struct page: device memory, [vvar] |
 * | nonswap | not present, migration, hwpoison or device-private entry |
 */
export const PageKind = {
  anon: 1,
  zero: 2,
  swap: 3,
  file: 4,
  shmem: 5,
  ksm: 6,
  guard: 7,
  marker: 8,
  hugetlb: 9,
  special: 10,
  nonswap: 11,
} as const;

/** One of the values of {@link PageKind}. */
export type PageKindCode = (typeof PageKind)[keyof typeof PageKind];

/** The highest value of {@link PageKind}. */
export const MAX_PAGE_KIND = 11;

/**
 * Bits of the `flags` column. `exclusive`, `uffdWp` and `softDirty` belong to the entry (pagemap bits 56, 57 and 55) and
 * are always there; `pmdMapped` is inferred (see pmd-mapped.ts); the others are facts of the page from kpageflags, and all
 * clear where that could not be read (`Snapshot.missing` says so). An anonymous page without `swapBacked` is lazyfree
 * (MADV_FREE).
 */
export const PageFlag = {
  exclusive: 0x0001,
  uffdWp: 0x0002,
  softDirty: 0x0004,
  pmdMapped: 0x0008,
  lru: 0x0010,
  locked: 0x0020,
  referenced: 0x0040,
  active: 0x0080,
  mlocked: 0x0100,
  swapBacked: 0x0200,
  writeback: 0x0400,
  unevictable: 0x0800,
  dirty: 0x1000,
  swapCache: 0x2000,
  hwpoison: 0x4000,
  idle: 0x8000,
} as const;

/** `frame` of a row without a page frame, or whose frame number the kernel hides. */
export const NO_FRAME = 0xffffffff;
/** `order` of a present page whose folio order is not known (no access to kpageflags). */
export const ORDER_UNKNOWN = 0xff;
/** `mapcount` is stored in 16 bits; this value means "this many or more". */
export const MAPCOUNT_MAX = 0xffff;

/** True for the kinds whose entry is present, that is, maps a page. */
export function isPresentKind(kind: number): boolean {
  return (
    kind !== PageKind.swap &&
    kind !== PageKind.guard &&
    kind !== PageKind.marker &&
    kind !== PageKind.nonswap &&
    kind > 0
  );
}
