import type { MmId, VmaId, Vpn } from '@thplab/mm-model';
import type { ScanResult } from './results.js';

/**
 * Told of every decision about a PMD range, for `explain`: more than the tracepoints say, and without a ring that could
 * overflow. All parts are optional; none of them may change the machine.
 */
export interface DecisionRecorder {
  /** The scan of a table is over; what it counted is in `facts`. Not called where there is no table to scan. */
  scanned?(mm: MmId, page: Vpn, result: ScanResult, facts: ScanFacts): void;
  /** A window of an enabled order was not full enough: `occupied` entries of the `required`. */
  skipped?(mm: MmId, page: Vpn, order: number, occupied: number, required: number): void;
  /** An attempt to collapse a window is over; `empty` of its entries were none or zero pages, as far as it came. */
  attempted?(mm: MmId, page: Vpn, order: number, result: ScanResult, empty: number): void;
  /**
   * Entries of a window were set just now, and the architecture's cache hook is called for them (`update_mmu_cache_range`):
   * on some it walks from the address space to the table.
   */
  entriesSet?(mm: MmId, page: Vpn, order: number): void;
  /** The range is done. `page` is its first page. */
  rangeDone?(mm: MmId, vma: VmaId, page: Vpn, result: ScanResult): void;
}

/** What the scan of one table counted, up to where it stopped (khugepaged spec 7.1). */
export interface ScanFacts {
  /** Entries looked at. */
  readonly scanned: number;
  readonly none: number;
  readonly unmapped: number;
  readonly shared: number;
  readonly referenced: number;
  /** First frame of the folio looked at last, -1: none. */
  readonly scanPfn: number;
}
