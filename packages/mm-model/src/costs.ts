/**
 * What work costs, in ns of processor time. The one table of the model; everything that takes time reads it.
 *
 * The defaults come from measurements on a virtual machine (Linux 6.18, x86_64, AMD EPYC; khugepaged spec's companion on
 * the real kernel, section 6): a 4K fault 1.48 µs; a 2M fault 176 µs; MADV_COLLAPSE of 512 present pages 430 µs, of one
 * present page 97 µs, which gives copying 650 ns and zeroing about 170 ns a page; a refused scan of 512 entries 6.5 µs.
 */
export interface CostTable {
  /** Looking at one PTE in collapse_scan_pmd. */
  readonly scanPte: number;
  /** Visiting an mm or a VMA, or a PMD range without a table. */
  readonly scanVisit: number;
  /** Copying one base page (collapse, copy-on-write). */
  readonly copyPage: number;
  /** Zeroing one base page. */
  readonly zeroPage: number;
  /** Entry, lookup and return of a page fault, without memory work. */
  readonly faultBase: number;
  /** Taking a block from the free lists. */
  readonly allocBase: number;
  /** Splitting or merging a free block by one order. */
  readonly allocPerOrder: number;
  /** Migrating one page in compaction. */
  readonly compactPage: number;
  /** Scanning one frame in compaction. */
  readonly compactScan: number;
  /** Clearing a PMD and flushing the TLB on all processors. */
  readonly pmdFlush: number;
  /** Isolating one folio for a collapse; and once more for releasing it. */
  readonly isolatePage: number;
  /** Writing one PTE or one rmap change. */
  readonly setPte: number;
  /** Bringing in one page from swap. */
  readonly swapIn: number;
  /** Writing one page to swap. */
  readonly swapOut: number;
  /** A system call that finds nothing to do. */
  readonly syscall: number;
  /** Changing, splitting or merging one VMA. */
  readonly vmaChange: number;
  /** Draining the LRU batches of one processor. */
  readonly lruDrainCpu: number;
  /** Allocating a collapse hint. */
  readonly hintAdd: number;
  /** Looking at one request for collapse hints, and one trylock of mmap_lock that fails. */
  readonly hintVisit: number;
  /** Freeing a collapse hint. */
  readonly hintFree: number;
}

/** See `CostTable`. */
export const DEFAULT_COSTS: CostTable = {
  scanPte: 12.5,
  scanVisit: 100,
  copyPage: 650,
  zeroPage: 170,
  faultBase: 900,
  allocBase: 150,
  allocPerOrder: 30,
  compactPage: 1500,
  compactScan: 20,
  pmdFlush: 2000,
  isolatePage: 60,
  setPte: 25,
  swapIn: 25_000,
  swapOut: 25_000,
  syscall: 200,
  vmaChange: 700,
  lruDrainCpu: 300,
  hintAdd: 60,
  hintVisit: 8,
  hintFree: 25,
};
