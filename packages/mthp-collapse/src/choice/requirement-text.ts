/** The rule behind a number, in words: why a window of this order needs so many occupied entries (khugepaged spec 8, 15). */
import { percentOfChunks } from '../chunks.js';
import type { Generation } from '../generations/generation.js';
import {
  allOrNothingNoneLimit,
  bestEffortNoneLimit,
  cappedScaledNoneLimit,
  fullnessPercent,
  isStrictNoneSetting,
  type Limit,
  type LimitContext,
  maxPtesCeiling,
  type NoneLimitRule,
  percentNoneLimit,
  plainNoneLimit,
  scaledNoneLimit,
  strictBeforeUffdNoneLimit,
  strictNoneLimit,
  strictScaledNoneLimit,
} from '../limits.js';
import { type OrderSet, orderBit } from '../orders.js';
import { walkRequirements } from './requirements.js';

/** What is asked of a window of one order, and why. */
export interface Requirement {
  /** What is counted: entries that hold a page, or chunks of entries. */
  readonly unit: 'entries' | 'chunks';
  /** How many are needed, at least 0; null: the setting is refused and the table is left. */
  readonly needed: number | null;
  /** How many there are at most. */
  readonly of: number;
  /** The rule with its numbers put in, such as `min(511, 255) >> (9 - 4) = 15 may be empty`. */
  readonly text: string;
}

/** What the walk of a generation asks of a window of `order`. */
export function requirementOf(
  generation: Generation,
  order: number,
  enabledOrders: OrderSet,
  alwaysOrders: OrderSet,
  context: LimitContext,
): Requirement {
  const { required, refused } = walkRequirements(generation, enabledOrders | orderBit(order), alwaysOrders, context);
  const isRefused = (refused & orderBit(order)) !== 0;
  const needed = isRefused ? null : Math.max(0, required[order] ?? 0);
  const { chunkOrder } = generation;
  if (chunkOrder === 0)
    return { unit: 'entries', needed, of: 1 << order, text: noneLimitText(generation, order, context) };
  const isGreedy = generation.greedyAlways && (alwaysOrders & orderBit(order)) !== 0;
  const text = isGreedy ? 'an order that is set to always is tried in any case' : chunkText(generation, order, context);
  return { unit: 'chunks', needed, of: 1 << (order - chunkOrder), text };
}

function chunkText(generation: Generation, order: number, context: LimitContext): string {
  const { chunkOrder, requiredChunks, pmdOnlyUnconditional } = generation;
  const chunks = 1 << (order - chunkOrder);
  const ceiling = maxPtesCeiling(context.pmdOrder);
  const none = context.settings.maxPtesNone;
  if (requiredChunks === percentOfChunks) {
    const needed = percentOfChunks(order, chunkOrder, context);
    return `${fullnessPercent(context)} % of ${chunks} chunks, rounded down, is ${needed}`;
  }
  if (requiredChunks !== undefined) return `${requiredChunks(order, chunkOrder, context)} of ${chunks} chunks`;
  const alone = pmdOnlyUnconditional && order === context.pmdOrder ? ', if it is not the only one' : '';
  const shift = context.pmdOrder - (order - chunkOrder);
  return `more than (${ceiling} - ${none}) >> ${shift} = ${(ceiling - none) >> shift} chunks${alone}`;
}

/** How the limit of empty entries comes about, for generations that count entries. */
export function noneLimitText(generation: Generation, order: number, context: LimitContext): string {
  const limit = generation.noneLimit(order, context);
  if (context.uffdArmed && limit === 0) return 'userfaultfd watches the VMA: none may be empty';
  const text = TEXTS.get(generation.noneLimit)?.(order, context, limit);
  return text ?? (limit === 'refused' ? 'the setting is refused' : `${limit} may be empty`);
}

type LimitText = (order: number, context: LimitContext, limit: Limit) => string;

const setting = ({ settings }: LimitContext): string => `max_ptes_none ${settings.maxPtesNone}`;
const ceilingOf = ({ pmdOrder }: LimitContext): number => maxPtesCeiling(pmdOrder);

const allOrNothing: LimitText = (order, context, limit) => {
  if (limit === 'refused') return `${setting(context)} is neither 0 nor ${ceilingOf(context)}: the table is left`;
  if (context.initiator === 'madvise') return `MADV_COLLAPSE: ${limit} may be empty`;
  if (order === context.pmdOrder || isStrictNoneSetting(context)) return `${setting(context)}: ${limit} may be empty`;
  return `${setting(context)} is neither 0 nor ${ceilingOf(context)} and counts as 0 below the PMD order: none may be empty`;
};

const scaled: LimitText = (order, context, limit) => {
  if (limit === 'refused') return `${setting(context)} is neither 0 nor ${ceilingOf(context)}: no mTHP`;
  if (context.initiator === 'madvise' || order === context.pmdOrder) return allOrNothing(order, context, limit);
  return `${context.settings.maxPtesNone} >> (${context.pmdOrder} - ${order}) = ${limit} may be empty`;
};

const TEXTS: ReadonlyMap<NoneLimitRule, LimitText> = new Map<NoneLimitRule, LimitText>([
  [allOrNothingNoneLimit, allOrNothing],
  [bestEffortNoneLimit, allOrNothing],
  [strictNoneLimit, allOrNothing],
  [strictBeforeUffdNoneLimit, allOrNothing],
  [plainNoneLimit, (_order, context, limit) => allOrNothing(context.pmdOrder, context, limit)],
  [scaledNoneLimit, scaled],
  [strictScaledNoneLimit, scaled],
  [
    cappedScaledNoneLimit,
    (order, context, limit) => {
      if (context.initiator === 'madvise' || order === context.pmdOrder) return allOrNothing(order, context, limit);
      const { pmdOrder, settings } = context;
      return `min(${settings.maxPtesNone}, ${(1 << (pmdOrder - 1)) - 1}) >> (${pmdOrder} - ${order}) = ${limit} may be empty`;
    },
  ],
  [
    percentNoneLimit,
    (order, context, limit) => {
      if (context.initiator === 'madvise' || order === context.pmdOrder) return allOrNothing(order, context, limit);
      return `${fullnessPercent(context)} % of ${1 << order} must be present: ${limit} may be empty`;
    },
  ],
]);
