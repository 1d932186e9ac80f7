// Which parts of the address space are read from pagemap. Untouched entries come at about 300 million a second, so most
// mappings are simply read; but reservations of many tebibytes (V8's cage, the Go heap, sanitizers' shadow) must not be.
import type { SnapshotVma } from './snapshot.js';

/** Mappings up to this many bytes are read whole. */
export const WHOLE_READ_BYTES: number = 8 * 2 ** 30;
/** All larger mappings together are read up to this many bytes, about a second of reading. */
export const SPARSE_READ_BYTES: number = 2 ** 40;

/** What is read of one VMA. */
export interface VmaReadPlan {
  /** Pages from the start of the VMA that are read at most. */
  readonly pages: number;
  /** Reading may stop as soon as this many pages were found that certainly count in Rss or Swap; null: never early. */
  readonly stopAfter: number | null;
  /** Why pages are left out; null when nothing is. */
  readonly reason: string | null;
}

/** Plans the reads of VMAs in order, within one common budget for the large ones. */
export class ReadPlanner {
  readonly #pageSize: number;
  #sparseBytesLeft: number;

  constructor(pageSize: number, sparseBytes: number = SPARSE_READ_BYTES) {
    this.#pageSize = pageSize;
    this.#sparseBytesLeft = sparseBytes;
  }

  /**
   * - up to 8 GiB: all of it;
   * - larger, and smaps counts nothing in it: not read (only zero pages or guard markers could be there);
   * - larger, with something in it: from the start until everything that smaps counts was found, within the budget.
   */
  plan(vma: Pick<SnapshotVma, 'startVpn' | 'endVpn' | 'kind' | 'name' | 'smapsKb'>): VmaReadPlan {
    const pages = vma.endVpn - vma.startVpn;
    const bytes = pages * this.#pageSize;
    // The vsyscall page lies in the kernel's half of the address space, where pagemap ends.
    if (vma.name === '[vsyscall]') return { pages: 0, stopAfter: null, reason: null };
    if (bytes <= WHOLE_READ_BYTES) return { pages, stopAfter: null, reason: null };
    const counted = countedPages(vma.smapsKb, this.#pageSize);
    if (counted === 0)
      return { pages: 0, stopAfter: null, reason: 'a large reservation in which smaps counts no page' };
    const granted = Math.min(bytes, this.#sparseBytesLeft);
    const reason = granted < bytes ? 'the limit for reading large mappings (option sparseReadBytes) was reached' : null;
    return { pages: Math.floor(granted / this.#pageSize), stopAfter: counted, reason };
  }

  /** Charges the pages of a large VMA that were really read to the budget. */
  charge(plan: VmaReadPlan, pagesRead: number): void {
    if (plan.stopAfter !== null)
      this.#sparseBytesLeft = Math.max(0, this.#sparseBytesLeft - pagesRead * this.#pageSize);
  }
}

/** Pages that smaps counts in a VMA: resident, swapped, hugetlb. Zero pages and markers are in none of the fields. */
export function countedPages(kb: SnapshotVma['smapsKb'], pageSize: number): number {
  const total = (kb.Rss ?? 0) + (kb.Swap ?? 0) + (kb.Shared_Hugetlb ?? 0) + (kb.Private_Hugetlb ?? 0);
  return Math.ceil((total * 1024) / pageSize);
}
