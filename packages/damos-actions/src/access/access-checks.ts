/** What a set of operations gives to the main loop (`struct damon_operations`; DAMON spec 1.2 c, e, j). */
import type { Procedure } from '@thplab/sync';

/** Kinds of address space that can be monitored. */
export type OperationsId = 'vaddr' | 'fvaddr' | 'paddr';

/** See the head of the file. */
export interface AccessChecks {
  /** Lays out targets that have no regions yet. */
  init(): Procedure<void>;
  /** Chooses an address for each region and makes its page old. */
  prepare(): Procedure<void>;
  /** Looks whether the page was used since, and counts. Gives the highest count of this round. */
  check(): Procedure<number>;
  /** Follows changes of the layout. */
  update(): Procedure<void>;
  /** False if the target is gone. */
  isValid(target: number): boolean;
}

/**
 * Who holds which lock while looking. `kernel`: mmap_lock and the page-table lock for each region by itself. `batch`:
 * mmap_lock once for all regions of a target, page tables without a lock; many times faster, right only where a step of a
 * procedure is whole (the sequential executor), and it keeps writers of mmap_lock waiting longer.
 */
export type AccessLocking = 'kernel' | 'batch';
