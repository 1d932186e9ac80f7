/** The kernel thread of a context: sample, aggregate, act (`kdamond_fn`; DAMON spec 1.2). */
import { type MmId, mmdrop } from '@thplab/mm-model';
import { type Procedure, sleep, wake } from '@thplab/sync';
import type { AccessChecks } from './access/access-checks.js';
import { paddrChecks } from './access/paddr.js';
import { vaddrChecks } from './access/vaddr.js';
import { divide } from './arithmetic.js';
import type { Damon } from './damon.js';
import { readAttributes, sampleDivisor } from './monitor/attributes.js';
import { resetAggregated } from './monitor/counters.js';
import { mergeRegions } from './monitor/merge.js';
import { destroyRegions } from './monitor/regions.js';
import { applyMinNrRegions, regionSizeLimit, splitRegions } from './monitor/split.js';
import { tuneIntervals } from './monitor/tune-intervals.js';
import { serveRequests } from './requests.js';
import { applySchemes, setNextApply } from './schemes/apply.js';
import { cancelWalk } from './schemes/walk.js';
import { watermarkWaitUs } from './schemes/watermarks.js';
import { DAMON_STATE } from './state.js';

const NS_PER_US = 1000;
/** Differences up to this part of the highest count do not keep regions apart. */
const MERGE_SHARE = 10;

/** The thread's whole life. One turn of the loop is one sampling interval. */
export function* kdamond(d: Damon): Procedure<void> {
  const c = d.t.damonContext;
  const at = d.context;
  const checks = d.operations === 'paddr' ? paddrChecks(d) : vaddrChecks(d, d.operations === 'fvaddr');
  startMarks(d);
  yield* checks.init();
  c.sizeLimit[at] = enforceMinRegions(d);
  while (!needsStop(d, checks)) {
    const nextAggregation = c.nextAggregation[at];
    const nextOpsUpdate = c.nextOpsUpdate[at];
    if (!(yield* waitActivation(d, checks))) break;
    yield* checks.prepare();
    yield sleep(sampleDivisor(d) * NS_PER_US);
    c.passedSamples[at]++;
    const most = yield* checks.check();
    const aggregated = c.passedSamples[at] >= nextAggregation;
    if (aggregated) mergeAndEnforce(d, most);
    d.observer.sampled?.(d);
    yield* serveRequests(d);
    yield* applySchemes(d);
    if (aggregated) endAggregation(d, nextAggregation);
    if (c.passedSamples[at] >= nextOpsUpdate) yield* updateLayout(d, checks, nextOpsUpdate);
  }
  yield* end(d);
}

/** Where all intervals start from (`kdamond_init_ctx`). */
function startMarks(d: Damon): void {
  const c = d.t.damonContext;
  const at = d.context;
  const { aggrIntervalUs, opsUpdateIntervalUs, intervalsGoal } = readAttributes(d);
  const sample = sampleDivisor(d);
  c.passedSamples[at] = 0;
  c.nextAggregation[at] = divide(aggrIntervalUs, sample);
  c.nextOpsUpdate[at] = divide(opsUpdateIntervalUs, sample);
  c.aggrSamples[at] = divide(aggrIntervalUs, sample);
  c.nextIntervalsTune[at] = c.nextAggregation[at] * intervalsGoal.aggrs;
  for (const scheme of d.runningSchemes) setNextApply(d, scheme);
}

/** Asked to end, or no target is left. */
function needsStop(d: Damon, checks: AccessChecks): boolean {
  if (d.t.damonContext.shouldStop[d.context] === 1) return true;
  for (let target = d.targets.first(d.context); target !== 0; target = d.targets.next(target)) {
    if (checks.isValid(target)) return false;
  }
  return true;
}

/**
 * Waits while watermarks keep every scheme from running (`kdamond_wait_activation`), or the context is paused; false if it is
 * to end meanwhile. No sample passes, so all intervals go on where they stopped.
 */
function* waitActivation(d: Damon, checks: AccessChecks): Procedure<boolean> {
  while (!needsStop(d, checks)) {
    const least = restUs(d);
    if (least === 0) return true;
    yield sleep(least * NS_PER_US);
    yield* serveRequests(d);
    if (cancelWalk(d)) yield wake(d.doneQueue);
  }
  return false;
}

/** How long to rest before the next look, µs; 0: there is something to do. */
function restUs(d: Damon): number {
  if (d.t.damonContext.paused[d.context] === 1) return sampleDivisor(d);
  const waits = d.runningSchemes.map((scheme) => watermarkWaitUs(d, scheme));
  return waits.length === 0 ? 0 : Math.min(...waits);
}

/** The size that keeps the number of regions above the minimum; newer kernels cut larger regions at once. */
function enforceMinRegions(d: Damon): number {
  return d.profile.minRegionsRule === 'eachAggregation' ? applyMinNrRegions(d) : regionSizeLimit(d);
}

function mergeAndEnforce(d: Damon, most: number): void {
  const { sizeLimit } = d.t.damonContext;
  mergeRegions(d, divide(most, MERGE_SHARE), sizeLimit[d.context], d.profile);
  if (d.profile.minRegionsRule === 'eachAggregation') sizeLimit[d.context] = applyMinNrRegions(d);
}

function endAggregation(d: Damon, nextAggregation: number): void {
  const c = d.t.damonContext;
  const at = d.context;
  const { aggrs } = readAttributes(d).intervalsGoal;
  if (aggrs !== 0 && c.passedSamples[at] >= c.nextIntervalsTune[at]) {
    // A commit may have moved the mark meanwhile; the aggregation that is over is this one.
    c.nextAggregation[at] = nextAggregation;
    c.nextIntervalsTune[at] += c.aggrSamples[at] * aggrs;
    d.tracer.emit('damon_monitor_intervals_tune', { sample_us: tuneIntervals(d) });
    for (const scheme of d.runningSchemes) setNextApply(d, scheme);
  }
  c.nextAggregation[at] = nextAggregation + divide(c.aggrUs[at], sampleDivisor(d));
  traceAggregated(d);
  d.observer.aggregated?.(d);
  resetAggregated(d);
  splitRegions(d, d.random, d.profile);
}

function traceAggregated(d: Damon): void {
  if (!d.tracer.wants('damon_aggregated')) return;
  const r = d.t.damonRegion;
  let number = 0;
  for (const target of d.targets.rows(d.context)) {
    for (const region of d.regions.rows(target)) {
      d.tracer.emit('damon_aggregated', {
        target_id: number,
        nr_regions: d.t.damonTarget.nrRegions[target],
        start: r.start[region],
        end: r.end[region],
        nr_accesses: r.nrAccesses[region],
        age: r.age[region],
      });
    }
    number++;
  }
}

function* updateLayout(d: Damon, checks: AccessChecks, nextOpsUpdate: number): Procedure<void> {
  const c = d.t.damonContext;
  c.nextOpsUpdate[d.context] = nextOpsUpdate + divide(c.opsUpdateUs[d.context], sampleDivisor(d));
  yield* checks.update();
  if (d.profile.minRegionsRule === 'initialOnly') c.sizeLimit[d.context] = regionSizeLimit(d);
}

/** Regions go, counters of schemes stay readable; whoever waits is told. */
function* end(d: Damon): Procedure<void> {
  d.observer.ending?.(d);
  for (const target of d.targets.rows(d.context)) {
    destroyRegions(d, target);
    releaseTarget(d, target);
  }
  d.t.damonContext.state[d.context] = DAMON_STATE.ended;
  cancelWalk(d);
  yield* serveRequests(d, true);
  yield wake(d.doneQueue);
}

/** Lets go of the address space of a target. */
export function releaseTarget(d: Damon, target: number): void {
  const mm = d.t.damonTarget.mm[target] as MmId;
  d.t.damonTarget.mm[target] = 0;
  if (mm !== 0) mmdrop(d.m, mm);
}
