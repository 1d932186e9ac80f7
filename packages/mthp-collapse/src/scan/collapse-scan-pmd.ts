import {
  countMthpStat,
  countVmEvent,
  findPmd,
  type MmId,
  mmapReadUnlock,
  pmdTable,
  pteOffsetMapLock,
  VM_UFFD,
  type VmaId,
  type Vpn,
} from '@thplab/mm-model';
import { type Procedure, preempt, release, spend } from '@thplab/sync';
import { type CollapseContext, readPtesSettings } from '../collapse-context.js';
import type { CollapseControl } from '../collapse-control.js';
import { COLLAPSE_POINT } from '../collapse-points.js';
import { traceScanPmd } from '../collapse-trace.js';
import { mthpCollapse } from '../mthp-collapse.js';
import { checkPmdState, noTable } from '../pmd-state.js';
import { collapsePossibleOrders } from '../possible-orders.js';
import { SCAN, type ScanResult } from '../results.js';
import { scanPlanes } from './scan-planes.js';

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
  const mm = m.vma.mm[vma] as MmId;
  const pmd = findPmd(m, mm, page);
  const state = checkPmdState(m, generation, pmd);
  if (state !== SCAN.SUCCEED) {
    cc.progress++;
    return { result: state, windows: 0 };
  }
  const enabledOrders = collapsePossibleOrders(ctx, vma, cc.tva);
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
  cc.progress += cc.scan.scanned;
  yield spend(cc.scan.scanned * m.costs.scanPte);
  yield release(m.locks.pteLock.ref(table));
  countExceeded(ctx, result);
  ctx.recorder?.scanned?.(mm, page, result, cc.scan);
  if (result !== SCAN.SUCCEED) {
    traceScanPmd(ctx, cc, mm, result);
    return { result, windows: 0 };
  }
  if (generation.lockContract === 'enterUnlocked') {
    yield* mmapReadUnlock(m, mm);
    cc.lockDropped = true;
    yield preempt(COLLAPSE_POINT.afterScan);
  }
  const outcome = yield* mthpCollapse(ctx, cc, { mm, page, enabledOrders, uffdArmed, vma });
  traceScanPmd(ctx, cc, mm, outcome.result);
  return outcome;
}

/** A limit was passed: the vm event, and since v15 the statistic of the PMD order (khugepaged spec 14.2, 23.2). */
function countExceeded(ctx: CollapseContext, result: ScanResult): void {
  const { m, generation } = ctx;
  const perOrder = generation.perOrderStats === 'attemptAndScan';
  if (result === SCAN.EXCEED_NONE_PTE) {
    countVmEvent(m, 'thp_scan_exceed_none_pte');
    if (perOrder) countMthpStat(m, m.pmdOrder, 'collapse_exceed_none_pte');
  } else if (result === SCAN.EXCEED_SWAP_PTE) {
    countVmEvent(m, 'thp_scan_exceed_swap_pte');
    if (perOrder) countMthpStat(m, m.pmdOrder, 'collapse_exceed_swap_pte');
  } else if (result === SCAN.EXCEED_SHARED_PTE) {
    countVmEvent(m, 'thp_scan_exceed_share_pte');
    if (perOrder) countMthpStat(m, m.pmdOrder, 'collapse_exceed_shared_pte');
  }
}
