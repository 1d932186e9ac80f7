/**
 * One attempt to replace the pages of one PMD range of a file or of shared memory by a huge folio in the page cache
 * (`collapse_file`, khugepaged spec 12).
 *
 * mmap_lock is held by nobody here: what is changed is the page cache, for all who map it. Every page is locked, taken off
 * the LRU and unmapped from everybody; whoever wants it then waits for its lock. Missing pages stay missing until the lock
 * of i_pages is held for good. The new folio is locked too until the page tables in its way are gone.
 */
import {
  clearFrameFlags,
  FOLIO,
  folioAddLru,
  folioPages,
  folioPut,
  folioPutbackLru,
  folioTrylock,
  folioUnlock,
  type Machine,
  PAGE,
  type Pfn,
  pageCacheHasRoom,
  pageCacheLookup,
  pageCacheSwapSlot,
  replaceByHugeFolio,
  setFolioMapping,
  VM,
  vmasOfFile,
} from '@thplab/mm-model';
import { acquire, type Procedure, preempt, READ, release, spend } from '@thplab/sync';
import type { CollapseContext } from '../collapse-context.js';
import type { CollapseControl } from '../collapse-control.js';
import { COLLAPSE_POINT } from '../collapse-points.js';
import { traceCollapseFile } from '../collapse-trace.js';
import { allocChargeFolio } from '../passes/alloc-charge.js';
import { SCAN, type ScanResult } from '../results.js';
import type { FileRange } from './file-range.js';
import { retractPageTables } from './retract-page-tables.js';
import { type FileCollapse, takeFilePage } from './take-file-page.js';

/**
 * Collapses the range. No lock is held at entry and exit. For khugepaged SUCCEED: the page cache has the huge folio, and who
 * touches it next gets it mapped. For MADV_COLLAPSE the same is PTE_MAPPED_HUGEPAGE, and the caller maps it.
 */
export function* collapseFile(ctx: CollapseContext, cc: CollapseControl, range: FileRange): Procedure<ScanResult> {
  const { m } = ctx;
  cc.attempt.aim(range.mm, range.page, 0, m.pmdOrder);
  let result = yield* allocChargeFolio(ctx, cc);
  const run: FileCollapse = { ...range, shmem: m.file.shmem[range.file] !== 0, sources: [], none: 0, replaced: 0 };
  const hugePfn = cc.attempt.folio === 0 ? -1 : cc.attempt.folio;
  if (result === SCAN.SUCCEED) {
    folioTrylock(m, cc.attempt.folio);
    result = yield* takePages(ctx, run);
    if (result === SCAN.SUCCEED) result = yield* copyPages(m, run, cc.attempt.folio);
    if (result === SCAN.SUCCEED) result = yield* replacePages(m, run, cc.attempt.folio);
    if (result === SCAN.SUCCEED) yield* finish(ctx, run, cc.attempt.folio);
    else rollBack(m, run, cc.attempt.folio);
  } else if (cc.attempt.folio !== 0) folioPut(m, cc.attempt.folio);
  cc.attempt.folio = 0 as Pfn;
  ctx.recorder?.attempted?.(range.mm, range.page, m.pmdOrder, result, run.none);
  if (result === SCAN.SUCCEED && !cc.isKhugepaged) result = SCAN.PTE_MAPPED_HUGEPAGE;
  traceCollapseFile(ctx, range, hugePfn, result);
  return result;
}

/** Takes all pages of the range. No lock at entry and exit. */
function* takePages(ctx: CollapseContext, run: FileCollapse): Procedure<ScanResult> {
  const { m } = ctx;
  // The tree of the page cache gets its nodes before any page is touched (`xas_create_range`).
  if (!pageCacheHasRoom(m, countHoles(m, run))) return SCAN.FAIL;
  const lock = m.locks.filePages.ref(run.file);
  yield acquire(lock);
  let result: ScanResult = SCAN.SUCCEED;
  for (let index = run.start; index < run.start + m.ptes && result === SCAN.SUCCEED; ) {
    const before = run.sources.length;
    result = yield* takeFilePage(ctx, run, index);
    index += run.sources.length > before ? folioPages(m, run.sources[before]) : 1;
  }
  if (result === SCAN.SUCCEED) yield release(lock);
  yield spend(run.sources.length * m.costs.isolatePage + m.costs.pmdFlush);
  return result;
}

/** Copies the pages, and clears what has none. Nothing but the new folio is changed. */
function* copyPages(m: Machine, run: FileCollapse, folio: Pfn): Procedure<ScanResult> {
  const { stamp, flags, index } = m.frame;
  stamp.fill(0, folio, folio + m.ptes);
  let copied = 0;
  for (const head of run.sources) {
    const at = folio + (index[head] - (run.start % 2 ** 32));
    for (let i = 0; i < folioPages(m, head); i++) {
      if ((flags[head + i] & PAGE.HWPOISON) !== 0) return SCAN.COPY_MC;
      stamp[at + i] = stamp[head + i];
      copied++;
    }
  }
  yield spend(copied * m.costs.copyPage + run.none * m.costs.zeroPage);
  yield preempt(COLLAPSE_POINT.fileCopied);
  return SCAN.SUCCEED;
}

/**
 * Puts the folio into the page cache, if the missing pages are still missing and nobody waits to hear of them. No lock at
 * entry and exit.
 */
function* replacePages(m: Machine, run: FileCollapse, folio: Pfn): Procedure<ScanResult> {
  const lock = m.locks.filePages.ref(run.file);
  const fileMap = m.locks.fileMap.ref(run.file);
  if (run.none > 0) yield acquire(fileMap, READ);
  yield acquire(lock);
  const result = run.none > 0 ? checkHoles(m, run) : SCAN.SUCCEED;
  if (run.none > 0) yield release(fileMap, READ);
  if (result === SCAN.SUCCEED) {
    replaceByHugeFolio(m, run.file, run.start, folio, run.replaced);
    folioAddLru(m, folio);
  }
  yield release(lock);
  return result;
}

function checkHoles(m: Machine, run: FileCollapse): ScanResult {
  if (countHoles(m, run) !== run.none) return SCAN.PAGE_FILLED;
  // Who asked to be told of missing pages would not hear of those that the folio fills.
  for (const vma of vmasOfFile(m, run.file)) {
    const first = m.vma.pgoff[vma];
    const overlaps = first < run.start + m.ptes && run.start < first + m.vma.end[vma] - m.vma.start[vma];
    if (overlaps && (m.vma.flags[vma] & VM.UFFD_MISSING) !== 0) return SCAN.EXCEED_NONE_PTE;
  }
  return SCAN.SUCCEED;
}

function countHoles(m: Machine, { file, start }: FileRange): number {
  let holes = 0;
  for (let index = start; index < start + m.ptes; index++) {
    if (pageCacheLookup(m, file, index) === 0 && pageCacheSwapSlot(m, file, index) === 0) holes++;
  }
  return holes;
}

/** The folio is in the page cache: page tables in its way go, then the old pages. */
function* finish(ctx: CollapseContext, run: FileCollapse, folio: Pfn): Procedure<void> {
  const { m } = ctx;
  yield* retractPageTables(ctx, run);
  folioUnlock(m, folio);
  for (const head of run.sources) {
    setFolioMapping(m, head, 0, 0);
    clearFrameFlags(m, head, FOLIO.SHMEM | FOLIO.SWAPBACKED | FOLIO.ACTIVE);
    folioUnlock(m, head);
    // The page cache's references, that of isolation and the pin.
    folioPut(m, head, folioPages(m, head) + 2);
  }
  run.sources.length = 0;
  yield spend(m.ptes * m.costs.setPte);
}

/** Nothing has changed, except that the pages are not mapped any more. */
function rollBack(m: Machine, run: FileCollapse, folio: Pfn): void {
  for (const head of run.sources) {
    folioUnlock(m, head);
    folioPutbackLru(m, head);
    folioPut(m, head);
  }
  run.sources.length = 0;
  folioUnlock(m, folio);
  folioPut(m, folio);
}
