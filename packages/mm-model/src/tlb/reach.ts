/**
 * A TLB without its entries: how often accesses miss, worked out from how many entries compete and how often each is used
 * (DAMON spec 2.1, "cheap analytic substitute").
 *
 * The characteristic time T is how long an entry that nobody uses stays. It is the time in which the entries in use fill
 * the TLB, so the sum of all shares of presence is the capacity (Che's approximation). An entry used at random at rate r
 * misses with exp(-r T) under LRU and with 1 / (1 + r T) under random replacement; one that a sweep comes back to after P
 * misses if P > T under LRU, else with 1 - exp(-P / T). For N alike entries both give the spec's 1 - C/N.
 */
import type { TlbReplacement } from './spec.js';

/** Entries that are used alike. */
export interface AccessClass {
  /** How many. May be a fraction. */
  readonly entries: number;
  /** Uses of each of them in a second. */
  readonly rate: number;
  /** True: used in turn, every 1 / rate seconds. False: at random. */
  readonly sweep: boolean;
}

/** Steps of the bisection: enough for all digits of a double over the range of times that matter. */
const STEPS = 100;

/** Characteristic time of a TLB of `capacity` entries, in seconds; Infinity if everything fits. */
export function characteristicTime(
  classes: readonly AccessClass[],
  capacity: number,
  replacement: TlbReplacement = 'lru',
): number {
  const live = classes.filter(({ entries, rate }) => entries > 0 && rate > 0);
  if (live.reduce((sum, { entries }) => sum + entries, 0) <= capacity) return Number.POSITIVE_INFINITY;
  const filled = (time: number): number =>
    live.reduce((sum, one) => sum + one.entries * presence(one.rate, one.sweep, time, replacement), 0);
  let low = -60;
  let high = 60;
  for (let i = 0; i < STEPS; i++) {
    const middle = (low + high) / 2;
    if (filled(2 ** middle) < capacity) low = middle;
    else high = middle;
  }
  return 2 ** low;
}

/** Share of the time for which an entry is in the TLB. */
function presence(rate: number, sweep: boolean, time: number, replacement: TlbReplacement): number {
  const uses = rate * time;
  if (replacement === 'random') return sweep ? uses * -Math.expm1(-1 / uses) : uses / (1 + uses);
  return sweep ? Math.min(1, uses) : -Math.expm1(-uses);
}

/** Share of the uses of an entry that miss, given the characteristic time. */
export function missRatio(rate: number, sweep: boolean, time: number, replacement: TlbReplacement = 'lru'): number {
  if (time === Number.POSITIVE_INFINITY || rate === 0) return 0;
  const uses = rate * time;
  if (replacement === 'random') return sweep ? -Math.expm1(-1 / uses) : 1 / (1 + uses);
  if (sweep) return uses < 1 ? 1 : 0;
  return Math.exp(-uses);
}

/**
 * Chance that at least one access has walked to an entry since somebody last looked. The entry is used at random at
 * `rate`, misses with `miss`; it was last flushed `sinceFlush` seconds ago, the last look was `sinceLook` seconds ago. The
 * first use after a flush walks whatever the TLB's size.
 */
export function walkProbability(rate: number, miss: number, sinceLook: number, sinceFlush: number): number {
  const walks = rate * miss;
  if (sinceFlush < sinceLook) return -Math.expm1(-rate * sinceFlush - walks * (sinceLook - sinceFlush));
  const stillOut = Math.exp(-rate * (sinceFlush - sinceLook));
  return stillOut * -Math.expm1(-rate * sinceLook) + (1 - stillOut) * -Math.expm1(-walks * sinceLook);
}

/** The spec's formula for N alike entries: walks to each of them in a second, for R accesses in a second to all. */
export function uniformWalkRate(entries: number, capacity: number, accessesPerSecond: number): number {
  return (accessesPerSecond * Math.max(0, 1 - capacity / entries)) / entries;
}
