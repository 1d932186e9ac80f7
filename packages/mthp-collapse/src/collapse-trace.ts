/**
 * Tracepoints of the collapse code (khugepaged spec 14.3). A status is the number that the generation's kernel has for the
 * result; `collapseTexts` turns it back into the text that the kernel prints.
 */
import type { MmId, Vpn } from '@thplab/mm-model';
import type { CollapseAttempt } from './collapse-attempt.js';
import type { CollapseContext } from './collapse-context.js';
import type { CollapseControl } from './collapse-control.js';
import type { FileRange } from './file/file-range.js';
import type { Generation } from './generations/generation.js';
import { scanResultNumber } from './result-numbering.js';
import { type ScanResult, scanResultText } from './results.js';

/** mm_khugepaged_scan_pmd, with the result of the whole range. */
export function traceScanPmd(ctx: CollapseContext, cc: CollapseControl, mm: MmId, result: ScanResult): void {
  const { tracer } = ctx;
  if (!tracer.enabled) return;
  const { scanPfn, writable, referenced, none, unmapped } = cc.scan;
  const id = tracer.ids.mm_khugepaged_scan_pmd;
  tracer.event(id, mm, scanPfn, writable ? 1 : 0, referenced, none, status(ctx, result), unmapped);
}

/** mm_collapse_huge_page. */
export function traceCollapse(ctx: CollapseContext, a: CollapseAttempt, isolated: boolean, result: ScanResult): void {
  const { tracer } = ctx;
  if (!tracer.enabled) return;
  tracer.event(tracer.ids.mm_collapse_huge_page, a.mm, isolated ? 1 : 0, status(ctx, result), a.order);
}

/** mm_collapse_huge_page_isolate. */
export function traceIsolate(
  ctx: CollapseContext,
  a: CollapseAttempt,
  facts: { readonly scanPfn: number; readonly referenced: number; readonly writable: boolean },
  result: ScanResult,
): void {
  const { tracer } = ctx;
  if (!tracer.enabled) return;
  const id = tracer.ids.mm_collapse_huge_page_isolate;
  const { scanPfn, referenced, writable } = facts;
  tracer.event(id, scanPfn, a.none, referenced, writable ? 1 : 0, status(ctx, result), a.order);
}

/** mm_collapse_huge_page_swapin. */
export function traceSwapin(ctx: CollapseContext, a: CollapseAttempt, swappedIn: number, result: ScanResult): void {
  const { tracer } = ctx;
  if (!tracer.enabled) return;
  const id = tracer.ids.mm_collapse_huge_page_swapin;
  tracer.event(id, a.mm, swappedIn, a.referenced, status(ctx, result), a.order);
}

/** mm_khugepaged_scan_file, with the result of the whole range. A file is told by its number. */
export function traceScanFile(
  ctx: CollapseContext,
  { mm, file }: FileRange,
  facts: { readonly scanPfn: number; readonly present: number; readonly swap: number },
  result: ScanResult,
): void {
  const { tracer } = ctx;
  if (!tracer.enabled) return;
  const { scanPfn, present, swap } = facts;
  tracer.event(tracer.ids.mm_khugepaged_scan_file, mm, scanPfn, file, present, swap, status(ctx, result));
}

/** mm_khugepaged_collapse_file; `hugePfn` -1: there was no folio to be had. */
export function traceCollapseFile(ctx: CollapseContext, range: FileRange, hugePfn: number, result: ScanResult): void {
  const { tracer, m } = ctx;
  if (!tracer.enabled) return;
  const { mm, file, start, page } = range;
  const address = page * 2 ** m.geometry.pageShift;
  const shmem = m.file.shmem[file];
  const id = tracer.ids.mm_khugepaged_collapse_file;
  tracer.event(id, mm, hugePfn, start, address, shmem, file, m.ptes, status(ctx, result));
}

/** Our own event at the end of an attempt: the window's address, and what it was chosen on. */
export function traceWindow(
  ctx: CollapseContext,
  a: CollapseAttempt,
  occupied: number,
  maxNone: number,
  result: ScanResult,
): void {
  const { tracer, m } = ctx;
  if (!tracer.enabled) return;
  const address = a.page * 2 ** m.geometry.pageShift;
  tracer.event(tracer.ids.collapse_window, a.mm, address, a.order, occupied, maxNone, status(ctx, result));
}

/** Our own event at the end of a range: its address and result. */
export function traceRange(
  ctx: CollapseContext,
  mm: MmId,
  page: Vpn,
  result: ScanResult,
  windows: number,
  progress: number,
): void {
  const { tracer, m } = ctx;
  if (!tracer.enabled) return;
  const address = page * 2 ** m.geometry.pageShift;
  tracer.event(tracer.ids.collapse_range, mm, address, status(ctx, result), windows, progress);
}

/**
 * For decoders: the text of a `status` or `result` field of a trace that this generation recorded; undefined for numbers
 * that it does not have.
 */
export function collapseTexts(
  generation: Generation,
): (event: string, field: string, value: number) => string | undefined {
  return (_event, field, value) => {
    if (field !== 'status' && field !== 'result') return undefined;
    const result = generation.results[value];
    return result === undefined ? undefined : scanResultText(result);
  };
}

function status(ctx: CollapseContext, result: ScanResult): number {
  return scanResultNumber(result, ctx.generation.results);
}
