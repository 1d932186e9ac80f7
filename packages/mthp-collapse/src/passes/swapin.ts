import { getBit } from '@thplab/arena';
import {
  countMthpStat,
  FAULT,
  lruAddDrainCpu,
  type MmId,
  mmapReadUnlock,
  pmdTable,
  pteBit,
  swapInForCollapse,
  type TableId,
  type Vpn,
} from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import type { CollapseContext } from '../collapse-context.js';
import type { CollapseControl } from '../collapse-control.js';
import { traceSwapin } from '../collapse-trace.js';
import { checkPmdStillValid, noTable } from '../pmd-state.js';
import { SCAN, type ScanResult } from '../results.js';
import { countsRefusedWindows } from './isolate.js';

/**
 * Brings the window's non-present entries back into memory (`__collapse_huge_page_swapin`, khugepaged spec 11.3). At entry
 * mmap_lock is held for reading. At exit it is still held if the result is SUCCEED, and not held for any other result:
 * the fault that asks for a retry has given it back itself (case B18), every other failure gives it back here.
 */
export function* collapseHugePageSwapin(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m } = ctx;
  const a = cc.attempt;
  let swappedIn = 0;
  let held = true;
  let result: ScanResult = SCAN.SUCCEED;
  for (let i = 0; i < a.pages && result === SCAN.SUCCEED; i++) {
    const table = currentTable(ctx, cc);
    if (table === 0) result = noTable(ctx.generation);
    else if (!getBit(m.pte.nonPresent, pteBit(m, table, a.slot + i))) continue;
    else if (a.order < m.pmdOrder && !ctx.generation.swapsInBelowPmd) result = refuseBelowPmdOrder(ctx, a.order);
    else {
      const fault = yield* swapInForCollapse(m, a.vma, table, (a.page + i) as Vpn);
      if (fault === FAULT.ok) swappedIn++;
      else if (fault === FAULT.retry) {
        held = ctx.generation.swapinUnlocksTwice === true;
        result = SCAN.PAGE_LOCK;
      } else result = SCAN.FAIL;
    }
  }
  if (result !== SCAN.SUCCEED && held) yield* mmapReadUnlock(m, a.mm as MmId);
  // The pages just read are in this processor's batch, where isolate would not find them on the LRU.
  if (result === SCAN.SUCCEED && swappedIn > 0) lruAddDrainCpu(m, m.current.cpu);
  traceSwapin(ctx, a, swappedIn, result);
  return result;
}

/** Bringing pages in would raise the occupancy of a small window by itself, and so let it creep (khugepaged spec 16). */
function refuseBelowPmdOrder(ctx: CollapseContext, order: number): ScanResult {
  if (countsRefusedWindows(ctx.generation)) countMthpStat(ctx.m, order, 'collapse_exceed_swap_pte');
  return SCAN.EXCEED_SWAP_PTE;
}

/** The table under the attempt's PMD, looked up anew after each fault; 0 if it has gone. */
function currentTable(ctx: CollapseContext, cc: CollapseControl): TableId | 0 {
  const { m, generation } = ctx;
  const { mm, page, pmd } = cc.attempt;
  if (checkPmdStillValid(m, generation, mm, page, pmd) !== SCAN.SUCCEED) return 0;
  return pmdTable(m.directory.entry[pmd]);
}
