import { shiftedChunks } from '../chunks.js';
import type { Generation } from '../generations/generation.js';
import { isStrictNoneSetting, type LimitContext } from '../limits.js';
import { type OrderSet, orderBit, ordersBelow, ordersOf } from '../orders.js';

/**
 * What a walk needs to know per order, computed once from the settings: the inner loop only compares.
 */
export interface Requirements {
  /** Occupied bits that a window of each order needs; at most 0 means that every window is eligible. */
  readonly required: Int32Array;
  /** Orders at which the limit is refused: considering one ends the walk (v15, v17). */
  readonly refused: OrderSet;
  /** Orders whose consideration triggers the once-per-boot warning. */
  readonly warns: OrderSet;
}

/**
 * Required occupancy = 2^order - limit, per enabled order (khugepaged spec 9 step 2).
 *
 * @param alwaysOrders orders whose own `enabled` file says `always`.
 * @param context `uffdArmed` is what the generation's walk gets to know, not what is true of the VMA.
 */
export function walkRequirements(
  generation: Generation,
  enabledOrders: OrderSet,
  alwaysOrders: OrderSet,
  context: LimitContext,
): Requirements {
  if (generation.chunkOrder > 0) return chunkRequirements(generation, enabledOrders, alwaysOrders, context);
  const required = new Int32Array(context.pmdOrder + 1);
  let refused = 0;
  for (const order of ordersOf(enabledOrders)) {
    const limit = generation.noneLimit(order, context);
    if (limit === 'refused') refused |= orderBit(order);
    else required[order] = (1 << order) - limit;
  }
  return { required, refused, warns: warningOrders(generation, enabledOrders, context) };
}

/** Required chunks: as the generation's rule says, or any at all (khugepaged spec 15.2, 15.3). */
function chunkRequirements(
  { chunkOrder, greedyAlways, pmdOnlyUnconditional, requiredChunks = shiftedChunks }: Generation,
  enabledOrders: OrderSet,
  alwaysOrders: OrderSet,
  context: LimitContext,
): Requirements {
  const required = new Int32Array(context.pmdOrder + 1);
  const unconditional = pmdOnlyUnconditional && enabledOrders === orderBit(context.pmdOrder);
  for (const order of ordersOf(enabledOrders)) {
    const greedy = greedyAlways && (alwaysOrders & orderBit(order)) !== 0;
    if (!greedy && !unconditional) required[order] = requiredChunks(order, chunkOrder, context);
  }
  return { required, refused: 0, warns: 0 };
}

function warningOrders(generation: Generation, enabledOrders: OrderSet, context: LimitContext): OrderSet {
  const silent =
    !generation.warnsOnOtherNone ||
    context.uffdArmed ||
    context.initiator === 'madvise' ||
    isStrictNoneSetting(context);
  return silent ? 0 : ordersBelow(enabledOrders, context.pmdOrder);
}
