/**
 * Taking one page of the page cache for a collapse: locked, off the LRU, unmapped from everybody, and nobody else's
 * (khugepaged spec 12).
 */
import {
  type FileId,
  FOLIO,
  folioDrop,
  folioGet,
  folioHas,
  folioHead,
  folioIsolateLru,
  folioMapcount,
  folioOrder,
  folioPages,
  folioPutbackLru,
  folioTrylock,
  folioUnlock,
  getFilePage,
  lruAddDrainCpu,
  type Machine,
  type Pfn,
  pageCacheLookup,
  pageCacheSwapSlot,
  tryToUnmapFile,
  writeBackPages,
} from '@thplab/mm-model';
import { acquire, type Procedure, release } from '@thplab/sync';
import type { CollapseContext } from '../collapse-context.js';
import { SCAN, type ScanResult } from '../results.js';
import type { FileRange } from './file-range.js';

/** An attempt on its way. */
export interface FileCollapse extends FileRange {
  readonly shmem: boolean;
  /** Folios taken, ascending: locked, isolated, with a reference of ours, unmapped. */
  readonly sources: Pfn[];
  /** Pages that shared memory does not have. */
  none: number;
  /** Pages of the folios taken. */
  replaced: number;
}

/**
 * Takes the folio that holds page `index`; a hole of shared memory is counted instead. The lock of i_pages is held at entry,
 * and at exit if the result is SUCCEED.
 */
export function* takeFilePage(ctx: CollapseContext, run: FileCollapse, index: number): Procedure<ScanResult> {
  const { m } = ctx;
  const lock = m.locks.filePages.ref(run.file);
  const cached = pageCacheLookup(m, run.file, index);
  const head = cached === 0 ? 0 : folioHead(m, cached);
  if (head === 0 && run.shmem && pageCacheSwapSlot(m, run.file, index) === 0) return yield* countHole(m, run, index);
  if (head === 0) {
    yield release(lock);
    return yield* bringIn(ctx, run, index);
  }
  if (!run.shmem && isDirty(m, head)) {
    yield release(lock);
    // What is written back now is clean when khugepaged comes again; a writer would only make it dirty again.
    if (m.file.writers[run.file] === 0) yield* writeBackPages(m, run.file, 0, m.file.pages[run.file]);
    return dirtyResult(ctx);
  }
  if (!folioTrylock(m, head)) {
    yield release(lock);
    return SCAN.PAGE_LOCK;
  }
  folioGet(m, head);
  yield release(lock);
  return yield* takeLocked(ctx, run, head);
}

/** Shared memory may lack pages, but not all: then the range has been truncated meanwhile. */
function* countHole(m: Machine, run: FileCollapse, index: number): Procedure<ScanResult> {
  if (index === run.start && isEmpty(m, run.file, run.start)) {
    yield release(m.locks.filePages.ref(run.file));
    return SCAN.TRUNCATED;
  }
  run.none++;
  return SCAN.SUCCEED;
}

function isEmpty(m: Machine, file: FileId, start: number): boolean {
  for (let index = start; index < start + m.ptes; index++) {
    if (pageCacheLookup(m, file, index) !== 0 || pageCacheSwapSlot(m, file, index) !== 0) return false;
  }
  return true;
}

/** Swap-in, or read-ahead of a file, which has no pages behind its end. No lock at entry. */
function* bringIn(ctx: CollapseContext, run: FileCollapse, index: number): Procedure<ScanResult> {
  const { m } = ctx;
  if (index >= m.file.pages[run.file] && !run.shmem) return SCAN.FAIL;
  const pfn = yield* getFilePage(m, run.file, index, run.mm);
  if (pfn === 0) return SCAN.FAIL;
  // It is in this processor's batch, where it could not be taken off the LRU.
  lruAddDrainCpu(m, m.current.cpu);
  return yield* takeLocked(ctx, run, folioHead(m, pfn));
}

/** The folio is locked and held by us. On failure both end; on success the lock of i_pages is held. */
function* takeLocked(ctx: CollapseContext, run: FileCollapse, head: Pfn): Procedure<ScanResult> {
  const { m } = ctx;
  let result = judgeLocked(ctx, run, head);
  if (result === SCAN.SUCCEED) {
    if (folioMapcount(m, head) > 0) yield* tryToUnmapFile(m, head);
    yield acquire(m.locks.filePages.ref(run.file));
    // Our pin, isolation's and the page cache's: any other user has to come through the page cache, and to the lock.
    if (m.frame.refcount[head] !== folioPages(m, head) + 2) result = SCAN.PAGE_COUNT;
    else if (!run.shmem && isDirty(m, head)) result = dirtyResult(ctx);
    if (result === SCAN.SUCCEED) {
      run.sources.push(head);
      run.replaced += folioPages(m, head);
      return result;
    }
    yield release(m.locks.filePages.ref(run.file));
    folioPutbackLru(m, head);
  }
  folioUnlock(m, head);
  folioDrop(m, head);
  return result;
}

/** The tests that need the folio's lock; on SUCCEED it is off the LRU. */
function judgeLocked(ctx: CollapseContext, run: FileCollapse, head: Pfn): ScanResult {
  const { m } = ctx;
  if (!folioHas(m, head, FOLIO.UPTODATE)) return SCAN.FAIL;
  if (folioOrder(m, head) === m.pmdOrder) return SCAN.PTE_MAPPED_HUGEPAGE;
  if (m.frame.mapping[head] !== run.file) return SCAN.TRUNCATED;
  if (!run.shmem && isDirty(m, head)) return dirtyResult(ctx);
  return folioIsolateLru(m, head) ? SCAN.SUCCEED : SCAN.DEL_PAGE_LRU;
}

function isDirty(m: Machine, head: Pfn): boolean {
  return (m.frame.flags[head] & (FOLIO.DIRTY | FOLIO.WRITEBACK)) !== 0;
}

/** Kernels without a result of its own for it say FAIL. */
function dirtyResult({ generation }: CollapseContext): ScanResult {
  const known = generation.results.includes(SCAN.PAGE_DIRTY_OR_WRITEBACK);
  return known ? SCAN.PAGE_DIRTY_OR_WRITEBACK : SCAN.FAIL;
}
