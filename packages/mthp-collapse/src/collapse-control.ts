/**
 * The state of one initiator of collapses (`struct collapse_control`, khugepaged spec 1): one for the kernel thread, one
 * for each MADV_COLLAPSE call. It is reused from table to table, so that scanning allocates nothing.
 */
import { TVA, type TvaType } from '@thplab/mm-model';
import { CollapseAttempt } from './collapse-attempt.js';
import type { CollapseContext } from './collapse-context.js';
import type { Initiator } from './limits.js';
import { TableScan } from './scan/table-scan.js';

export class CollapseControl {
  readonly initiator: Initiator;
  readonly isKhugepaged: boolean;
  /** The type of access that eligibility is asked for. */
  readonly tva: TvaType;
  /** The table being scanned: limits, counters, bitmap, node load. */
  readonly scan: TableScan;
  /** The window being collapsed. */
  readonly attempt: CollapseAttempt;
  /** Scan budget used, in entries. Set to 0 by khugepaged at the start of a pass. */
  progress = 0;
  /** mmap_lock, held at the start of a range, has been given back. Set in the step that gives it back. */
  lockDropped = false;

  constructor(ctx: CollapseContext, initiator: Initiator) {
    this.initiator = initiator;
    this.isKhugepaged = initiator === 'khugepaged';
    this.tva = this.isKhugepaged ? TVA.khugepaged : TVA.forcedCollapse;
    this.scan = new TableScan(ctx, this.isKhugepaged);
    this.attempt = new CollapseAttempt(ctx.m.ptes);
  }
}

/** The control of the kernel thread. */
export function khugepagedControl(ctx: CollapseContext): CollapseControl {
  return new CollapseControl(ctx, 'khugepaged');
}

/** The control of one MADV_COLLAPSE call. */
export function madviseControl(ctx: CollapseContext): CollapseControl {
  return new CollapseControl(ctx, 'madvise');
}
