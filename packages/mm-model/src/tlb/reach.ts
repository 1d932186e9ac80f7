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
 * Chance that no access walks to an entry within some seconds, the entry being used at random at `rate` as it always was.
 *
 * Walks do not come at random: under LRU an access walks if the one before lies more than the characteristic time T back,
 * so after a walk there is none for T. With Q(t) the chance of none until t and w = rate exp(-rate T) the rate of walks,
 * Q'(t) = -w Q(t - T), because a walk at t needs T without a use, and none before that. So Q is 1 - w t up to T, a sum of as
 * many terms as T fits into t, and falls off as an exponential soon. Under random replacement an entry goes after a time
 * that does not depend on its use, 1 / T a second, and walks at its first use after.
 */
export function noWalkChance(rate: number, time: number, seconds: number, replacement: TlbReplacement = 'lru'): number {
  if (rate === 0 || time === Number.POSITIVE_INFINITY || seconds <= 0) return 1;
  if (time <= 0) return Math.exp(-rate * seconds);
  if (replacement === 'random') return noWalkAtRandom(rate, 1 / time, seconds);
  const walks = rate * Math.exp(-rate * time);
  if (seconds <= time) return 1 - walks * seconds;
  if (seconds > MOST_TERMS * time) {
    const from = MOST_TERMS * time;
    return delayedSum(walks, time, from) * Math.exp(-decay(walks, time) * (seconds - from));
  }
  return delayedSum(walks, time, seconds);
}

/** Terms after which Q is an exponential to four digits, for the regular walks as for the rare ones. */
const MOST_TERMS = 8;

/** Sum over k of (-w)^k (t - (k - 1) T)^k / k!, as long as the time in it is not negative. */
function delayedSum(walks: number, time: number, seconds: number): number {
  let sum = 1;
  let factorial = 1;
  for (let k = 1; (k - 1) * time <= seconds; k++) {
    factorial *= k;
    sum += (-walks * (seconds - (k - 1) * time)) ** k / factorial;
  }
  return Math.max(0, sum);
}

/** The s of the slowest exp(-s t) that solves the equation of Q: s = w exp(s T). */
function decay(walks: number, time: number): number {
  let x = 0;
  for (let i = 0; i < 40; i++) x = Math.min(1, walks * time * Math.exp(x));
  return x / time;
}

function noWalkAtRandom(rate: number, leave: number, seconds: number): number {
  const there = rate / (rate + leave);
  const out = Math.exp(-rate * seconds);
  const near = Math.abs(rate - leave) < 1e-9 * rate;
  const stays = near ? out * (1 + rate * seconds) : (rate * Math.exp(-leave * seconds) - leave * out) / (rate - leave);
  return (1 - there) * out + there * stays;
}

/**
 * Chance that at least one access has walked to an entry since somebody last looked. The entry is used at random at
 * `rate`, and stays for the characteristic time when it is not; it was last flushed `sinceFlush` seconds ago, the last
 * look was `sinceLook` seconds ago. The first use after a flush walks whatever the TLB's size.
 */
export function walkProbability(
  rate: number,
  time: number,
  sinceLook: number,
  sinceFlush: number,
  replacement: TlbReplacement = 'lru',
): number {
  if (sinceFlush < sinceLook) {
    const before = noWalkChance(rate, time, sinceLook - sinceFlush, replacement);
    return 1 - Math.exp(-rate * sinceFlush) * before;
  }
  const stillOut = Math.exp(-rate * (sinceFlush - sinceLook));
  const none = noWalkChance(rate, time, sinceLook, replacement);
  return stillOut * -Math.expm1(-rate * sinceLook) + (1 - stillOut) * (1 - none);
}

/**
 * The spec's formula for N alike entries: walks to each of them in a second, for R accesses in a second to all. It takes
 * them for independent: 1 - exp(-rate dt) is its chance of a walk, which `noWalkChance` is the exact form of.
 */
export function uniformWalkRate(entries: number, capacity: number, accessesPerSecond: number): number {
  return (accessesPerSecond * Math.max(0, 1 - capacity / entries)) / entries;
}
