import {
  findVma,
  type Machine,
  MMF,
  type MmId,
  mmIsExiting,
  thpVmaAllowableOrders,
  VMA_KIND,
  type VmaId,
  type Vpn,
  vmaSuitableOrder,
} from '@thplab/mm-model';
import type { CollapseContext } from '../collapse-context.js';
import type { CollapseControl } from '../collapse-control.js';
import { MIN_MTHP_ORDER, orderBit, orderRange } from '../orders.js';
import { SCAN, type ScanResult } from '../results.js';

/** The mm is on its way out or has huge pages switched off (`hpage_collapse_test_exit_or_disable`, khugepaged spec 2.5). */
export function testExitOrDisable(m: Machine, mm: MmId): boolean {
  return mmIsExiting(m, mm) || (m.mm.flags[mm] & MMF.DISABLE_THP_COMPLETELY) !== 0;
}

/** VMA found by the last `hugepageVmaRevalidate`; good only while mmap_lock is held. */
export interface Revalidated {
  vma: VmaId;
}

/**
 * Looks again whether the window may be collapsed, after mmap_lock was not held for a while
 * (`hugepage_vma_revalidate`, khugepaged spec 11.2). mmap_lock is held, and stays so. The whole PMD range must lie in the
 * VMA even for a smaller window, since that VMA is the only one that gets locked. On success `found.vma` is set.
 *
 * @param asked `anyOrder`: the VMA must allow some order, for whoever has not chosen one yet
 */
export function hugepageVmaRevalidate(
  ctx: CollapseContext,
  cc: CollapseControl,
  target: { readonly mm: MmId; readonly page: Vpn; readonly order: number; readonly expectAnon: boolean },
  found: Revalidated,
  asked: 'thisOrder' | 'anyOrder' = 'thisOrder',
): ScanResult {
  const { m } = ctx;
  const { mm, page, order } = target;
  if (testExitOrDisable(m, mm)) return SCAN.ANY_PROCESS;
  const vma = findVma(m, mm, page);
  if (vma === 0) return SCAN.VMA_NULL;
  if (!vmaSuitableOrder(m, vma, page, m.pmdOrder)) return SCAN.ADDRESS_RANGE;
  const orders = asked === 'thisOrder' ? orderBit(order) : orderRange(MIN_MTHP_ORDER, m.pmdOrder);
  if (thpVmaAllowableOrders(m, vma, cc.tva, orders) === 0) return SCAN.VMA_CHECK;
  if (target.expectAnon && (m.vma.anonVma[vma] === 0 || m.vma.kind[vma] !== VMA_KIND.anon)) return SCAN.PAGE_ANON;
  found.vma = vma;
  return SCAN.SUCCEED;
}
