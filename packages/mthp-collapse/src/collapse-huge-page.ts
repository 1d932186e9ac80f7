/**
 * One attempt to collapse one window (`collapse_huge_page`, khugepaged spec 10). The steps are numbered as there, and each
 * function says which locks it is entered and left with; R and W stand for mmap_lock held for reading and writing.
 *
 * The attempt's record (`cc.attempt`) carries what the steps hand on; its `aim` is called first. Few functions yield, and
 * those do not nest deeply: a yield passes through every generator around it, and there are up to 128 attempts in a table.
 */
import {
  type AnonVmaId,
  anonVmaLock,
  directoryOf,
  findPmd,
  folioPut,
  mmapWriteUnlock,
  type Pfn,
  PMD,
  pmdTable,
  pmdType,
  vmaStartWrite,
} from '@thplab/mm-model';
import { acquire, type LockRef, type Procedure, preempt, READ, release, spend, WRITE } from '@thplab/sync';
import type { CollapseAttempt } from './collapse-attempt.js';
import type { CollapseContext } from './collapse-context.js';
import type { CollapseControl } from './collapse-control.js';
import { COLLAPSE_POINT } from './collapse-points.js';
import { traceCollapse } from './collapse-trace.js';
import { collapseUnderPtl } from './collapse-under-ptl.js';
import { allocChargeFolio } from './passes/alloc-charge.js';
import { copyContents, copyCost } from './passes/copy.js';
import { installPmd, installPtes } from './passes/install.js';
import { collapseHugePageIsolate } from './passes/isolate.js';
import { releaseIsolated } from './passes/release.js';
import { hugepageVmaRevalidate } from './passes/revalidate.js';
import { collapseHugePageSwapin } from './passes/swapin.js';
import { attachTable, detachTable } from './passes/table-in-pmd.js';
import { unmapSources } from './passes/unmap-sources.js';
import { checkPmdState, checkPmdStillValid, noTable } from './pmd-state.js';
import { SCAN, type ScanResult } from './results.js';

/**
 * Collapses the window that `cc.attempt` is aimed at. Entered without locks, or with R if `cc.lockDropped` is still false
 * (generations whose lock contract is a flag); left without locks.
 */
export function* collapseHugePage(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m } = ctx;
  const a = cc.attempt;
  const mmapLock = m.locks.mmapLock.ref(a.mm);
  if (!cc.lockDropped) {
    yield release(mmapLock, READ);
    cc.lockDropped = true;
  }
  let result = yield* allocChargeFolio(ctx, cc); // 1
  const underPtl = ctx.generation.installLock === 'mmapReadPtl' && a.order < m.pmdOrder;
  if (result === SCAN.SUCCEED) {
    result = underPtl ? yield* collapseUnderPtl(ctx, cc) : yield* prepareUnderReadLock(ctx, cc, mmapLock); // 2 to 4
  }
  if (result === SCAN.SUCCEED && !underPtl) {
    yield preempt(COLLAPSE_POINT.beforeWriteLock);
    yield acquire(mmapLock, WRITE); // 5
    result = yield* collapseUnderWriteLock(ctx, cc); // 6 to 16
    if (a.anonVmaLock !== undefined) yield release(a.anonVmaLock, WRITE); // OUT1
    a.anonVmaLock = undefined;
    yield* mmapWriteUnlock(m, a.mm);
  }
  if (a.folio !== 0) folioPut(m, a.folio); // OUT0
  a.folio = 0 as Pfn;
  traceCollapse(ctx, a, result === SCAN.SUCCEED, result);
  return result;
}

/** Steps 2 to 4. No locks at entry and exit, R in between. */
function* prepareUnderReadLock(ctx: CollapseContext, cc: CollapseControl, mmapLock: LockRef): Procedure<ScanResult> {
  const { m } = ctx;
  const a = cc.attempt;
  yield acquire(mmapLock, READ); // 2
  let result = hugepageVmaRevalidate(ctx, cc, a, a); // 3
  if (result === SCAN.SUCCEED) {
    a.pmd = findPmd(m, a.mm, a.page);
    result = checkPmdState(m, ctx.generation, a.pmd);
  }
  if (result === SCAN.SUCCEED && a.unmapped > 0) {
    result = yield* collapseHugePageSwapin(ctx, cc); // 4
    // A pass that failed has given mmap_lock back itself.
    if (result !== SCAN.SUCCEED) return result;
  }
  yield release(mmapLock, READ);
  return result;
}

/** Steps 6 to 16. W at entry; at exit W, and the anon_vma lock if `a.anonVmaLock` says so. */
function* collapseUnderWriteLock(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m, generation } = ctx;
  const a = cc.attempt;
  let result: ScanResult =
    generation.skipsSecondRevalidate === true ? SCAN.SUCCEED : hugepageVmaRevalidate(ctx, cc, a, a); // 6
  if (result !== SCAN.SUCCEED) return result;
  if (generation.skipsVmaWriteLock !== true) yield* vmaStartWrite(m, a.vma);
  result = checkPmdStillValid(m, generation, a.mm, a.page, a.pmd);
  if (result !== SCAN.SUCCEED) return result;
  a.anonVmaLock = anonVmaLock(m, m.vma.anonVma[a.vma] as AnonVmaId);
  yield acquire(a.anonVmaLock, WRITE); // 7
  result = yield* isolateDetached(ctx, cc); // 8 to 12
  if (result !== SCAN.SUCCEED) return result;
  // Neighbours of a small window are neither locked nor isolated: until the table is back, the reverse map must not look.
  if (a.order === m.pmdOrder || !generation.anonVmaHeldForMthp) {
    yield release(a.anonVmaLock, WRITE); // 13
    a.anonVmaLock = undefined;
  }
  return yield* copyAndInstall(ctx, a); // 14 to 17
}

/**
 * Steps 8 to 12: the table leaves the PMD, the TLB is flushed, the sources are taken. W, VMA and anon_vma throughout. On
 * success the table is out of the PMD; on failure it is back, and nothing is taken.
 */
function* isolateDetached(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m, generation } = ctx;
  const a = cc.attempt;
  const pmdLock = m.locks.pmdLock.ref(directoryOf(m, a.pmd));
  const early = generation.countsRefsBeforeFlush === true ? yield* isolateAttached(ctx, cc) : SCAN.SUCCEED;
  if (early !== SCAN.SUCCEED) return early;
  yield acquire(pmdLock); // 9
  detachTable(m, a);
  yield spend(m.costs.pmdFlush);
  yield release(pmdLock);
  yield preempt(COLLAPSE_POINT.pmdCleared);
  let result: ScanResult = noTable(ctx.generation);
  if (pmdType(a.entry) === PMD.table) {
    a.table = pmdTable(a.entry);
    result = generation.countsRefsBeforeFlush === true ? SCAN.SUCCEED : yield* isolateTable(ctx, cc); // 11
  }
  if (result !== SCAN.SUCCEED) {
    yield acquire(pmdLock); // 12
    attachTable(m, a);
    yield release(pmdLock);
  }
  return result;
}

/** Step 11: takes the window's pages under the lock of the attempt's table. */
function* isolateTable(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m } = ctx;
  const a = cc.attempt;
  const pteLock = m.locks.pteLock.ref(a.table);
  yield acquire(pteLock);
  const result = collapseHugePageIsolate(ctx, cc);
  yield spend(a.folios * m.costs.isolatePage);
  yield release(pteLock);
  return result;
}

/** The defect B14: references are counted in the table while it is still in the PMD. Locks as in `isolateDetached`. */
function* isolateAttached(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  cc.attempt.table = pmdTable(ctx.m.directory.entry[cc.attempt.pmd]);
  return yield* isolateTable(ctx, cc);
}

/** Steps 14 to 17. W and VMA throughout, for a small window the anon_vma too. The PMD has an entry again afterwards. */
function* copyAndInstall(ctx: CollapseContext, a: CollapseAttempt): Procedure<ScanResult> {
  const { m, generation } = ctx;
  const pmdLock = m.locks.pmdLock.ref(directoryOf(m, a.pmd));
  const pteLock = m.locks.pteLock.ref(a.table);
  const copied = copyContents(m, a); // 14
  yield spend(copyCost(m, a, copied));
  if (copied < a.pages) {
    yield acquire(pmdLock);
    attachTable(m, a);
    yield release(pmdLock);
    yield acquire(pteLock);
    releaseIsolated(m, a);
    yield release(pteLock);
    return SCAN.COPY_MC;
  }
  yield acquire(pteLock);
  unmapSources(m, a);
  yield release(pteLock);
  yield preempt(COLLAPSE_POINT.copied);
  yield acquire(pmdLock); // 16
  if (a.order === m.pmdOrder) installPmd(m, a);
  else {
    // v12 to v18 wrote the entries while the PMD was still empty (the defect B8).
    if (generation.pmdReinstallBeforePtes) attachTable(m, a);
    yield acquire(pteLock);
    installPtes(m, generation, a);
    ctx.recorder?.entriesSet?.(a.mm, a.page, a.order);
    yield release(pteLock);
    if (!generation.pmdReinstallBeforePtes) attachTable(m, a);
  }
  yield release(pmdLock);
  return SCAN.SUCCEED;
}
