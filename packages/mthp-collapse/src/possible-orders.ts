/**
 * Which orders a collapse may build in a VMA, and whether there is any work at all, for the context's generation
 * (khugepaged spec 4.1, 4.3).
 */
import { TVA, type TvaType, thpVmaAllowableOrders, VMA_KIND, type VmaId } from '@thplab/mm-model';
import { hugepageEnabled as hugepageEnabledBySysfs } from '@thplab/sysfs-schema';
import type { CollapseContext } from './collapse-context.js';
import { requestedOrders } from './generations/index.js';
import { type OrderSet, orderBit } from './orders.js';

/**
 * Orders at which a collapse of anonymous memory is possible in the VMA (`collapse_possible_orders`): for khugepaged
 * those of the generation, for MADV_COLLAPSE the PMD order (unless the generation has more), for other memory the PMD
 * order; of these, those that sysfs and the VMA allow now.
 *
 * @param flags VM_* bits to judge by, for callers that are about to change them; default the VMA's own.
 */
export function collapsePossibleOrders(ctx: CollapseContext, vma: VmaId, type: TvaType, flags?: number): OrderSet {
  const { m, generation } = ctx;
  if (m.vma.kind[vma] !== VMA_KIND.anon) return thpVmaAllowableOrders(m, vma, type, orderBit(m.pmdOrder), flags);
  // The defect B19: the types are compared by bit-and, and a forced collapse has khugepaged's bit too.
  const asKhugepaged = type === TVA.khugepaged || (generation.tvaBitTest && type === TVA.forcedCollapse);
  const requested = requestedOrders(generation, m.pmdOrder, asKhugepaged ? 'khugepaged' : 'madvise');
  return thpVmaAllowableOrders(m, vma, type, requested, flags);
}

/** Is a collapse possible in the VMA at all (`collapse_possible`)? */
export function collapsePossible(ctx: CollapseContext, vma: VmaId, type: TvaType, flags?: number): boolean {
  return collapsePossibleOrders(ctx, vma, type, flags) !== 0;
}

/** Does khugepaged have anything to do under the present settings (`hugepage_enabled`, khugepaged spec 4.3)? */
export function hugepageEnabled(ctx: CollapseContext): boolean {
  return hugepageEnabledBySysfs(ctx.profile, ctx.m.setting.value, ctx.m.geometry);
}
