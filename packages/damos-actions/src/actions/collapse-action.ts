/**
 * The collapse action with a `target_order` (DAMON spec 4.3, 4.4). Without one it is plain MADV_COLLAPSE, all or nothing;
 * with one, each chunk of that order counts by itself.
 */
import {
  findTable,
  folioHead,
  folioOrder,
  lruAddDrainAll,
  type MmId,
  mmapReadLock,
  mmapReadUnlock,
  mmgetNotZero,
  mmput,
  NO_FRAME,
  ptePfn,
  slotOf,
  TVA,
  type Vpn,
  vmaAt,
  vmaSuitableOrder,
  ZERO_FRAME,
} from '@thplab/mm-model';
import {
  type CollapseContext,
  type CollapseControl,
  collapseHugePage,
  collapsePossible,
  collapseSinglePmd,
  madviseControl,
  madviseCounts,
} from '@thplab/mthp-collapse';
import type { Procedure } from '@thplab/sync';
import type { Damon } from '../damon.js';
import { blocksTouched } from './blocks.js';
import { type ActionOutcome, NOTHING_DONE } from './outcome.js';

/**
 * Collapses every chunk of 2^order pages that the region touches. Chunks that succeed, or are such folios already, count
 * in full; all count as passed.
 */
export function* collapseToOrder(d: Damon, target: number, region: number, order: number): Procedure<ActionOutcome> {
  const { m, collapse: ctx } = d;
  const pageSize = 2 ** m.geometry.pageShift;
  const mm = d.t.damonTarget.mm[target] as MmId;
  if (ctx === undefined || !mmgetNotZero(m, mm)) return NOTHING_DONE;
  const control = madviseControl(ctx);
  const { start, end } = d.t.damonRegion;
  const chunkSize = 2 ** order * pageSize;
  yield* lruAddDrainAll(m);
  let applied = 0;
  let passed = 0;
  for (const chunk of blocksTouched(start[region], end[region], chunkSize)) {
    const page = (chunk / pageSize) as Vpn;
    const done =
      order === m.pmdOrder ? collapsePmd(ctx, control, mm, page) : collapseWindow(ctx, control, mm, page, order);
    if (yield* done) applied += chunkSize;
    passed += chunkSize;
  }
  yield* mmput(m, mm);
  return { applied, passed };
}

/** One PMD range, as the wrapper of RFC v2 does it: max_ptes_none does not count. */
function* collapsePmd(ctx: CollapseContext, cc: CollapseControl, mm: MmId, page: Vpn): Procedure<boolean> {
  const { m } = ctx;
  yield* mmapReadLock(m, mm);
  const vma = vmaAt(m, mm, page);
  if (vma === 0 || !vmaSuitableOrder(m, vma, page, m.pmdOrder) || !collapsePossible(ctx, vma, TVA.forcedCollapse)) {
    yield* mmapReadUnlock(m, mm);
    return false;
  }
  const { result, lockDropped } = yield* collapseSinglePmd(ctx, cc, vma, page);
  if (!lockDropped) yield* mmapReadUnlock(m, mm);
  return madviseCounts(result);
}

/**
 * One window below the PMD order, through the attempt that khugepaged makes. A window in which nothing is mapped is left
 * alone; one that a folio of the order or above maps is done already.
 */
function* collapseWindow(
  ctx: CollapseContext,
  cc: CollapseControl,
  mm: MmId,
  page: Vpn,
  order: number,
): Procedure<boolean> {
  const { m } = ctx;
  yield* mmapReadLock(m, mm);
  const state = windowState(ctx, mm, page, order);
  yield* mmapReadUnlock(m, mm);
  if (state !== 'small') return state === 'done';
  const slot = slotOf(m, page);
  cc.scan.reset();
  cc.attempt.aim(mm, (page - slot) as Vpn, slot, order);
  cc.attempt.unmapped = 0;
  cc.attempt.referenced = 0;
  cc.attempt.uffdAtScan = false;
  cc.lockDropped = true;
  return madviseCounts(yield* collapseHugePage(ctx, cc));
}

/** What a window holds: folios of the order, smaller pages, or nothing that could be collapsed. */
function windowState({ m }: CollapseContext, mm: MmId, page: Vpn, order: number): 'done' | 'small' | 'none' {
  if (vmaAt(m, mm, page) === 0) return 'none';
  const table = findTable(m, mm, page);
  if (table === 0) return 'none';
  let mapped = 0;
  let large = 0;
  for (let i = 0; i < 2 ** order; i++) {
    const pfn = ptePfn(m, table, slotOf(m, page) + i);
    if (pfn <= ZERO_FRAME || pfn === NO_FRAME) continue;
    mapped++;
    if (folioOrder(m, folioHead(m, pfn)) >= order) large++;
  }
  if (mapped === 0) return 'none';
  return large === 2 ** order ? 'done' : 'small';
}
