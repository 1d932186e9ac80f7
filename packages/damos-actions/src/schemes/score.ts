/** How hot or cold a region is, for the order of merit under a quota (DAMON spec 3.6). */

import type { OperationsId } from '../access/access-checks.js';
import { divide, multiplyDivide } from '../arithmetic.js';
import { type Intervals, maxNrAccesses } from '../monitor/attributes.js';
import type { DamosActionName, QuotaWeights } from './scheme.js';

/** Highest score (DAMOS_MAX_SCORE). */
export const MAX_SCORE = 99;
const MAX_SUBSCORE = 100;
const MAX_AGE_IN_LOG = 32;

/** What the scores are made of. */
export interface Heat {
  readonly nrAccesses: number;
  readonly age: number;
}

/** Share of samples with an access, 0 to 100. */
export function frequencySubscore(nrAccesses: number, intervals: Intervals): number {
  return multiplyDivide(nrAccesses, MAX_SUBSCORE, Math.max(1, maxNrAccesses(intervals)));
}

/** The age as a number from 0 to 100: logarithmic in seconds, downwards for regions that nobody accesses. */
export function ageSubscore(age: number, frequency: number, intervals: Intervals): number {
  let seconds = multiplyDivide(age, intervals.aggrIntervalUs, 1_000_000);
  let log = 0;
  for (; log < MAX_AGE_IN_LOG && seconds > 0; log++) seconds = divide(seconds, 2);
  const signed = frequency === 0 ? -log : log;
  return divide(divide((signed + MAX_AGE_IN_LOG) * MAX_SUBSCORE, MAX_AGE_IN_LOG), 2);
}

/** Hotness, 0 to 99 (`damon_hot_score`). All weights 0: 0. */
export function hotScore(heat: Heat, intervals: Intervals, weights: QuotaWeights): number {
  const frequency = frequencySubscore(heat.nrAccesses, intervals);
  const age = ageSubscore(heat.age, frequency, intervals);
  const sum = weights.nrAccesses + weights.age;
  const hotness = weights.nrAccesses * frequency + weights.age * age;
  return Math.min(MAX_SCORE, divide((sum === 0 ? hotness : divide(hotness, sum)) * MAX_SCORE, MAX_SUBSCORE));
}

/** Coldness, 0 to 99 (`damon_cold_score`). */
export function coldScore(heat: Heat, intervals: Intervals, weights: QuotaWeights): number {
  return MAX_SCORE - hotScore(heat, intervals, weights);
}

/** The score of a region for an action (`get_scheme_score`); actions without an order of merit: all the same. */
export function schemeScore(
  operations: OperationsId,
  action: DamosActionName,
  heat: Heat,
  intervals: Intervals,
  weights: QuotaWeights,
): number {
  if (action === 'pageout' || action === 'migrate_cold') return coldScore(heat, intervals, weights);
  if (action === 'migrate_hot') return hotScore(heat, intervals, weights);
  if (operations !== 'paddr') return MAX_SCORE;
  if (action === 'lru_prio') return hotScore(heat, intervals, weights);
  return action === 'lru_deprio' ? coldScore(heat, intervals, weights) : MAX_SCORE;
}

/**
 * The least score that a quota has room for: from the highest score down, the first at which the sizes add up to the
 * effective quota; 0 if they never do.
 *
 * @param histogram bytes by score, 0 to 99
 */
export function minScoreFor(histogram: ArrayLike<number>, effectiveSize: number): number {
  let sum = 0;
  for (let score = MAX_SCORE; score > 0; score--) {
    sum += histogram[score];
    if (sum >= effectiveSize) return score;
  }
  return 0;
}
