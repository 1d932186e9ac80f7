/**
 * One attempt to collapse one window (`collapse_huge_page`, khugepaged spec 10). The steps are numbered as there, and each
 * function says which locks it is entered and left with; R and W stand for mmap_lock held for reading and writing.
 *
 * The attempt's record (`cc.attempt`) carries what the steps hand on; `aimAttempt` fills it in first.
 */
import {
  type AnonVmaId,
  anonVmaLock,
  findPmd,
  folioPut,
  mmapReadLock,
  mmapReadUnlock,
  mmapWriteLock,
  mmapWriteUnlock,
  type Pfn,
  PMD,
  pmdTable,
  pmdType,
  vmaStartWrite,
} from '@thplab/mm-model';
import { acquire, type Procedure, preempt, release, spend, WRITE } from '@thplab/sync';
import type { CollapseContext } from './collapse-context.js';
import type { CollapseControl } from './collapse-control.js';
import { COLLAPSE_POINT } from './collapse-points.js';
import { traceCollapse } from './collapse-trace.js';
import { allocChargeFolio } from './passes/alloc-charge.js';
import { collapseHugePageCopy } from './passes/copy.js';
import { installFolio } from './passes/install.js';
import { collapseHugePageIsolate } from './passes/isolate.js';
import { hugepageVmaRevalidate } from './passes/revalidate.js';
import { collapseHugePageSwapin } from './passes/swapin.js';
import { clearPmdAndFlush, reinstallPmd } from './passes/table-in-pmd.js';
import { checkPmdState, checkPmdStillValid, noTable } from './pmd-state.js';
import { SCAN, type ScanResult } from './results.js';

/**
 * Collapses the window that `cc.attempt` is aimed at. Entered without locks, or with mmap_lock held for reading if
 * `cc.lockDropped` is still false (generations whose lock contract is a flag); left without locks.
 */
export function* collapseHugePage(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m } = ctx;
  const a = cc.attempt;
  if (!cc.lockDropped) {
    yield* mmapReadUnlock(m, a.mm);
    cc.lockDropped = true;
  }
  const result = yield* attemptSteps(ctx, cc);
  // OUT0
  if (a.folio !== 0) {
    folioPut(m, a.folio);
    a.folio = 0 as Pfn;
  }
  if (a.anonVmaLock !== undefined) throw new Error('an attempt to collapse ended with the anon_vma lock held');
  traceCollapse(ctx, a, result === SCAN.SUCCEED, result);
  return result;
}

/** Steps 1 to OUT1. No locks at entry and exit. */
function* attemptSteps(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  let result = yield* allocChargeFolio(ctx, cc); // 1
  if (result !== SCAN.SUCCEED) return result;
  yield preempt(COLLAPSE_POINT.afterAlloc);
  result = yield* prepareUnderReadLock(ctx, cc);
  if (result !== SCAN.SUCCEED) return result;
  yield preempt(COLLAPSE_POINT.beforeWriteLock);
  yield* mmapWriteLock(ctx.m, cc.attempt.mm); // 5
  result = yield* collapseUnderWriteLock(ctx, cc);
  yield* mmapWriteUnlock(ctx.m, cc.attempt.mm); // OUT1
  return result;
}

/** Steps 2 to 4. No locks at entry and exit, R in between. */
function* prepareUnderReadLock(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m } = ctx;
  const a = cc.attempt;
  yield* mmapReadLock(m, a.mm); // 2
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
  yield* mmapReadUnlock(m, a.mm);
  return result;
}

/** Steps 6 to 16. W at entry and exit; the VMA's write lock ends with mmap_lock. */
function* collapseUnderWriteLock(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m, generation } = ctx;
  const a = cc.attempt;
  let result = hugepageVmaRevalidate(ctx, cc, a, a); // 6
  if (result !== SCAN.SUCCEED) return result;
  yield* vmaStartWrite(m, a.vma);
  result = checkPmdStillValid(m, generation, a.mm, a.page, a.pmd);
  if (result !== SCAN.SUCCEED) return result;
  yield preempt(COLLAPSE_POINT.afterVmaLock);
  a.anonVmaLock = anonVmaLock(m, m.vma.anonVma[a.vma] as AnonVmaId);
  yield acquire(a.anonVmaLock, WRITE); // 7
  result = yield* collapseUnderAnonVma(ctx, cc);
  yield* releaseAnonVma(cc);
  return result;
}

/** Steps 8 to 16. W and the anon_vma at entry; at exit W, and the anon_vma unless a step has given it back. */
function* collapseUnderAnonVma(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m, generation } = ctx;
  const a = cc.attempt;
  yield* clearPmdAndFlush(m, a); // 8 to 10
  yield preempt(COLLAPSE_POINT.pmdCleared);
  let result = yield* isolateUnderPteLock(ctx, cc); // 11
  if (result !== SCAN.SUCCEED) {
    yield* reinstallPmd(m, a); // 12
    return result;
  }
  yield preempt(COLLAPSE_POINT.isolated);
  // Neighbours of a small window are neither locked nor isolated: until the table is back, the reverse map must not look.
  if (a.order === m.pmdOrder || !generation.anonVmaHeldForMthp) yield* releaseAnonVma(cc); // 13
  result = yield* collapseHugePageCopy(ctx, cc); // 14, 15
  if (result !== SCAN.SUCCEED) return result;
  yield preempt(COLLAPSE_POINT.copied);
  yield* installFolio(ctx, cc); // 16, 17
  yield preempt(COLLAPSE_POINT.installed);
  return SCAN.SUCCEED;
}

/** Step 11. Locks as around it; the PTE lock in between. */
function* isolateUnderPteLock(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m } = ctx;
  const a = cc.attempt;
  if (pmdType(a.entry) !== PMD.table) return noTable(ctx.generation);
  a.table = pmdTable(a.entry);
  const lock = m.locks.pteLock.ref(a.table);
  yield acquire(lock);
  const result = collapseHugePageIsolate(ctx, cc);
  yield spend(a.pages * m.costs.isolatePage);
  yield release(lock);
  return result;
}

function* releaseAnonVma(cc: CollapseControl): Procedure<void> {
  const a = cc.attempt;
  if (a.anonVmaLock === undefined) return;
  yield release(a.anonVmaLock, WRITE);
  a.anonVmaLock = undefined;
}
