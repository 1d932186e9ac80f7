/**
 * The scan of one page table: what it is allowed to accept, and what it found (khugepaged spec 7.1). The two forms of the
 * scan, scan-entry-by-entry.ts and scan-planes.ts, fill in the same record in the same way.
 */
import { VM, VM_UFFD, type VmaId } from '@thplab/mm-model';
import { createOccupancy, type Occupancy } from '../bitmap.js';
import type { CollapseContext, NodeReclaim } from '../collapse-context.js';
import type { ScanFacts } from '../decision-recorder.js';
import type { LimitContext, PtesSettings } from '../limits.js';
import type { OrderSet } from '../orders.js';
import { SCAN, type ScanResult } from '../results.js';

/** Above every order. */
const ANY_ORDER = 99;

export class TableScan implements ScanFacts {
  /** khugepaged: use counts, and lazily freed pages may be refused. */
  readonly khugepaged: boolean;
  /** Non-present entries are tested before empty ones (legacy to v12). */
  readonly swapFirst: boolean;
  /** At least one entry must be writable (legacy up to 6.17). */
  readonly writableRequired: boolean;
  readonly nodeReclaim: NodeReclaim | undefined;

  // Limits for this table, see `allow`.
  noneLimit = 0;
  swapLimit = 0;
  sharedLimit = 0;
  /** Clean lazily freed pages end the scan (rule e). */
  refusesLazyfree = false;
  /** A folio of this order or a larger one ends the scan of a window (Dev Jain, khugepaged spec 15.4); ANY_ORDER: none. */
  refusedFolioOrder: number = ANY_ORDER;

  // Findings. A stop leaves them as of the entry that stopped it.
  result: ScanResult = SCAN.FAIL;
  scanned = 0;
  none = 0;
  unmapped = 0;
  shared = 0;
  referenced = 0;
  writable = false;
  scanPfn = -1;
  /** Entries that hold a page khugepaged could move (rule h). */
  readonly bitmap: Occupancy;
  /** Empty and zero-page entries; kept only for generations that work on chunks. */
  readonly empty: Occupancy | undefined;
  /** Entries per node (khugepaged spec 7.3). */
  readonly nodeLoad: Int32Array;

  constructor(ctx: CollapseContext, khugepaged: boolean) {
    const { m, generation } = ctx;
    this.khugepaged = khugepaged;
    this.swapFirst = generation.scanCheckOrder === 'swapFirst';
    this.writableRequired = generation.writableRequired;
    this.nodeReclaim = ctx.nodeReclaim;
    this.bitmap = createOccupancy(m.pmdOrder);
    this.empty = generation.chunkOrder > 0 ? createOccupancy(m.pmdOrder) : undefined;
    this.nodeLoad = new Int32Array(m.nodes);
  }

  /** Forgets the last table. The one place that initialises what a scan fills in (khugepaged spec 24). */
  reset(): void {
    this.result = SCAN.FAIL;
    this.scanned = 0;
    this.none = 0;
    this.unmapped = 0;
    this.shared = 0;
    this.referenced = 0;
    this.writable = false;
    this.scanPfn = -1;
    this.bitmap.fill(0);
    this.empty?.fill(0);
    this.refusedFolioOrder = ANY_ORDER;
    this.nodeLoad.fill(0);
  }

  /** Sets the limits for a table of the VMA (khugepaged spec 7.1 step 3, 8). */
  allow(ctx: CollapseContext, vma: VmaId, enabledOrders: OrderSet, settings: PtesSettings): void {
    const { m, generation } = ctx;
    const flags = m.vma.flags[vma];
    const limits: LimitContext = {
      pmdOrder: m.pmdOrder,
      settings,
      initiator: this.khugepaged ? 'khugepaged' : 'madvise',
      uffdArmed: (flags & VM_UFFD) !== 0,
    };
    this.noneLimit = generation.scanNoneLimit(enabledOrders, limits);
    this.swapLimit = generation.swapLimit(m.pmdOrder, limits);
    this.sharedLimit = generation.sharedLimit(m.pmdOrder, limits);
    this.refusesLazyfree = generation.lazyfreeRule && this.khugepaged && (flags & VM.DROPPABLE) === 0;
  }

  /** Sets the limits for one window, for generations that scan each window by itself (khugepaged spec 15.4 step 2). */
  allowWindow(ctx: CollapseContext, vma: VmaId, order: number, settings: PtesSettings): void {
    const { m, generation } = ctx;
    const limits: LimitContext = {
      pmdOrder: m.pmdOrder,
      settings,
      initiator: this.khugepaged ? 'khugepaged' : 'madvise',
      uffdArmed: (m.vma.flags[vma] & VM_UFFD) !== 0,
    };
    const none = generation.noneLimit(order, limits);
    // Orders at which the setting is refused are not scanned at all, unless it has been written meanwhile.
    this.noneLimit = none === 'refused' ? 0 : none;
    this.swapLimit = generation.swapLimit(order, limits);
    this.sharedLimit = generation.sharedLimit(order, limits);
    this.refusedFolioOrder = order === m.pmdOrder ? ANY_ORDER : order;
  }

  /** Ends the scan at the present entry. Gives false, for "do not go on". */
  stop(result: ScanResult): false {
    this.result = result;
    return false;
  }

  /** The verdict on a table that no entry ended the scan of (khugepaged spec 7.1 step 6). */
  conclude(entries: number): ScanResult {
    const { referenced } = this;
    if (this.writableRequired && !this.writable) this.result = SCAN.PAGE_RO;
    else if (this.khugepaged && (referenced === 0 || (this.unmapped > 0 && referenced < entries >>> 1))) {
      this.result = SCAN.LACK_REFERENCED_PAGE;
    } else this.result = SCAN.SUCCEED;
    return this.result;
  }
}

/** The node that most entries lie on, the lowest of several (`hpage_collapse_find_target_node`). */
export function targetNode(scan: TableScan): number {
  const { nodeLoad } = scan;
  let target = 0;
  for (let nid = 1; nid < nodeLoad.length; nid++) if (nodeLoad[nid] > nodeLoad[target]) target = nid;
  return target;
}

/** All nodes that as many entries lie on, as a bit mask: where the allocation may fall back to (`alloc_nmask`). */
export function fallbackNodes(scan: TableScan): number {
  const { nodeLoad } = scan;
  const most = nodeLoad[targetNode(scan)];
  let mask = 0;
  for (let nid = 0; nid < nodeLoad.length; nid++) if (nodeLoad[nid] === most) mask |= 1 << nid;
  return mask;
}
