/**
 * One attempt to collapse a window: where it is, what its steps have taken hold of, what must be given back. Every step of
 * collapse-huge-page.ts reads and writes this record instead of passing a dozen parameters.
 */
import type { MmId, Pfn, PmdRef, TableId, VmaId, Vpn } from '@thplab/mm-model';
import { NO_PMD } from '@thplab/mm-model';
import type { LockRef } from '@thplab/sync';

export class CollapseAttempt {
  // The window, set by `aim`.
  mm: MmId = 0 as MmId;
  /** The VMA must be anonymous and have an anon_vma. */
  readonly expectAnon = true;
  /** First page of the window. */
  page: Vpn = 0 as Vpn;
  order = 0;
  /** 2^order. */
  pages = 0;
  /** First slot of the window in its table. */
  slot = 0;
  /** Non-present entries that the scan accepted in the whole table. */
  unmapped = 0;
  /** Entries with signs of use that the scan saw in the whole table. */
  referenced = 0;
  /** The VMA was registered with userfaultfd when it was scanned. */
  uffdAtScan = false;

  // What the steps found and hold.
  /** As of the last revalidation; good only while mmap_lock is held. */
  vma: VmaId = 0 as VmaId;
  pmd: PmdRef = NO_PMD;
  /** The PMD entry that was taken out. */
  entry = 0;
  table: TableId = 0 as TableId;
  /** The new folio, until it is mapped; 0: none. */
  folio: Pfn = 0 as Pfn;
  /** The anon_vma lock, while it is held. */
  anonVmaLock: LockRef | undefined = undefined;

  // What isolate took, and what copy found.
  /** Entries of the window that isolate has passed. */
  isolated = 0;
  /** Empty and zero-page entries of the window. */
  none = 0;
  /** Source folios that isolate took, whatever their size: each costs once. */
  folios = 0;
  /** Large source folios, each once, locked and off the LRU. */
  readonly large: Uint32Array;
  largeCount = 0;

  constructor(ptes: number) {
    this.large = new Uint32Array(ptes);
  }

  /** Starts over for another window; `tableStart` is the first page of its PMD range. */
  aim(mm: MmId, tableStart: Vpn, slot: number, order: number): void {
    this.mm = mm;
    this.slot = slot;
    this.page = (tableStart + slot) as Vpn;
    this.order = order;
    this.pages = 1 << order;
    this.vma = 0 as VmaId;
    this.pmd = NO_PMD;
    this.entry = 0;
    this.table = 0 as TableId;
    this.folio = 0 as Pfn;
    this.anonVmaLock = undefined;
    this.isolated = 0;
    this.none = 0;
    this.folios = 0;
    this.largeCount = 0;
  }

  /** First page of the PMD range. */
  get tableStart(): Vpn {
    return (this.page - this.slot) as Vpn;
  }
}
