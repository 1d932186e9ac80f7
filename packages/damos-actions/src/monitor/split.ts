/** Cutting regions: at random for resolution, and evenly to have enough of them (DAMON spec 1.6, 1.7). */
import type { Random } from '@thplab/arena';
import { alignDown, alignUp, divide } from '../arithmetic.js';
import { DamonError } from '../errors.js';
import type { DamonProfile } from '../profile.js';
import { countRegions, regionSize, splitRegionAt, totalSize } from './regions.js';
import type { DamonStore } from './store.js';

/**
 * Cuts each region of a target into up to `pieces` parts at random places, none nearer to an end than a tenth of the size
 * (`damon_split_regions_of`). Only the left part is cut on.
 */
export function splitRegionsOf(
  d: DamonStore,
  target: number,
  pieces: number,
  minRegionSize: number,
  random: Random,
): void {
  for (const region of d.regions.rows(target)) {
    let size = regionSize(d, region);
    for (let i = 0; i < pieces - 1 && size > 2 * minRegionSize; i++) {
      const left = alignDown(divide((1 + random.below(9)) * size, 10), minRegionSize);
      if (left === 0 || left >= size) continue;
      splitRegionAt(d, target, region, left);
      size = left;
    }
  }
}

/**
 * The split pass of an aggregation (`kdamond_split_regions`): none if there are more than half of `max_nr_regions`; three
 * parts instead of two if the last pass brought nothing and there are less than a third.
 */
export function splitRegions(d: DamonStore, random: Random, profile: Pick<DamonProfile, 'splitMemoShared'>): void {
  const c = d.t.damonContext;
  const most = c.maxNrRegions[d.context];
  const count = countRegions(d);
  if (count > divide(most, 2)) return;
  const memo = profile.splitMemoShared ? d.t.damonShared.lastNrRegions : c.lastNrRegions;
  const place = profile.splitMemoShared ? 0 : d.context;
  const pieces = count === memo[place] && count < divide(most, 3) ? 3 : 2;
  for (const target of d.targets.rows(d.context)) {
    splitRegionsOf(d, target, pieces, c.minRegionSize[d.context], random);
  }
  memo[place] = count;
}

/** Largest region where the minimum of regions is a matter of merging only (before 7.1). */
export function regionSizeLimit(d: DamonStore): number {
  const c = d.t.damonContext;
  return Math.max(divide(totalSize(d), c.minNrRegions[d.context]), c.minRegionSize[d.context]);
}

/**
 * Cuts every region larger than its share of the minimum number, from the left (`damon_apply_min_nr_regions`, 7.1). Gives
 * the share, which is also the size limit of merging.
 */
export function applyMinNrRegions(d: DamonStore): number {
  const minRegionSize = d.t.damonContext.minRegionSize[d.context];
  const limit = alignUp(regionSizeLimit(d), minRegionSize);
  const { next, start, end } = d.t.damonRegion;
  for (const target of d.targets.rows(d.context)) {
    let behind = 0;
    for (let region = d.regions.first(target); region !== 0; region = behind) {
      behind = next[region];
      let left = region;
      while (end[left] - start[left] > limit) left = splitRegionAt(d, target, left, limit);
    }
  }
  return limit;
}

/**
 * Cuts a region into equal pieces; the last takes what is left over (`damon_va_evenly_split_region`). Errors: DamonError
 * EINVAL for no pieces, or pieces of size 0.
 */
export function evenlySplitRegion(
  d: DamonStore,
  target: number,
  region: number,
  pieces: number,
  minRegionSize: number,
): void {
  if (pieces === 0) throw new DamonError('EINVAL', 'a region cannot be cut into 0 pieces');
  if (pieces === 1) return;
  const size = alignDown(divide(regionSize(d, region), pieces), minRegionSize);
  if (size === 0) throw new DamonError('EINVAL', `${regionSize(d, region)} bytes do not make ${pieces} pieces`);
  let left = region;
  for (let i = 1; i < pieces; i++) left = splitRegionAt(d, target, left, size);
}
