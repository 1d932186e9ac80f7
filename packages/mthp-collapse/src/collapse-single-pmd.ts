import {
  countFileMapping,
  type FileId,
  linearIndex,
  type MmId,
  mmapReadLock,
  mmapReadUnlock,
  VMA_KIND,
  type VmaId,
  type Vpn,
  writeBackPages,
} from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import type { CollapseContext } from './collapse-context.js';
import type { CollapseControl } from './collapse-control.js';
import { traceRange } from './collapse-trace.js';
import { collapseScanFile } from './file/collapse-scan-file.js';
import type { FileRange } from './file/file-range.js';
import { tryCollapsePteMappedThp } from './file/try-collapse-pte-mapped-thp.js';
import { testExitOrDisable } from './passes/revalidate.js';
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
  const { result, windows } = anon
    ? yield* collapseScanPmd(ctx, cc, vma, page)
    : yield* collapseFileRange(ctx, cc, vma, page);
  if (ctx.generation.progressModel === 'perRange') cc.progress = before + m.ptes;
  traceRange(ctx, mm, page, result, windows, cc.progress - before);
  recorder?.rangeDone?.(mm, vma, page, result);
  return { result, lockDropped: cc.lockDropped && ctx.generation.forgetsDroppedLock !== true };
}

/**
 * A range of a file or of shared memory (khugepaged spec 12). mmap_lock is given back before the page cache is looked at; a
 * reference keeps the file. MADV_COLLAPSE writes dirty pages back, where the kernel does, and tries again once.
 */
function* collapseFileRange(
  ctx: CollapseContext,
  cc: CollapseControl,
  vma: VmaId,
  page: Vpn,
): Procedure<{ readonly result: ScanResult; readonly windows: number }> {
  const { m } = ctx;
  const mm = m.vma.mm[vma] as MmId;
  const file = m.vma.file[vma] as FileId;
  const range: FileRange = { mm, page, file, start: linearIndex(m, vma, page) };
  countFileMapping(m, file, 1);
  yield* mmapReadUnlock(m, mm);
  cc.lockDropped = true;
  let result = yield* collapseScanFile(ctx, cc, range);
  if (result === SCAN.PAGE_DIRTY_OR_WRITEBACK && !cc.isKhugepaged) {
    yield* writeBackPages(m, file, range.start, range.start + m.ptes);
    result = yield* collapseScanFile(ctx, cc, range);
  }
  countFileMapping(m, file, -1);
  const windows = result === SCAN.SUCCEED ? 1 : 0;
  return result === SCAN.PTE_MAPPED_HUGEPAGE ? yield* mapHugeFolio(ctx, cc, range) : { result, windows };
}

/** The page cache has a huge folio: MADV_COLLAPSE maps it, khugepaged removes the page table in its way. */
function* mapHugeFolio(
  ctx: CollapseContext,
  cc: CollapseControl,
  { mm, page }: FileRange,
): Procedure<{ readonly result: ScanResult; readonly windows: number }> {
  const { m } = ctx;
  yield* mmapReadLock(m, mm);
  let result: ScanResult = SCAN.ANY_PROCESS;
  if (!testExitOrDisable(m, mm)) result = yield* tryCollapsePteMappedThp(ctx, mm, page, !cc.isKhugepaged);
  yield* mmapReadUnlock(m, mm);
  if (result === SCAN.PMD_MAPPED) result = SCAN.SUCCEED;
  return { result, windows: result === SCAN.SUCCEED ? 1 : 0 };
}
