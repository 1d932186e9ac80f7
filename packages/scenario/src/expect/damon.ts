/** Expectations about DAMOS schemes and about what DAMON saw. */
import { type RegionSnapshot, schemeStats } from '@thplab/damos-actions';
import type { Kdamond } from '../damon/kdamonds.js';
import {
  type Bound,
  formatCount,
  formatShare,
  formatSize,
  type MonitoringExpectation,
  type SchemeExpectation,
} from '../format/index.js';
import { mostAccesses, regionsOf, schemeName, unitOf } from '../report/damon-result.js';
import type { World } from '../run/world.js';
import { type Judged, judgeNumber } from './judged.js';
import { rangesOf } from './ranges.js';

/** One row per statistic that is expected. A kdamond that has not started yet has done nothing. */
export function judgeScheme(world: World, one: SchemeExpectation): Judged[] {
  const stats = statsOf(world, one.scheme);
  if (stats === null) {
    const what = `scheme ${one.scheme}`;
    return [{ key: one.key, what, expected: 'to be there', actual: 'there is no such scheme', ok: false }];
  }
  const row = (what: string, bound: Bound | null, actual: number, format: (value: number) => string): Judged[] =>
    bound === null ? [] : [judgeNumber(one.key, `scheme ${one.scheme}: ${what}`, bound, actual, format)];
  return [
    ...row('nr_tried', one.tried, stats.nrTried, formatCount),
    ...row('sz_tried', one.sizeTried, stats.szTried, formatSize),
    ...row('nr_applied', one.applied, stats.nrApplied, formatCount),
    ...row('sz_applied', one.sizeApplied, stats.szApplied, formatSize),
    ...row('sz_ops_filter_passed', one.sizePassed, stats.szOpsFilterPassed, formatSize),
    ...row('qt_exceeds', one.quotaExceeds, stats.qtExceeds, formatCount),
    ...row('nr_snapshots', one.snapshots, stats.nrSnapshots, formatCount),
  ];
}

const NO_STATS: ReturnType<typeof schemeStats> = {
  nrTried: 0,
  szTried: 0,
  nrApplied: 0,
  szApplied: 0,
  szOpsFilterPassed: 0,
  qtExceeds: 0,
  nrSnapshots: 0,
};

/** Null: nobody has set up such a scheme. */
function statsOf(world: World, name: string): ReturnType<typeof schemeStats> | null {
  for (const kdamond of world.kdamonds.all) {
    const { damon, spec } = kdamond;
    const count = damon?.runningSchemes.length ?? spec?.schemes.length ?? 0;
    for (let index = 0; index < count; index++) {
      const own = schemeName(kdamond, index);
      const names = [`${kdamond.name}.${own}`, `${kdamond.name}.${index}`, ...(spec === undefined ? [] : [own])];
      if (names.includes(name)) return damon === undefined ? NO_STATS : schemeStats(damon, index);
    }
  }
  return null;
}

/** One row per quantity that is expected, by the counts of the last whole aggregation. */
export function judgeMonitoring(world: World, one: MonitoringExpectation): Judged[] {
  const sums = { hot: 0, regions: 0, monitored: 0 };
  for (const kdamond of world.kdamonds.all) {
    if (one.kdamond === null || one.kdamond === kdamond.name) addRegions(world, one, kdamond, sums);
  }
  const who = ['damon', one.kdamond, one.process, one.vma].filter((part) => part !== null).join(' ');
  const hot = one.above === null ? 'accessed' : `accessed in ${formatShare(one.above)} of the samples`;
  return [
    ...(one.hot === null ? [] : [judgeNumber(one.key, `${who}: ${hot}`, one.hot, sums.hot, formatSize)]),
    ...(one.regions === null ? [] : [judgeNumber(one.key, `${who}: regions`, one.regions, sums.regions, formatCount)]),
    ...(one.monitored === null
      ? []
      : [judgeNumber(one.key, `${who}: monitored`, one.monitored, sums.monitored, formatSize)]),
  ];
}

function addRegions(
  world: World,
  one: MonitoringExpectation,
  kdamond: Kdamond,
  sums: { hot: number; regions: number; monitored: number },
): void {
  const least = one.above === null ? 1 : Math.max(1, one.above * mostAccesses(kdamond));
  for (const [index, regions] of regionsOf(kdamond).entries()) {
    const process = kdamond.targets[index] ?? null;
    const within = withinOf(world, one, process);
    if (within === null) continue;
    for (const region of regions) {
      const bytes = within(region) * unitOf(kdamond);
      if (bytes === 0) continue;
      sums.regions++;
      sums.monitored += bytes;
      if (region.lastNrAccesses >= least) sums.hot += bytes;
    }
  }
}

/** How much of a region of a target is meant; null: nothing of this target. */
function withinOf(
  world: World,
  one: MonitoringExpectation,
  process: string | null,
): ((region: RegionSnapshot) => number) | null {
  if (one.process === null) return ({ start, end }) => end - start;
  const named = world.processes.everNamed(one.process).some(({ name }) => name === process);
  if (!named) return null;
  if (one.vma === null) return ({ start, end }) => end - start;
  const { pageSize } = world.scenario.machine;
  const found = rangesOf(world, process, one.vma)[0];
  if (found === undefined) return null;
  const from = found.range.start * pageSize;
  const to = from + found.range.pages * pageSize;
  return ({ start, end }) => Math.max(0, Math.min(end, to) - Math.max(start, from));
}
