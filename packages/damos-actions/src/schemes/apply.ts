/** Applying the schemes that are due to all regions: what is checked in which order (DAMON spec 3.3, 3.4). */
import { now, type Procedure, wake } from '@thplab/sync';
import { applyAction } from '../actions/apply-action.js';
import { BASIS_POINTS, divide } from '../arithmetic.js';
import type { Damon, RunningScheme } from '../damon.js';
import { PAIR } from '../events.js';
import { readAttributes, sampleDivisor } from '../monitor/attributes.js';
import { mergeTwoRegions, regionSize, splitRegionAt } from '../monitor/regions.js';
import { targetIndex } from '../monitor/store.js';
import { coreFilterOut } from './core-filters.js';
import { patternFits } from './pattern.js';
import {
  adjustQuota,
  chargeFor,
  quotaIsFull,
  quotaIsSet,
  quotaRemaining,
  regionScore,
  setResumePoint,
  skipCharged,
} from './quota.js';
import { cancelWalk, completeWalk, walkRegion } from './walk.js';

/** Sets the mark of a scheme's next round. */
export function setNextApply(d: Damon, scheme: RunningScheme): void {
  const interval = scheme.config.applyIntervalUs || readAttributes(d).aggrIntervalUs;
  const samples = divide(interval, sampleDivisor(d));
  d.t.damosScheme.nextApply[scheme.row] = d.t.damonContext.passedSamples[d.context] + samples;
}

function isDue(d: Damon, scheme: RunningScheme): boolean {
  return d.t.damonContext.passedSamples[d.context] >= d.t.damosScheme.nextApply[scheme.row];
}

function isActive(d: Damon, scheme: RunningScheme): boolean {
  return d.t.damosScheme.activated[scheme.row] === 1;
}

/** One round of all schemes that are due (`kdamond_apply_schemes`). */
export function* applySchemes(d: Damon): Procedure<void> {
  if (d.runningSchemes.length === 0) {
    if (cancelWalk(d)) yield wake(d.doneQueue);
    return;
  }
  const due = d.runningSchemes.filter((scheme) => isDue(d, scheme));
  const working = due.filter((scheme) => isActive(d, scheme));
  if (working.length === 0) return;
  const nowNs = yield now();
  for (const scheme of working) adjustQuota(d, scheme, nowNs);
  for (const target of d.targets.rows(d.context)) {
    for (let region = d.regions.first(target); region !== 0; region = d.regions.next(region)) {
      region = yield* applyToRegion(d, target, region, working);
    }
  }
  let walked = false;
  for (const scheme of due) {
    walked = completeWalk(d, scheme) || walked;
    traceStatistics(d, scheme);
    setNextApply(d, scheme);
    d.t.damosScheme.lastApplied[scheme.row] = 0;
  }
  if (walked) yield wake(d.doneQueue);
}

/** All schemes on one region, in the order of their numbers. Gives the region whose right neighbour comes next. */
function* applyToRegion(d: Damon, target: number, first: number, working: readonly RunningScheme[]): Procedure<number> {
  const s = d.t.damosScheme;
  let region = first;
  for (const scheme of working) {
    if (quotaIsFull(d, scheme)) continue;
    const from = skipCharged(d, scheme, target, region);
    if (from === 0) continue;
    region = from;
    const { maxNrSnapshots } = scheme.config;
    if (d.profile.snapshots && maxNrSnapshots !== 0 && s.nrSnapshots[scheme.row] >= maxNrSnapshots) continue;
    if (isWanted(d, region, scheme)) yield* applyScheme(d, target, region, scheme);
    if (d.profile.snapshots && region === d.regions.last(target)) s.nrSnapshots[scheme.row]++;
  }
  return joinCut(d, target, region);
}

/** The region fits the pattern, and deserves the quota. */
function isWanted(d: Damon, region: number, scheme: RunningScheme): boolean {
  if (!patternFits(d, region, scheme.config.pattern)) return false;
  return !quotaIsSet(d, scheme) || regionScore(d, region, scheme) >= d.t.damosScheme.minScore[scheme.row];
}

/** One scheme on one region (`damos_apply_scheme`). */
function* applyScheme(d: Damon, target: number, region: number, scheme: RunningScheme): Procedure<void> {
  const s = d.t.damosScheme;
  const { row, config } = scheme;
  if (quotaIsSet(d, scheme) && s.chargedSize[row] + regionSize(d, region) > s.effectiveSize[row]) {
    const room = quotaRemaining(d, scheme);
    if (room === 0) {
      if (d.profile.countsEmptyTries) s.nrTried[row]++;
      return;
    }
    splitRegionAt(d, target, region, room, true);
  }
  if (coreFilterOut(d, target, region, scheme)) return;
  const size = regionSize(d, region);
  traceBeforeApply(d, target, region, scheme);
  const started = yield now();
  const { applied, passed } = yield* applyAction(d, target, region, scheme);
  walkRegion(d, scheme, target, region, passed);
  s.totalChargedNs[row] += (yield now()) - started;
  s.chargedSize[row] += d.profile.failCharge ? chargeFor(size, applied, config.quota) : size;
  if (quotaIsFull(d, scheme)) setResumePoint(d, scheme, target, region);
  if (config.action !== 'stat') d.t.damonRegion.age[region] = 0;
  s.nrTried[row]++;
  s.szTried[row] += size;
  if (applied > 0) s.nrApplied[row]++;
  s.szApplied[row] += applied;
  s.szOpsFilterPassed[row] += passed;
}

function traceBeforeApply(d: Damon, target: number, region: number, scheme: RunningScheme): void {
  if (!d.tracer.wants('damos_before_apply')) return;
  const r = d.t.damonRegion;
  d.tracer.emit('damos_before_apply', {
    ctx_idx: d.contextIndex,
    scheme_idx: d.runningSchemes.indexOf(scheme),
    target_idx: targetIndex(d, target),
    nr_regions: d.t.damonTarget.nrRegions[target],
    start: r.start[region],
    end: r.end[region],
    nr_accesses: divide(r.nrAccessesBp[region], BASIS_POINTS),
    age: r.age[region],
  });
}

function traceStatistics(d: Damon, { row }: RunningScheme): void {
  if (!d.profile.snapshots || !d.tracer.wants('damos_stat_after_apply_interval')) return;
  const s = d.t.damosScheme;
  d.tracer.emit('damos_stat_after_apply_interval', {
    scheme: d.contextIndex * PAIR + d.runningSchemes.findIndex((scheme) => scheme.row === row),
    nr_tried: s.nrTried[row],
    sz_tried: s.szTried[row],
    nr_applied: s.nrApplied[row],
    sz_applied: s.szApplied[row],
    sz_ops_filter_passed: s.szOpsFilterPassed[row],
    qt_exceeds: s.qtExceeds[row],
    nr_snapshots: s.nrSnapshots[row],
  });
}

/**
 * Undoes a cut that a quota or a filter asked for, if the two parts still know the same. Gives the region that is there
 * now.
 */
function joinCut(d: Damon, target: number, region: number): number {
  const r = d.t.damonRegion;
  const before = d.regions.prev(region);
  if (!d.profile.joinsCutRegions || before === 0 || r.cut[region] === 0) return region;
  const same =
    r.end[before] === r.start[region] &&
    r.age[before] === r.age[region] &&
    r.nrAccesses[before] === r.nrAccesses[region] &&
    r.lastNrAccesses[before] === r.lastNrAccesses[region] &&
    regionSize(d, before) + regionSize(d, region) <= d.t.damonContext.sizeLimit[d.context];
  if (!same) return region;
  mergeTwoRegions(d, target, before, region);
  return before;
}
