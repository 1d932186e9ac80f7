import type { Initiator } from '../limits.js';
import { type OrderSet, orderBit, orderRange } from '../orders.js';
import { devV1 } from './dev-v1.js';
import { devV2 } from './dev-v2.js';
import type { Generation } from './generation.js';
import { hintsRfc } from './hints-rfc.js';
import { legacy613 } from './legacy-6-13.js';
import { legacy618 } from './legacy-6-18.js';
import { madviseMthp } from './madvise-mthp.js';
import { merged } from './merged.js';
import { rfcV1 } from './rfc-v1.js';
import { rfcV2 } from './rfc-v2.js';
import { v4 } from './v4.js';
import { v12 } from './v12.js';
import { v15 } from './v15.js';
import { v17 } from './v17.js';
import { v18 } from './v18.js';

/** Every generation this package can run, oldest first; what is not merged comes last. */
export const GENERATIONS: readonly Generation[] = [
  legacy613,
  devV1,
  rfcV1,
  rfcV2,
  devV2,
  v4,
  v12,
  legacy618,
  v15,
  v17,
  v18,
  merged,
  hintsRfc,
  madviseMthp,
];

/**
 * The generation with this profile name.
 *
 * @throws RangeError when there is none; the message lists the known names.
 */
export function generationByName(name: string): Generation {
  const found = GENERATIONS.find((generation) => generation.name === name);
  if (found !== undefined) return found;
  throw new RangeError(`no generation ${JSON.stringify(name)}; known: ${GENERATIONS.map((g) => g.name).join(', ')}`);
}

/**
 * Orders that this generation requests for an anonymous VMA before sysfs and the VMA narrow them down
 * (khugepaged spec 4.1, `collapse_possible_orders`). MADV_COLLAPSE that goes down the enabled orders asks for those once
 * the PMD order has failed.
 */
export function requestedOrders(generation: Generation, pmdOrder: number, initiator: Initiator): OrderSet {
  const pmdOnly = generation.minOrder === 'pmd' || (initiator === 'madvise' && generation.madviseOrders !== 'allAnon');
  return pmdOnly ? orderBit(pmdOrder) : orderRange(generation.minOrder as number, pmdOrder);
}
