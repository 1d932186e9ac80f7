import { countMthpStat, countVmEvent } from '@thplab/mm-model';
import type { CollapseContext } from '../collapse-context.js';
import { SCAN, type ScanResult } from '../results.js';

/** A limit was passed: the vm event, and since v15 the statistic of the PMD order (khugepaged spec 14.2, 23.2). */
export function countExceeded(ctx: CollapseContext, result: ScanResult): void {
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
