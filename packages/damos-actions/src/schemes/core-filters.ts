/** Core filters of a region, which may cut it (DAMON spec 3.7). */
import { alignDown } from '../arithmetic.js';
import type { Damon, RunningScheme } from '../damon.js';
import { splitRegionAt } from '../monitor/regions.js';
import { targetIndex } from '../monitor/store.js';
import { type CoreFilter, coreDefaultReject } from './filter.js';

/**
 * True if the core filters reject the region (`damos_filter_out`). The first that speaks decides; if it allows, the
 * operations filters are not asked. An address filter cuts a region that it covers in part; the rest comes next.
 */
export function coreFilterOut(d: Damon, target: number, region: number, scheme: RunningScheme): boolean {
  const { coreFilters, opsFilters } = scheme.config;
  d.t.damosScheme.coreAllowed[scheme.row] = 0;
  for (const filter of coreFilters) {
    if (!coreFilterMatch(d, target, region, filter)) continue;
    if (filter.allow) d.t.damosScheme.coreAllowed[scheme.row] = 1;
    return !filter.allow;
  }
  return coreDefaultReject(coreFilters, opsFilters);
}

/** True if the filter speaks about the region (`damos_filter_match`). */
export function coreFilterMatch(d: Damon, target: number, region: number, filter: CoreFilter): boolean {
  const ofType =
    filter.type === 'target'
      ? targetIndex(d, target) === filter.targetIndex
      : isWithin(d, target, region, filter.start, filter.end);
  return ofType === filter.matching;
}

/** True if the region, or what is left of it after a cut, lies in the range. */
function isWithin(d: Damon, target: number, region: number, from: number, to: number): boolean {
  const r = d.t.damonRegion;
  const step = d.t.damonContext.minRegionSize[d.context];
  const start = alignDown(from, step);
  const end = alignDown(to, step);
  if (start <= r.start[region] && r.end[region] <= end) return true;
  if (r.end[region] <= start || end <= r.start[region]) return false;
  if (r.start[region] < start) {
    splitRegionAt(d, target, region, start - r.start[region], true);
    return false;
  }
  splitRegionAt(d, target, region, end - r.start[region], true);
  return true;
}
