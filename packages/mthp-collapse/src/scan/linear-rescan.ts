/**
 * One PMD range as Dev Jain's proposals deal with it (khugepaged spec 15.4): no bitmap, each window is scanned by itself, under
 * limits of its own, and attempted at once. mmap_lock is dropped by an attempt and taken again for the next scan.
 */
import {
  findPmd,
  folioPages,
  type Machine,
  type MmId,
  mmapReadLock,
  mmapReadUnlock,
  type Pfn,
  pmdTable,
  pteOffsetMapLock,
  VM_UFFD,
  type VmaId,
  type Vpn,
} from '@thplab/mm-model';
import { type Procedure, release, spend } from '@thplab/sync';
import { occupancyCount } from '../bitmap.js';
import { LinearSteps } from '../choice/linear-steps.js';
import { NO_WINDOW, type Window, windowOffset, windowOrder } from '../choice/window.js';
import { type CollapseContext, readPtesSettings } from '../collapse-context.js';
import type { CollapseControl } from '../collapse-control.js';
import { collapseHugePage } from '../collapse-huge-page.js';
import { traceScanPmd, traceWindow } from '../collapse-trace.js';
import { KernelOopsError } from '../errors.js';
import type { LimitContext } from '../limits.js';
import { type OrderSet, orderBit, ordersOf } from '../orders.js';
import { hugepageVmaRevalidate } from '../passes/revalidate.js';
import { checkPmdState, noTable } from '../pmd-state.js';
import { collapsePossibleOrders } from '../possible-orders.js';
import { SCAN, type ScanResult } from '../results.js';
import type { ScanPmdOutcome } from './collapse-scan-pmd.js';
import { countExceeded } from './count-exceeded.js';
import { scanWindow } from './scan-entry-by-entry.js';

/** One range on its way. */
interface Rescan {
  readonly mm: MmId;
  /** First page of the range. */
  readonly page: Vpn;
  /** As of the last time that mmap_lock was taken. */
  vma: VmaId;
  result: ScanResult;
  windows: number;
  /** There was a table to scan. */
  scanned: boolean;
}

/**
 * Scans and collapses window by window. mmap_lock is held for reading at entry; at exit too unless `cc.lockDropped` was set:
 * it is kept only if the VMA is still the one that the caller knows. The result is that of the last scan or attempt.
 */
export function* rescanLinearly(
  ctx: CollapseContext,
  cc: CollapseControl,
  vma: VmaId,
  page: Vpn,
): Procedure<ScanPmdOutcome> {
  const mm = ctx.m.vma.mm[vma] as MmId;
  const run: Rescan = { mm, page, vma, result: SCAN.FAIL, windows: 0, scanned: false };
  const steps = new LinearSteps(ordersToTry(ctx, cc, vma), ctx.m.pmdOrder);
  for (let w = steps.window; w !== NO_WINDOW; w = steps.window) {
    if (cc.lockDropped && !(yield* takeLockAgain(ctx, cc, run))) break;
    run.result = yield* scanOne(ctx, cc, run, w);
    if (run.result === SCAN.PTE_MAPPED) steps.moveTo(behindFolio(ctx.m, cc, windowOffset(w)));
    else if (run.result !== SCAN.SUCCEED) steps.failed();
    else {
      run.result = yield* attemptOne(ctx, cc, run, w);
      steps.attempted(run.result === SCAN.SUCCEED);
    }
  }
  if (!cc.lockDropped && run.vma !== vma) {
    yield* mmapReadUnlock(ctx.m, mm);
    cc.lockDropped = true;
  }
  if (run.scanned) traceScanPmd(ctx, cc, mm, run.result);
  return { result: run.result, windows: run.windows };
}

/** The orders that sysfs and the VMA allow, without those at which max_ptes_none has no meaning (v2's strict policy). */
function ordersToTry(ctx: CollapseContext, cc: CollapseControl, vma: VmaId): OrderSet {
  const { generation } = ctx;
  const limits = limitsFor(ctx, cc, vma);
  const possible = collapsePossibleOrders(ctx, vma, cc.tva);
  const refused = ordersOf(possible).filter((order) => generation.noneLimit(order, limits) === 'refused');
  return refused.reduce((orders, order) => orders & ~orderBit(order), possible);
}

function limitsFor({ m }: CollapseContext, cc: CollapseControl, vma: VmaId): LimitContext {
  const uffdArmed = (m.vma.flags[vma] & VM_UFFD) !== 0;
  return { pmdOrder: m.pmdOrder, settings: readPtesSettings(m), initiator: cc.initiator, uffdArmed };
}

/**
 * mmap_lock for the next scan. As posted the VMA of before was used again unseen (the defect B6); here it is looked up, and the
 * range ends if it does not allow a collapse any more. True: it goes on.
 */
function* takeLockAgain(ctx: CollapseContext, cc: CollapseControl, run: Rescan): Procedure<boolean> {
  const { m } = ctx;
  yield* mmapReadLock(m, run.mm);
  cc.lockDropped = false;
  if (ctx.generation.reusesVmaAfterRelock === true) {
    if (m.vma.pool.isLive(run.vma)) return true;
    throw new KernelOopsError(`a second scan uses VMA ${run.vma} after it was freed (khugepaged spec 19, B6)`);
  }
  const target = { mm: run.mm, page: run.page, order: m.pmdOrder, expectAnon: true };
  const gone = hugepageVmaRevalidate(ctx, cc, target, run, 'anyOrder');
  if (gone === SCAN.SUCCEED) return true;
  run.result = gone;
  yield* mmapReadUnlock(m, run.mm);
  cc.lockDropped = true;
  return false;
}

/** Step 2: the limits of the order, the table, the entries of the window. mmap_lock is held throughout. */
function* scanOne(ctx: CollapseContext, cc: CollapseControl, run: Rescan, w: Window): Procedure<ScanResult> {
  const { m, generation } = ctx;
  const pmd = findPmd(m, run.mm, run.page);
  const state = checkPmdState(m, generation, pmd);
  if (state !== SCAN.SUCCEED) return state;
  cc.scan.reset();
  cc.scan.allowWindow(ctx, run.vma, windowOrder(w), readPtesSettings(m));
  const table = pmdTable(m.directory.entry[pmd]);
  if (!(yield* pteOffsetMapLock(m, run.mm, table, run.page))) return noTable(generation);
  run.scanned = true;
  const result = scanWindow(m, table, windowOffset(w), windowOrder(w), cc.scan);
  yield spend(cc.scan.scanned * m.costs.scanPte);
  yield release(m.locks.pteLock.ref(table));
  countExceeded(ctx, result);
  ctx.recorder?.scanned?.(run.mm, run.page, result, cc.scan);
  return result;
}

/** Step 3: mmap_lock is held for reading at entry, and dropped. */
function* attemptOne(ctx: CollapseContext, cc: CollapseControl, run: Rescan, w: Window): Procedure<ScanResult> {
  const a = cc.attempt;
  const order = windowOrder(w);
  a.aim(run.mm, run.page, windowOffset(w), order);
  a.unmapped = cc.scan.unmapped;
  a.referenced = cc.scan.referenced;
  const limits = limitsFor(ctx, cc, run.vma);
  a.uffdAtScan = limits.uffdArmed;
  const result: ScanResult = yield* collapseHugePage(ctx, cc);
  if (result === SCAN.SUCCEED) run.windows++;
  ctx.recorder?.attempted?.(run.mm, a.page, order, result, a.none);
  if (ctx.tracer.enabled) {
    const limit = ctx.generation.noneLimit(order, limits);
    traceWindow(ctx, a, occupancyCount(cc.scan.bitmap), limit === 'refused' ? 0 : limit, result);
  }
  return result;
}

/** Step 6: as far on from the entry that met the folio as the folio is large, also if that entry is not its first. */
function behindFolio(m: Machine, cc: CollapseControl, offset: number): number {
  const entry = offset + cc.scan.scanned - 1;
  return entry + folioPages(m, cc.scan.scanPfn as Pfn);
}
