/** Quotas: what a scheme may still do, and which regions deserve it (DAMON spec 3.5). */
import { alignDown, divide, multiplyDivide, U64_MAX } from '../arithmetic.js';
import type { Damon, RunningScheme } from '../damon.js';
import { feedLoopNextInput } from '../feedback.js';
import { readAttributes } from '../monitor/attributes.js';
import { regionSize, splitRegionAt } from '../monitor/regions.js';
import { coreFilterOut } from './core-filters.js';
import { patternFits } from './pattern.js';
import { quotaScore } from './quota-goal.js';
import type { Quota } from './scheme.js';
import { MAX_SCORE, minScoreFor, schemeScore } from './score.js';

const NS_PER_MS = 1e6;
/** Bytes per ms that an action is taken to manage before any has been measured, in pages. */
const FIRST_THROUGHPUT_PAGES = 1024;
const LEAST_ESZ_BP = 10_000n;

/** Does the scheme have a quota at all? */
export function quotaIsSet(d: Damon, scheme: RunningScheme): boolean {
  const { quota } = scheme.config;
  if (d.t.damosScheme.effectiveSize[scheme.row] !== 0) return true;
  return d.profile.quotaSetBy === 'anyField' && (quota.bytes !== 0 || quota.ms !== 0 || quota.goals.length > 0);
}

/** Has the scheme done all that this charge window allows? */
export function quotaIsFull(d: Damon, scheme: RunningScheme): boolean {
  if (!quotaIsSet(d, scheme)) return false;
  const left = d.t.damosScheme.effectiveSize[scheme.row] - d.t.damosScheme.chargedSize[scheme.row];
  return left <= 0 || (d.profile.fullBelowMinRegion && left < d.t.damonContext.minRegionSize[d.context]);
}

/** What is left of the charge window, in whole smallest regions. */
export function quotaRemaining(d: Damon, scheme: RunningScheme): number {
  const s = d.t.damosScheme;
  const left = s.effectiveSize[scheme.row] - s.chargedSize[scheme.row];
  return left === Number.POSITIVE_INFINITY ? left : alignDown(left, d.t.damonContext.minRegionSize[d.context]);
}

/**
 * Before a round: opens charge windows, works out the effective quota and the least score (`damos_adjust_quota`).
 */
export function adjustQuota(d: Damon, scheme: RunningScheme, nowNs: number): void {
  const { quota } = scheme.config;
  const s = d.t.damosScheme;
  const row = scheme.row;
  if (quota.ms === 0 && quota.bytes === 0 && quota.goals.length === 0) return;
  if (s.quotaStarted[row] === 0) {
    s.quotaStarted[row] = 1;
    s.windowStartNs[row] = nowNs;
    setEffectiveQuota(d, scheme);
  }
  const start = s.windowStartNs[row];
  if (nowNs < start || nowNs >= start + quota.resetIntervalMs * NS_PER_MS) openWindow(d, scheme, nowNs);
  s.minScore[row] = minScoreFor(scoreHistogram(d, scheme), s.effectiveSize[row]);
}

function openWindow(d: Damon, scheme: RunningScheme, nowNs: number): void {
  const s = d.t.damosScheme;
  const row = scheme.row;
  if (quotaIsFull(d, scheme)) s.qtExceeds[row]++;
  s.totalChargedSize[row] += s.chargedSize[row];
  s.windowStartNs[row] = nowNs;
  s.chargedSize[row] = 0;
  const before = s.effectiveSize[row];
  setEffectiveQuota(d, scheme);
  if (s.effectiveSize[row] !== before) {
    const esz = s.effectiveSize[row];
    d.tracer.emit('damos_esz', { ctx_idx: d.contextIndex, scheme_idx: d.runningSchemes.indexOf(scheme), esz });
  }
}

/** Bytes of eligible regions by score. Core filters, where they are asked, may cut regions. */
function scoreHistogram(d: Damon, scheme: RunningScheme): Float64Array {
  const histogram = new Float64Array(MAX_SCORE + 1);
  for (const target of d.targets.rows(d.context)) {
    for (let region = d.regions.first(target); region !== 0; region = d.regions.next(region)) {
      if (!patternFits(d, region, scheme.config.pattern)) continue;
      if (d.profile.histogramAsksCoreFilters && coreFilterOut(d, target, region, scheme)) continue;
      histogram[regionScore(d, region, scheme)] += regionSize(d, region);
    }
  }
  return histogram;
}

/** The score of a region for a scheme. */
export function regionScore(d: Damon, region: number, { config }: RunningScheme): number {
  const r = d.t.damonRegion;
  const heat = { nrAccesses: r.nrAccesses[region], age: r.age[region] };
  return schemeScore(d.operations, config.action, heat, readAttributes(d), config.quota.weights);
}

/** Works out the effective quota, `esz` (`damos_set_effective_quota`). */
export function setEffectiveQuota(d: Damon, scheme: RunningScheme): void {
  const { quota } = scheme.config;
  const { effectiveSize } = d.t.damosScheme;
  let esz = quota.ms === 0 && quota.goals.length === 0 ? quota.bytes : Number.POSITIVE_INFINITY;
  if (quota.goals.length > 0) esz = tuneByGoals(d, scheme);
  if (quota.ms !== 0) esz = Math.min(esz, bytesInTime(d, scheme));
  if (quota.bytes !== 0) esz = Math.min(esz, quota.bytes);
  effectiveSize[scheme.row] = esz;
}

function tuneByGoals(d: Damon, scheme: RunningScheme): number {
  const { quota } = scheme.config;
  const score = quotaScore(d, scheme);
  if (quota.goalTuner === 'temporal') {
    if (score >= 10_000n) return 0;
    return quota.bytes === 0 ? Number.POSITIVE_INFINITY : quota.bytes;
  }
  const last = readEszBp(d, scheme.row);
  const next = feedLoopNextInput(last > LEAST_ESZ_BP ? last : LEAST_ESZ_BP, score);
  writeEszBp(d, scheme.row, next);
  return Number(next / 10_000n);
}

/** Bytes that the action is expected to manage in the quota's time. */
function bytesInTime(d: Damon, scheme: RunningScheme): number {
  const s = d.t.damosScheme;
  const ns = Math.floor(s.totalChargedNs[scheme.row]);
  const perMs =
    ns === 0
      ? FIRST_THROUGHPUT_PAGES * 2 ** d.m.geometry.pageShift
      : multiplyDivide(s.totalChargedSize[scheme.row], 1_000_000, ns);
  return Math.max(perMs * scheme.config.quota.ms, d.t.damonContext.minRegionSize[d.context]);
}

/** The state of the feedback loop. */
export function readEszBp(d: Damon, row: number): bigint {
  return (BigInt(d.t.damosScheme.effectiveBpHigh[row]) << 32n) | BigInt(d.t.damosScheme.effectiveBpLow[row]);
}

function writeEszBp(d: Damon, row: number, value: bigint): void {
  d.t.damosScheme.effectiveBpHigh[row] = Number((value & U64_MAX) >> 32n);
  d.t.damosScheme.effectiveBpLow[row] = Number(value & 0xffff_ffffn);
}

/**
 * Bytes to charge for one try (fail_charge): those applied, and the others at the quota's rate. Without a rate, and in
 * kernels without it, all that was tried is charged, whatever came of it.
 */
export function chargeFor(size: number, applied: number, quota: Quota): number {
  if (quota.failChargeDenom === 0 || applied > size) return size;
  return applied + divide((size - applied) * quota.failChargeNum, quota.failChargeDenom);
}

/** Remembers where a quota was full, so that the next window goes on there. */
export function setResumePoint(d: Damon, scheme: RunningScheme, target: number, region: number): void {
  const s = d.t.damosScheme;
  s.resumeTarget[scheme.row] = target;
  s.resumeAddress[scheme.row] = d.t.damonRegion.end[region] + (d.profile.resumeBeyondEnd ? 1 : 0);
}

/**
 * Where the last round stopped, regions before it are skipped (`damos_skip_charged_region`). Gives the region to go on
 * with: the one given, the part of it behind the resume point, or 0 to skip it.
 */
export function skipCharged(d: Damon, scheme: RunningScheme, target: number, region: number): number {
  const s = d.t.damosScheme;
  const r = d.t.damonRegion;
  const row = scheme.row;
  if (s.resumeTarget[row] === 0) return region;
  if (s.resumeTarget[row] !== target) return 0;
  if (region === d.regions.last(target)) {
    forgetResumePoint(d, scheme);
    return 0;
  }
  const address = s.resumeAddress[row];
  if (r.end[region] <= address) return 0;
  let from = region;
  if (r.start[region] < address) {
    const step = d.t.damonContext.minRegionSize[d.context];
    let skip = alignDown(address - r.start[region], step);
    if (skip === 0) {
      if (regionSize(d, region) <= step) return 0;
      skip = step;
    }
    from = splitRegionAt(d, target, region, skip, true);
  }
  forgetResumePoint(d, scheme);
  return from;
}

/** Forgets the resume point: its target is gone, or it has been reached. */
export function forgetResumePoint(d: Damon, scheme: RunningScheme): void {
  d.t.damosScheme.resumeTarget[scheme.row] = 0;
  d.t.damosScheme.resumeAddress[scheme.row] = 0;
}
