/** Processor shares by nice value, and the seeded tie rule. */

/** Weight of nice 0 (`NICE_0_LOAD`, unscaled). */
export const NICE_0_WEIGHT = 1024;

/** The share of a task: 1024 at nice 0, a factor of 1.25 per step (`sched_prio_to_weight`, to the rounding). */
export function weightOfNice(nice: number): number {
  if (!Number.isInteger(nice) || nice < -20 || nice > 19) {
    throw new RangeError(`nice ${nice}: must be a whole number from -20 to 19`);
  }
  return Math.round(NICE_0_WEIGHT / 1.25 ** nice);
}

/** Ties are below this. */
export const MAX_TIE: number = 2 ** 33;

/**
 * Where several processors are due at the same instant, the one that gave up its turn less often goes first; among
 * equals the one with the lowest number if the seed is 0. With any
 * other seed the order is drawn from seed, processor and time, so that another seed is another legal schedule.
 */
export function tieOf(seed: number, cpu: number, timeNs: number): number {
  if (seed === 0) return cpu;
  let x = (seed ^ Math.imul(cpu + 1, 0x9e3779b1) ^ (timeNs % 0x100000000)) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) + cpu / 0x10000;
}
