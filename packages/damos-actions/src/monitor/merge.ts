/** Age, and joining neighbours that were accessed alike (DAMON spec 1.4, 1.5). */
import type { DamonProfile } from '../profile.js';
import { countRegions, mergeTwoRegions } from './regions.js';
import type { DamonStore } from './store.js';

/** Age of a region after an aggregation: 0 if the rate changed by more than the threshold, or from or to nothing. */
export function nextAge(age: number, nrAccesses: number, lastNrAccesses: number, threshold: number): number {
  if (Math.abs(nrAccesses - lastNrAccesses) > threshold) return 0;
  return (nrAccesses === 0) === (lastNrAccesses === 0) ? age + 1 : 0;
}

/**
 * One pass over a target (`damon_merge_regions_of`): each region ages, then joins the one before it if they touch, differ
 * by at most `threshold` samples, and are together no larger than `sizeLimit`.
 */
export function mergeRegionsOf(
  d: DamonStore,
  target: number,
  threshold: number,
  sizeLimit: number,
  ages: boolean = true,
): void {
  const { next, start, end, nrAccesses, lastNrAccesses, age } = d.t.damonRegion;
  let kept = 0;
  let behind = 0;
  for (let region = d.regions.first(target); region !== 0; region = behind) {
    behind = next[region];
    if (ages) age[region] = nextAge(age[region], nrAccesses[region], lastNrAccesses[region], threshold);
    const joins =
      kept !== 0 &&
      end[kept] === start[region] &&
      Math.abs(nrAccesses[kept] - nrAccesses[region]) <= threshold &&
      end[region] - start[kept] <= sizeLimit;
    if (joins) mergeTwoRegions(d, target, kept, region);
    else kept = region;
  }
}

/**
 * The merge pass of an aggregation (`kdamond_merge_regions`): repeated with a doubled threshold while there are more than
 * `max_nr_regions` and the threshold is not beyond any possible difference.
 *
 * @param threshold a tenth of the highest count of this round
 */
export function mergeRegions(
  d: DamonStore,
  threshold: number,
  sizeLimit: number,
  profile: Pick<DamonProfile, 'agesOnEachMergePass'>,
): void {
  const c = d.t.damonContext;
  const most = c.maxNrRegions[d.context];
  const window = Math.floor(c.aggrUs[d.context] / (c.sampleUs[d.context] || 1));
  let now = threshold;
  for (let pass = 0; ; pass++) {
    const ages = pass === 0 || profile.agesOnEachMergePass;
    for (const target of d.targets.rows(d.context)) mergeRegionsOf(d, target, now, sizeLimit, ages);
    now = Math.max(1, now * 2);
    if (countRegions(d) <= most || Math.floor(now / 2) >= window) return;
  }
}
