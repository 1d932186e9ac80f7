/** What the read-only files show after an update command (DAMON spec 3.9, 6.2). */
import type { Procedure } from '@thplab/sync';
import type { Damon } from '../damon.js';
import { readAttributes } from '../monitor/attributes.js';
import type { DamonProfile } from '../profile.js';
import { effectiveBytes, schemeStats } from '../schemes/running.js';
import { damosWalk, type RequestOutcome, type TriedRegion } from '../schemes/walk.js';
import type { DamonFolder } from './folder.js';

const ULONG_MAX = '18446744073709551615';

/** Scheme folders that have a running scheme of their number. */
function* schemesOf(damon: Damon, context: DamonFolder): Generator<readonly [folder: DamonFolder, index: number]> {
  for (const [index, folder] of context.folder('schemes').numbered().entries()) {
    if (index < damon.runningSchemes.length) yield [folder, index];
  }
}

/** update_schemes_stats. */
export function showStats(damon: Damon, context: DamonFolder): void {
  for (const [folder, index] of schemesOf(damon, context)) {
    const stats = schemeStats(damon, index);
    const shown = folder.folder('stats');
    shown.set('nr_tried', stats.nrTried);
    shown.set('sz_tried', stats.szTried);
    shown.set('nr_applied', stats.nrApplied);
    shown.set('sz_applied', stats.szApplied);
    shown.set('sz_ops_filter_passed', stats.szOpsFilterPassed);
    shown.set('qt_exceeds', stats.qtExceeds);
    shown.set('nr_snapshots', stats.nrSnapshots);
  }
}

/** update_schemes_effective_quotas. */
export function showEffectiveQuotas(damon: Damon, context: DamonFolder): void {
  for (const [folder, index] of schemesOf(damon, context)) {
    const bytes = effectiveBytes(damon, index);
    folder.folder('quotas').set('effective_bytes', Number.isFinite(bytes) ? Math.floor(bytes) : ULONG_MAX);
  }
}

/** update_tuned_intervals: they are written back where the user writes them. */
export function showTunedIntervals(damon: Damon, context: DamonFolder): void {
  const { sampleIntervalUs, aggrIntervalUs } = readAttributes(damon);
  const intervals = context.folder('monitoring_attrs').folder('intervals');
  if (damon.t.damonContext.goalAggrs[damon.context] === 0) return;
  intervals.set('sample_us', sampleIntervalUs);
  intervals.set('aggr_us', aggrIntervalUs);
}

/**
 * update_schemes_tried_regions and update_schemes_tried_bytes: one round of every scheme. Kernels up to 6.13 number the
 * folders over all schemes, later ones for each; programs must not rely on either.
 */
export function* walkTriedRegions(
  damon: Damon,
  context: DamonFolder,
  folders: boolean,
  profile: DamonProfile,
): Procedure<RequestOutcome> {
  const shown = context
    .folder('schemes')
    .numbered()
    .map((scheme) => scheme.folder('tried_regions'));
  const bytes = shown.map(() => 0);
  let running = 0;
  for (const folder of shown) folder.clearNumbered();
  const visit = (region: TriedRegion): void => {
    const folder = shown[region.scheme];
    if (folder === undefined) return;
    bytes[region.scheme] = (bytes[region.scheme] ?? 0) + region.end - region.start;
    folder.set('total_bytes', bytes[region.scheme] ?? 0);
    if (!folders) return;
    const number = profile.triedRegionNumbers === 'overAllSchemes' ? running++ : folder.numbered().length;
    showRegion(folder.addNumbered(number), region);
  };
  for (const folder of shown) folder.set('total_bytes', 0);
  return yield* damosWalk(damon, visit);
}

function showRegion(folder: DamonFolder, region: TriedRegion): void {
  folder.set('start', region.start);
  folder.set('end', region.end);
  folder.set('nr_accesses', region.nrAccesses);
  folder.set('age', region.age);
  folder.set('sz_filter_passed', region.szFilterPassed);
}
