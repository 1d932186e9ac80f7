/** Regions as rows on a target's list: making, cutting, joining, freeing (DAMON spec 1.5 to 1.7). */
import { BASIS_POINTS, weightedMean } from '../arithmetic.js';
import { DamonError } from '../errors.js';
import type { DamonStore } from './store.js';

/** A range of addresses, [start, end). */
export interface AddressRange {
  readonly start: number;
  readonly end: number;
}

/** A region as plain data. */
export interface RegionSnapshot extends AddressRange {
  readonly nrAccesses: number;
  readonly lastNrAccesses: number;
  readonly nrAccessesBp: number;
  readonly age: number;
}

/** Size of a region. */
export function regionSize(d: DamonStore, region: number): number {
  return d.t.damonRegion.end[region] - d.t.damonRegion.start[region];
}

/** A new region with all counters 0, behind `after` (0: first). Errors: TableFullError for 'damonRegion'. */
export function insertRegion(d: DamonStore, target: number, after: number, start: number, end: number): number {
  const region = d.t.damonRegion.pool.alloc();
  d.t.damonRegion.start[region] = start;
  d.t.damonRegion.end[region] = end;
  d.regions.insertAfter(target, after, region);
  d.t.damonTarget.nrRegions[target]++;
  return region;
}

/** As `insertRegion`, behind the last one. */
export function appendRegion(d: DamonStore, target: number, start: number, end: number): number {
  return insertRegion(d, target, d.regions.last(target), start, end);
}

/** Takes a region off its target's list and frees it. */
export function destroyRegion(d: DamonStore, target: number, region: number): void {
  d.regions.remove(target, region);
  d.t.damonTarget.nrRegions[target]--;
  d.t.damonRegion.pool.free(region);
}

/** Frees all regions of a target. */
export function destroyRegions(d: DamonStore, target: number): void {
  for (const region of d.regions.rows(target)) destroyRegion(d, target, region);
}

/**
 * Cuts a region after its first `size` bytes; the new right part has all that the left part knows (`damon_split_region_at`).
 * Gives the right part. `cut`: this is for a quota or a filter, and may be undone.
 */
export function splitRegionAt(d: DamonStore, target: number, region: number, size: number, cut = false): number {
  const r = d.t.damonRegion;
  const right = insertRegion(d, target, region, r.start[region] + size, r.end[region]);
  r.end[region] = r.start[right];
  r.nrAccesses[right] = r.nrAccesses[region];
  r.lastNrAccesses[right] = r.lastNrAccesses[region];
  r.nrAccessesBp[right] = r.nrAccessesBp[region];
  r.age[right] = r.age[region];
  r.cut[right] = cut ? 1 : 0;
  return right;
}

/**
 * Joins a region to the one before it: counters and age become means weighted by size, the last count stays the left
 * one's (`damon_merge_two_regions`).
 */
export function mergeTwoRegions(d: DamonStore, target: number, left: number, right: number): void {
  const r = d.t.damonRegion;
  const sizeLeft = regionSize(d, left);
  const sizeRight = regionSize(d, right);
  r.nrAccesses[left] = weightedMean(r.nrAccesses[left], sizeLeft, r.nrAccesses[right], sizeRight);
  r.nrAccessesBp[left] = r.nrAccesses[left] * BASIS_POINTS;
  r.age[left] = weightedMean(r.age[left], sizeLeft, r.age[right], sizeRight);
  r.end[left] = r.end[right];
  destroyRegion(d, target, right);
}

/** Regions of all targets. */
export function countRegions(d: DamonStore): number {
  let count = 0;
  for (const target of d.targets.rows(d.context)) count += d.t.damonTarget.nrRegions[target];
  return count;
}

/** Bytes of all regions. */
export function totalSize(d: DamonStore): number {
  const { next, start, end } = d.t.damonRegion;
  let size = 0;
  for (const target of d.targets.rows(d.context)) {
    for (let at = d.regions.first(target); at !== 0; at = next[at]) size += end[at] - start[at];
  }
  return size;
}

/** A target's regions as data, ascending. */
export function snapshotRegions(d: DamonStore, target: number): RegionSnapshot[] {
  return [...d.regions.rows(target)].map((region) => snapshotRegion(d, region));
}

/** One region as data. */
export function snapshotRegion(d: DamonStore, region: number): RegionSnapshot {
  const r = d.t.damonRegion;
  return {
    start: r.start[region],
    end: r.end[region],
    nrAccesses: r.nrAccesses[region],
    lastNrAccesses: r.lastNrAccesses[region],
    nrAccessesBp: r.nrAccessesBp[region],
    age: r.age[region],
  };
}

/** Refuses ranges that are empty, out of order or overlap. Errors: DamonError EINVAL. */
export function validateRanges(ranges: readonly AddressRange[]): void {
  let before = 0;
  for (const { start, end } of ranges) {
    if (end <= start) throw new DamonError('EINVAL', `region ${start}-${end} is empty`);
    if (start < before) throw new DamonError('EINVAL', `region ${start}-${end} begins before ${before}: sort them`);
    before = end;
  }
}
