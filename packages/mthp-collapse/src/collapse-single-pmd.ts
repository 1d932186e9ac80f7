import { type MmId, mmapReadUnlock, VMA_KIND, type VmaId, type Vpn } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import type { CollapseContext } from './collapse-context.js';
import type { CollapseControl } from './collapse-control.js';
import { traceRange } from './collapse-trace.js';
import { SCAN, type ScanResult } from './results.js';
import { collapseScanPmd } from './scan/collapse-scan-pmd.js';

/** What became of one PMD range, and of mmap_lock. */
export interface RangeOutcome {
  /** SUCCEED: at least one window was collapsed. For khugepaged this counts once in pages_collapsed, by its caller. */
  readonly result: ScanResult;
  /** mmap_lock is not held any more. */
  readonly lockDropped: boolean;
}

/**
 * Deals with the PMD range that begins at `page` of the VMA (`collapse_single_pmd`, khugepaged spec 7). mmap_lock is held
 * for reading at entry; at exit unless the outcome says that it was dropped, and then the VMA may be gone. Adds to
 * `cc.progress` what the range costs (khugepaged spec 6.2).
 *
 * Memory that is not anonymous is not modelled: it is charged as the kernel does, its lock is dropped as the kernel does,
 * and the result is PAGE_ANON.
 */
export function* collapseSinglePmd(
  ctx: CollapseContext,
  cc: CollapseControl,
  vma: VmaId,
  page: Vpn,
): Procedure<RangeOutcome> {
  const { m, recorder } = ctx;
  const mm = m.vma.mm[vma] as MmId;
  const before = cc.progress;
  cc.lockDropped = false;
  const anon = m.vma.kind[vma] === VMA_KIND.anon;
  const { result, windows } = anon ? yield* collapseScanPmd(ctx, cc, vma, page) : yield* passOverFile(ctx, cc, mm);
  if (!anon || ctx.generation.progressModel === 'perRange') cc.progress = before + m.ptes;
  traceRange(ctx, mm, page, result, windows, cc.progress - before);
  recorder?.rangeDone?.(mm, vma, page, result);
  return { result, lockDropped: cc.lockDropped && ctx.generation.forgetsDroppedLock !== true };
}

/** A range of a file or of shared memory (khugepaged spec 12): the lock is dropped before its page cache is looked at. */
function* passOverFile(
  ctx: CollapseContext,
  cc: CollapseControl,
  mm: MmId,
): Procedure<{ readonly result: ScanResult; readonly windows: number }> {
  yield* mmapReadUnlock(ctx.m, mm);
  cc.lockDropped = true;
  return { result: SCAN.PAGE_ANON, windows: 0 };
}
