import {
  findPmd,
  type Machine,
  type MmId,
  mmapReadUnlock,
  pmdTable,
  pteOffsetMapLock,
  type TableId,
  TVA,
  VM_UFFD,
  type VmaId,
  type Vpn,
} from '@thplab/mm-model';
import { type Procedure, preempt, release, spend } from '@thplab/sync';
import { type CollapseContext, readPtesSettings } from '../collapse-context.js';
import type { CollapseControl } from '../collapse-control.js';
import { COLLAPSE_POINT } from '../collapse-points.js';
import { traceScanPmd } from '../collapse-trace.js';
import type { Generation } from '../generations/generation.js';
import { mthpCollapse } from '../mthp-collapse.js';
import { type OrderSet, ordersBelow } from '../orders.js';
import { checkPmdState, noTable } from '../pmd-state.js';
import { collapsePossibleOrders } from '../possible-orders.js';
import { SCAN, type ScanResult } from '../results.js';
import { countExceeded } from './count-exceeded.js';
import { rescanLinearly } from './linear-rescan.js';
import { scanPlanes } from './scan-planes.js';
import type { TableScan } from './table-scan.js';

/** What became of one PMD range. */
export interface ScanPmdOutcome {
  readonly result: ScanResult;
  /** Windows that were collapsed. */
  readonly windows: number;
}

/**
 * Scans the page table of one PMD range and collapses what it allows (`collapse_scan_pmd`, khugepaged spec 7.1). mmap_lock
 * is held for reading at entry; at exit too unless `cc.lockDropped` was set. Progress is charged per entry looked at; a
 * generation that charges whole ranges does so in collapse-single-pmd.ts.
 */
export function* collapseScanPmd(
  ctx: CollapseContext,
  cc: CollapseControl,
  vma: VmaId,
  page: Vpn,
): Procedure<ScanPmdOutcome> {
  const { m, generation } = ctx;
  if (generation.walk === 'linearRescan') return yield* rescanLinearly(ctx, cc, vma, page);
  const mm = m.vma.mm[vma] as MmId;
  const pmd = findPmd(m, mm, page);
  const state = checkPmdState(m, generation, pmd);
  if (state !== SCAN.SUCCEED) {
    cc.progress++;
    return { result: state, windows: 0 };
  }
  const enabledOrders = collapsePossibleOrders(ctx, vma, cc.tva);
  const below = ordersBelowForMadvise(ctx, cc, vma);
  const uffdArmed = (m.vma.flags[vma] & VM_UFFD) !== 0;
  cc.scan.reset();
  cc.scan.allow(ctx, vma, enabledOrders, readPtesSettings(m));
  const table = pmdTable(m.directory.entry[pmd]);
  if (!(yield* pteOffsetMapLock(m, mm, table, page))) {
    cc.progress++;
    return { result: noTable(generation), windows: 0 };
  }
  m.hooks.settleAccessRange(mm, page, (page + m.ptes) as Vpn);
  const result = scanPlanes(m, table, cc.scan);
  const goesDown = below !== 0 && result !== SCAN.SUCCEED && isAboutEntries(generation, result);
  if (goesDown) markMapped(m, table, cc.scan);
  cc.progress += cc.scan.scanned;
  yield spend(cc.scan.scanned * m.costs.scanPte);
  yield release(m.locks.pteLock.ref(table));
  countExceeded(ctx, result);
  ctx.recorder?.scanned?.(mm, page, result, cc.scan);
  if (result !== SCAN.SUCCEED && !goesDown) {
    traceScanPmd(ctx, cc, mm, result);
    return { result, windows: 0 };
  }
  if (generation.lockContract === 'enterUnlocked') {
    yield* mmapReadUnlock(m, mm);
    cc.lockDropped = true;
    yield preempt(COLLAPSE_POINT.afterScan);
  }
  const orders = goesDown ? below : enabledOrders | below;
  const outcome = yield* mthpCollapse(ctx, cc, { mm, page, enabledOrders: orders, uffdArmed, vma });
  // What was built on the way down helps, but it is not what was asked for.
  const answer = below === 0 ? outcome.result : goesDown ? result : outcome.pmdResult;
  traceScanPmd(ctx, cc, mm, answer);
  return { ...outcome, result: answer };
}

/** Orders that MADV_COLLAPSE goes down to where the PMD order fails; empty in all kernels there are. */
function ordersBelowForMadvise(ctx: CollapseContext, cc: CollapseControl, vma: VmaId): OrderSet {
  if (cc.isKhugepaged || ctx.generation.madviseOrders !== 'pmdThenEnabled') return 0;
  return ordersBelow(collapsePossibleOrders(ctx, vma, TVA.khugepaged), ctx.m.pmdOrder);
}

/**
 * MADV_COLLAPSE that goes down the enabled orders (a what-if policy of ours, khugepaged spec 13.3): what one entry kept from
 * becoming huge may still have smaller folios around that entry. So it takes every mapped page for a candidate; whether it can be
 * moved is found out when it is isolated.
 */
function markMapped(m: Machine, table: TableId, s: TableScan): void {
  const { present, zero } = m.pte;
  for (let w = 0; w < m.words; w++) s.bitmap[w] = present[table * m.words + w] & ~zero[table * m.words + w];
}

/** Results of a scan that speak of one entry, not of the table or the process. */
function isAboutEntries({ effects }: Generation, result: ScanResult): boolean {
  return effects[result] === 'retryLower' || result === SCAN.PAGE_LRU;
}
