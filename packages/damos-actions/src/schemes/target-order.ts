/** `target_order` of a scheme: what can be written, and what becomes of it (DAMON spec 4.3). */
import { DamonError } from '../errors.js';
import type { DamonProfile } from '../profile.js';
import type { DamosActionName } from './scheme.js';

/** Order that split takes where the user gave none that it can use. */
const DEFAULT_SPLIT_ORDER = 2;

/** An order that the action can use, and what was wrong with the one given. */
export interface TargetOrder {
  readonly order: number;
  readonly warning?: string;
}

/** What the file takes: 0, or 2 to the PMD order. */
export function isTargetOrder(order: number, pmdOrder: number): boolean {
  return order === 0 || (Number.isInteger(order) && order >= 2 && order <= pmdOrder);
}

/** Refuses what the file does not take. Errors: DamonError EINVAL. */
export function validateTargetOrder(order: number, pmdOrder: number): void {
  if (isTargetOrder(order, pmdOrder)) return;
  throw new DamonError('EINVAL', `target_order ${order}: 0, or 2 to ${pmdOrder}`);
}

/** The order that an action works with, as set when the scheme is made. */
export function effectiveTargetOrder(
  action: DamosActionName,
  order: number,
  pmdOrder: number,
  profile: Pick<DamonProfile, 'collapseOrders' | 'splitZeroOrder' | 'name'>,
): TargetOrder {
  validateTargetOrder(order, pmdOrder);
  if (action === 'collapse' && order !== 0) {
    if (profile.collapseOrders === 'madvise') return { order };
    if (profile.collapseOrders === 'wrapper' && order === pmdOrder) return { order };
    return { order: 0, warning: `collapse takes no target_order ${order} in ${profile.name}: 0 is used` };
  }
  if (action !== 'split') return { order };
  if (order === 0 && profile.splitZeroOrder === 'basePages') return { order };
  if (order !== 0 && order < pmdOrder) return { order };
  return { order: DEFAULT_SPLIT_ORDER, warning: `split to order ${order}: ${DEFAULT_SPLIT_ORDER} is used` };
}
