import {
  allocFolio,
  chargeFolio,
  countMthpStat,
  countVmEvent,
  folioPut,
  GFP,
  type Gfp,
  type Machine,
  mmMemcg,
  setting,
} from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import type { CollapseContext } from '../collapse-context.js';
import type { CollapseControl } from '../collapse-control.js';
import { SCAN, type ScanResult } from '../results.js';
import { fallbackNodes, targetNode } from '../scan/table-scan.js';

/**
 * Allocates the new folio and charges it (`alloc_charge_folio`, khugepaged spec 11.1, 10 step 1b). No lock is held. On
 * success the attempt owns the folio; on failure it may, and gives it back at its end.
 */
export function* allocChargeFolio(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m, injections } = ctx;
  const a = cc.attempt;
  const { order, mm } = a;
  const nodes = fallbackNodes(cc.scan);
  const folio = yield* allocFolio(m, order, gfpMask(m, cc), targetNode(cc.scan), nodes);
  countAllocation(ctx, order, folio !== 0);
  if (folio === 0) return SCAN.ALLOC_HUGE_PAGE_FAIL;
  if (injections.chargeFails(mm, order)) {
    folioPut(m, folio);
    return SCAN.CGROUP_CHARGE_FAIL;
  }
  chargeFolio(m, folio, mmMemcg(m, mm));
  a.folio = folio;
  // Counted as allocated, yet reported as a failed allocation (khugepaged spec 23.9).
  if (ctx.generation.memcgDeferredList && injections.deferredListFails(mm, order)) return SCAN.ALLOC_HUGE_PAGE_FAIL;
  return SCAN.SUCCEED;
}

/** MADV_COLLAPSE always reclaims and compacts; khugepaged if khugepaged/defrag says so. */
function gfpMask(m: Machine, cc: CollapseControl): Gfp {
  return !cc.isKhugepaged || setting(m, 'khugepaged.defrag') !== 0 ? GFP.transhuge : GFP.transhugeLight;
}

function countAllocation(ctx: CollapseContext, order: number, done: boolean): void {
  const { m, generation } = ctx;
  if (order === m.pmdOrder) countVmEvent(m, done ? 'thp_collapse_alloc' : 'thp_collapse_alloc_failed');
  if (generation.perOrderStats !== 'none') {
    countMthpStat(m, order, done ? 'collapse_alloc' : 'collapse_alloc_failed');
  }
}
