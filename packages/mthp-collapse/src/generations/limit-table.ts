import type { Limit, LimitContext } from '../limits.js';
import { ordersOf } from '../orders.js';
import type { Generation } from './generation.js';
import { requestedOrders } from './index.js';

/** The three limits of one order, in entries. */
export interface OrderLimits {
  readonly order: number;
  /** Empty and zero-page entries; `refused` where the setting has no meaning at this order. */
  readonly none: Limit;
  readonly swap: number;
  readonly shared: number;
}

/**
 * The limits of every order that the generation's initiator asks for, largest order first: the table of khugepaged
 * spec 8 for any generation, geometry and setting.
 */
export function maxPtesLimits(generation: Generation, context: LimitContext): OrderLimits[] {
  return ordersOf(requestedOrders(generation, context.pmdOrder, context.initiator)).map((order) => ({
    order,
    none: generation.noneLimit(order, context),
    swap: generation.swapLimit(order, context),
    shared: generation.sharedLimit(order, context),
  }));
}
