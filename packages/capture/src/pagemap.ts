// /proc/PID/pagemap: one 64-bit entry per page of the address space (Documentation/admin-guide/mm/pagemap.rst). Entries
// are taken apart as two 32-bit halves; a BigInt per page would cost more than the read itself.
import { PageFlag, PageKind } from './page-kind.js';
import type { ReadOnlyFile } from './proc-files.js';
import type { VmaKind } from './snapshot.js';

/** Entries per read: 64 KiB, the size at which the kernel delivers fastest. */
export const PAGEMAP_READ_ENTRIES = 8192;

// Bits of the upper half.
const PRESENT = 1 << 31;
const SWAP = 1 << 30;
const FILE_OR_SHARED = 1 << 29;
const GUARD = 1 << 26;
const UFFD_WP = 1 << 25;
const EXCLUSIVE = 1 << 24;
const SOFT_DIRTY = 1 << 23;
const PFN_HIGH = 0x007fffff;

// Swap types from here on are not swap areas but migration, hwpoison, device and marker entries; the last is the marker.
const FIRST_NONSWAP_TYPE = 23;
const MARKER_TYPE = 31;

/**
 * True when an entry is not none. On kernels with soft-dirty tracking the soft-dirty bit is also set on holes, so it does not count.
 */
export function isEntry(high: number): boolean {
  return (high & (PRESENT | SWAP | GUARD)) !== 0;
}

/** The flags of {@link PageFlag} that pagemap itself gives. */
export function entryFlags(high: number): number {
  let flags = 0;
  if ((high & EXCLUSIVE) !== 0) flags |= PageFlag.exclusive;
  if ((high & UFFD_WP) !== 0) flags |= PageFlag.uffdWp;
  if ((high & SOFT_DIRTY) !== 0) flags |= PageFlag.softDirty;
  return flags;
}

/** The page frame number of a present entry; 0 when the kernel hides it, or when it is beyond 32 bits (16 TiB with 4K pages). */
export function entryPfn(low: number, high: number): number {
  if ((high & PRESENT) === 0 || (high & PFN_HIGH) !== 0) return 0;
  return low >>> 0;
}

/**
 * The kind of an entry as far as pagemap tells; kpageflags refines it (zero page, KSM, shmem).
 *
 * @param hasSwap whether smaps reports swap in this VMA: without privilege the swap type is hidden, and an entry in a VMA
 *   without swap must be a marker.
 */
export function entryKind(low: number, high: number, vma: VmaKind, hasSwap: boolean): number {
  if ((high & PRESENT) !== 0) {
    if (vma === 'hugetlb') return PageKind.hugetlb;
    if ((high & FILE_OR_SHARED) !== 0) return vma === 'shmem' ? PageKind.shmem : PageKind.file;
    return vma === 'special' ? PageKind.special : PageKind.anon;
  }
  if ((high & GUARD) !== 0) return PageKind.guard;
  const hidden = low === 0 && (high & PFN_HIGH) === 0;
  if (hidden) return hasSwap ? PageKind.swap : PageKind.marker;
  const type = low & 31;
  if (type === MARKER_TYPE) return PageKind.marker;
  return type >= FIRST_NONSWAP_TYPE ? PageKind.nonswap : PageKind.swap;
}

/** True when an entry certainly counts in smaps' Rss or Swap (a zero page and a shared anonymous page may not). */
export function isCertainlyCounted(high: number): boolean {
  if ((high & PRESENT) !== 0) return (high & (EXCLUSIVE | FILE_OR_SHARED)) !== 0;
  return (high & SWAP) !== 0 && (high & GUARD) === 0;
}

/** Reads pagemap into one buffer that is used again and again. */
export class PagemapReader {
  readonly #file: ReadOnlyFile;
  readonly #bytes: Uint8Array;
  /** The halves of the entries that were read last: [low 0, high 0, low 1, high 1, ...]. */
  readonly words: Int32Array;

  constructor(file: ReadOnlyFile) {
    this.#file = file;
    this.#bytes = new Uint8Array(PAGEMAP_READ_ENTRIES * 8);
    this.words = new Int32Array(this.#bytes.buffer);
  }

  /**
   * Reads the entries of up to PAGEMAP_READ_ENTRIES pages from page number `vpn` on into `words`.
   * @returns the number of entries read; less than `count` when the address space has gone.
   */
  read(vpn: number, count: number): number {
    return Math.floor(this.#file.readAt(this.#bytes, count * 8, vpn * 8) / 8);
  }
}
