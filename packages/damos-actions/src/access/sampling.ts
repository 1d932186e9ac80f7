import type { Random } from '@thplab/arena';
import type { DamonStore } from '../monitor/store.js';

/** A whole number from 0 to `limit - 1`, for limits up to 2^53. */
export function uniformBelow(random: Random, limit: number): number {
  if (limit <= 2 ** 32) return random.below(limit);
  const high = random.nextU32() >>> 11;
  return Math.floor(((high * 2 ** 32 + random.nextU32()) / 2 ** 53) * limit);
}

/** Chooses the address that stands for a region in this sample: any of it, with equal chance (DAMON spec 1.3). */
export function chooseSamplingAddress(d: DamonStore, region: number, random: Random): number {
  const r = d.t.damonRegion;
  const start = r.start[region];
  const address = start + uniformBelow(random, r.end[region] - start);
  r.samplingAddress[region] = address;
  return address;
}
