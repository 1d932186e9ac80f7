/**
 * Monitoring attributes: defaults, what is refused, and what a change does to results that are there already (DAMON spec
 * 1.1).
 */
import { BASIS_POINTS, divide, multiplyDivide } from '../arithmetic.js';
import { DamonError } from '../errors.js';
import type { DamonStore } from './store.js';

/** Goal of interval auto-tuning (DAMON spec 1.9); `aggrs` 0 switches it off. */
export interface IntervalsGoal {
  /** Share of the possible accesses that is to be observed, basis points. */
  readonly accessBp: number;
  /** Aggregations between two adjustments. */
  readonly aggrs: number;
  readonly minSampleUs: number;
  readonly maxSampleUs: number;
}

/** See the head of the file. Intervals in µs, sizes in core units. */
export interface MonitoringAttributes {
  readonly sampleIntervalUs: number;
  readonly aggrIntervalUs: number;
  readonly opsUpdateIntervalUs: number;
  readonly minNrRegions: number;
  readonly maxNrRegions: number;
  /** Bytes of one core unit; not 1 only for physical addresses. */
  readonly addrUnit: number;
  /** Smallest region, a power of two. */
  readonly minRegionSize: number;
  readonly intervalsGoal: IntervalsGoal;
}

/** The kernel's defaults: 5 ms, 100 ms, 60 s, 10 to 1000 regions of at least 4 KiB. */
export const DEFAULT_ATTRIBUTES: MonitoringAttributes = {
  sampleIntervalUs: 5_000,
  aggrIntervalUs: 100_000,
  opsUpdateIntervalUs: 60_000_000,
  minNrRegions: 10,
  maxNrRegions: 1_000,
  addrUnit: 1,
  minRegionSize: 4_096,
  intervalsGoal: { accessBp: 0, aggrs: 0, minSampleUs: 0, maxSampleUs: 0 },
};

/** Fewest regions that can be asked for: less would not hold the three ranges of an address space. */
const FEWEST_REGIONS = 3;

/** Refuses what the kernel refuses when attributes are set or committed (`damon_set_attrs`). Errors: DamonError EINVAL. */
export function validateAttributes(a: MonitoringAttributes): void {
  const { intervalsGoal: goal, sampleIntervalUs: sample } = a;
  if (goal.aggrs !== 0) {
    if (goal.minSampleUs > goal.maxSampleUs) {
      throw refused(`min_sample_us ${goal.minSampleUs} is above max_sample_us ${goal.maxSampleUs}`);
    }
    if (sample < goal.minSampleUs || sample > goal.maxSampleUs) {
      throw refused(`sample_us ${sample} is not within the goal's ${goal.minSampleUs} to ${goal.maxSampleUs}`);
    }
  }
  if (a.minNrRegions < FEWEST_REGIONS) throw refused(`min_nr_regions ${a.minNrRegions}: at least ${FEWEST_REGIONS}`);
  if (a.minNrRegions > a.maxNrRegions) {
    throw refused(`min_nr_regions ${a.minNrRegions} is above max_nr_regions ${a.maxNrRegions}`);
  }
  if (sample > a.aggrIntervalUs) throw refused(`sample_us ${sample} is above aggr_us ${a.aggrIntervalUs}`);
  if (a.addrUnit < 1) throw refused('addr_unit 0: at least 1');
  if (!isPowerOfTwo(a.minRegionSize)) throw refused(`min_region_sz ${a.minRegionSize} is no power of two`);
}

function refused(message: string): DamonError {
  return new DamonError('EINVAL', message);
}

function isPowerOfTwo(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && Number.isInteger(Math.log2(value));
}

/** Two intervals, which is all that most rules ask of the attributes. */
export type Intervals = Pick<MonitoringAttributes, 'sampleIntervalUs' | 'aggrIntervalUs'>;

/**
 * Samples of one aggregation, which is the highest access count (`damon_max_nr_accesses`). The kernel keeps it in 32 bits:
 * an interval ratio of 2^32 gives 0.
 */
export function maxNrAccesses({ sampleIntervalUs, aggrIntervalUs }: Intervals): number {
  return divide(aggrIntervalUs, sampleIntervalUs === 0 ? 1 : sampleIntervalUs) % 2 ** 32;
}

/** An access count in basis points of the highest one; 0 if that is 0. */
export function accessesToBasisPoints(nrAccesses: number, intervals: Intervals): number {
  const most = maxNrAccesses(intervals);
  return most === 0 ? 0 : divide(nrAccesses * BASIS_POINTS, most);
}

/** An access count under old intervals as one under new ones (`damon_nr_accesses_for_new_attrs`). */
export function accessesForNewAttributes(nrAccesses: number, from: Intervals, to: Intervals): number {
  return divide(accessesToBasisPoints(nrAccesses, from) * maxNrAccesses(to), BASIS_POINTS);
}

/** An age under old intervals as one under new ones (`damon_age_for_new_attrs`). */
export function ageForNewAttributes(age: number, from: Intervals, to: Intervals): number {
  return multiplyDivide(age, from.aggrIntervalUs, to.aggrIntervalUs);
}

/**
 * Converts one region's results to new intervals (`damon_update_monitoring_result`). `midAggregation`: the counters of the
 * running aggregation cannot be converted; they start over, and the moving sum goes by the aggregation before.
 */
export function updateMonitoringResult(
  d: DamonStore,
  region: number,
  from: Intervals,
  to: Intervals,
  midAggregation: boolean,
): void {
  const r = d.t.damonRegion;
  if (midAggregation) {
    r.lastNrAccesses[region] = accessesForNewAttributes(r.lastNrAccesses[region], from, to);
    r.nrAccessesBp[region] = r.lastNrAccesses[region] * BASIS_POINTS;
    r.nrAccesses[region] = 0;
  } else {
    r.nrAccesses[region] = accessesForNewAttributes(r.nrAccesses[region], from, to);
    r.nrAccessesBp[region] = r.nrAccesses[region] * BASIS_POINTS;
  }
  r.age[region] = ageForNewAttributes(r.age[region], from, to);
}

/** The attributes that a context has now; auto-tuning changes them. */
export function readAttributes(d: DamonStore): MonitoringAttributes {
  const c = d.t.damonContext;
  const at = d.context;
  return {
    sampleIntervalUs: c.sampleUs[at],
    aggrIntervalUs: c.aggrUs[at],
    opsUpdateIntervalUs: c.opsUpdateUs[at],
    minNrRegions: c.minNrRegions[at],
    maxNrRegions: c.maxNrRegions[at],
    addrUnit: c.addrUnit[at],
    minRegionSize: c.minRegionSize[at],
    intervalsGoal: {
      accessBp: c.goalAccessBp[at],
      aggrs: c.goalAggrs[at],
      minSampleUs: c.goalMinSampleUs[at],
      maxSampleUs: c.goalMaxSampleUs[at],
    },
  };
}

/** The sampling interval as a divisor: 0 counts as 1. */
export function sampleDivisor(d: DamonStore): number {
  return d.t.damonContext.sampleUs[d.context] || 1;
}

/**
 * Sets a context's attributes (`damon_set_attrs`). The marks of the next aggregation and layout update count from now, and
 * results are converted unless an interval is 0. Schemes' marks are the caller's. Errors: DamonError EINVAL.
 */
export function setAttributes(d: DamonStore, next: MonitoringAttributes): void {
  validateAttributes(next);
  const c = d.t.damonContext;
  const at = d.context;
  const before = readAttributes(d);
  const midAggregation = c.passedSamples[at] < c.nextAggregation[at];
  writeAttributes(d, next);
  const sample = sampleDivisor(d);
  c.nextAggregation[at] = c.passedSamples[at] + divide(next.aggrIntervalUs, sample);
  c.nextOpsUpdate[at] = c.passedSamples[at] + divide(next.opsUpdateIntervalUs, sample);
  c.aggrSamples[at] = divide(next.aggrIntervalUs, sample);
  const intervals = [before.sampleIntervalUs, before.aggrIntervalUs, next.sampleIntervalUs, next.aggrIntervalUs];
  if (intervals.includes(0)) return;
  for (const target of d.targets.rows(at)) {
    for (const region of d.regions.rows(target)) updateMonitoringResult(d, region, before, next, midAggregation);
  }
}

function writeAttributes(d: DamonStore, a: MonitoringAttributes): void {
  const c = d.t.damonContext;
  const at = d.context;
  c.sampleUs[at] = a.sampleIntervalUs;
  c.aggrUs[at] = a.aggrIntervalUs;
  c.opsUpdateUs[at] = a.opsUpdateIntervalUs;
  c.minNrRegions[at] = a.minNrRegions;
  c.maxNrRegions[at] = a.maxNrRegions;
  c.addrUnit[at] = a.addrUnit;
  c.minRegionSize[at] = a.minRegionSize;
  c.goalAccessBp[at] = a.intervalsGoal.accessBp;
  c.goalAggrs[at] = a.intervalsGoal.aggrs;
  c.goalMinSampleUs[at] = a.intervalsGoal.minSampleUs;
  c.goalMaxSampleUs[at] = a.intervalsGoal.maxSampleUs;
}
