/** What one sample adds to a region, and what the end of an aggregation does to it (DAMON spec 1.2 i, 1.3). */
import { BASIS_POINTS, divide } from '../arithmetic.js';
import type { DamonStore } from './store.js';

/**
 * One step of a moving sum over a window of `window` samples, of which only the sum of the window before is known
 * (`damon_moving_sum`): an even share of it leaves, the new value comes in.
 */
export function movingSum(sum: number, windowBefore: number, window: number, added: number): number {
  return Math.max(0, sum - divide(windowBefore, window)) + added;
}

/** Counts one sample of a region (`damon_update_region_access_rate`); `window`: samples of an aggregation. */
export function countSample(d: DamonStore, region: number, accessed: boolean, window: number): void {
  const r = d.t.damonRegion;
  const before = r.lastNrAccesses[region] * BASIS_POINTS;
  r.nrAccessesBp[region] = movingSum(r.nrAccessesBp[region], before, window, accessed ? BASIS_POINTS : 0);
  if (accessed) r.nrAccesses[region]++;
}

/** Starts an aggregation: the counts become those of the last one (`kdamond_reset_aggregated`). */
export function resetAggregated(d: DamonStore): void {
  const r = d.t.damonRegion;
  for (const target of d.targets.rows(d.context)) {
    for (let region = d.regions.first(target); region !== 0; region = r.next[region]) {
      r.lastNrAccesses[region] = r.nrAccesses[region];
      r.nrAccesses[region] = 0;
    }
  }
}
