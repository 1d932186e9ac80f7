import { Random } from '@thplab/arena';
import { describe, expect, it } from 'vitest';
import { createDamon } from '../create.js';
import { DamonError } from '../errors.js';
import { bareContext, layout, onlyTarget, setCounters } from '../testing/bare-context.js';
import {
  ACCESSES_TO_BP_OVERFLOW,
  AGES,
  APPLY_MIN_REGIONS,
  CHANGE_WITHIN_AGGREGATION,
  CUTS,
  DEFAULTS,
  EQUAL_HOLES,
  EVENLY_SPLIT,
  INTERVALS_TUNING,
  MAX_NR_ACCESSES,
  MERGE_REGIONS_OF,
  MERGE_TWO,
  MIN_REGION_SIZES,
  MOVING_SUM,
  NEW_REGION,
  RESET_AGGREGATED,
  ranges,
  SET_ATTRS,
  SET_INTERVALS_GOALS,
  SET_REGIONS,
  SIZE_LIMITS_BEFORE_71,
  SMALLEST_REGIONS,
  SPLIT_AT,
  SPLIT_REGIONS_OF,
  THREE_REGIONS,
  TOO_FEW_HOLES,
  UPDATE_RESULT,
} from '../testing/golden.js';
import {
  accessesToBasisPoints,
  DEFAULT_ATTRIBUTES,
  maxNrAccesses,
  readAttributes,
  setAttributes,
  updateMonitoringResult,
  validateAttributes,
} from './attributes.js';
import { countSample, movingSum, resetAggregated } from './counters.js';
import { setRegions, threeRegions } from './layout.js';
import { mergeRegions, mergeRegionsOf, nextAge } from './merge.js';
import { snapshotRegion, snapshotRegions, splitRegionAt } from './regions.js';
import { applyMinNrRegions, evenlySplitRegion, regionSizeLimit, splitRegions, splitRegionsOf } from './split.js';
import { intervalsAdaptationBp, intervalsScore, tuneIntervals } from './tune-intervals.js';

/** True if `change` goes through, false if it is refused with EINVAL; any other error is thrown on. */
function isTaken(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (error instanceof DamonError && error.errno === 'EINVAL') return false;
    throw error;
  }
}

describe('attributes', () => {
  it('have the defaults of the kernel', () => {
    expect(DEFAULT_ATTRIBUTES).toEqual(Object.fromEntries(DEFAULTS.map(({ attribute, value }) => [attribute, value])));
  });

  it.each(SMALLEST_REGIONS)('of physical addresses in units of $addrUnit: regions of $size at least', (row) => {
    const { m: machine } = bareContext([]);
    const d = createDamon({ machine, operations: 'paddr', targets: [{}], attributes: { addrUnit: row.addrUnit } });
    expect(readAttributes(d).minRegionSize).toBe(row.size);
  });

  it.each(MAX_NR_ACCESSES)('sample $sample aggr $aggr: $most samples in an aggregation', ({ sample, aggr, most }) => {
    expect(maxNrAccesses({ sampleIntervalUs: sample, aggrIntervalUs: aggr })).toBe(most);
  });

  it.each(SET_ATTRS)('sample $sample aggr $aggr regions $min to $max: taken $taken', ({ taken, ...a }) => {
    const attributes = {
      ...DEFAULT_ATTRIBUTES,
      sampleIntervalUs: a.sample,
      aggrIntervalUs: a.aggr,
      minNrRegions: a.min,
      maxNrRegions: a.max,
    };
    expect(isTaken(() => validateAttributes(attributes))).toBe(taken);
  });

  it.each(MIN_REGION_SIZES)('min_region_sz $size: taken $taken', ({ size, taken }) => {
    expect(isTaken(() => validateAttributes({ ...DEFAULT_ATTRIBUTES, minRegionSize: size }))).toBe(taken);
  });

  it.each(SET_INTERVALS_GOALS)('sample $sample, tuned each $aggrs within $minSample to $maxSample: $taken', (row) => {
    const { sample: sampleIntervalUs, aggrs, minSample: minSampleUs, maxSample: maxSampleUs, taken } = row;
    const intervalsGoal = { accessBp: INTERVALS_TUNING.goalBp, aggrs, minSampleUs, maxSampleUs };
    const attributes = { ...DEFAULT_ATTRIBUTES, sampleIntervalUs, intervalsGoal };
    expect(isTaken(() => validateAttributes(attributes))).toBe(taken);
  });

  it('refuse an address unit of 0', () => {
    expect(isTaken(() => validateAttributes({ ...DEFAULT_ATTRIBUTES, addrUnit: 0 }))).toBe(false);
  });

  it('whose ratio passes 32 bits count no accesses', () => {
    const { nr, sample, aggr, bp } = ACCESSES_TO_BP_OVERFLOW;
    expect(accessesToBasisPoints(nr, { sampleIntervalUs: sample, aggrIntervalUs: aggr })).toBe(bp);
  });

  it('that change convert results to their units', () => {
    const d = bareContext(ranges([[3, 7]]));
    const region = d.regions.first(onlyTarget(d));
    setCounters(d, [UPDATE_RESULT.start]);
    const intervals = ({ sample, aggr }: { sample: number; aggr: number }) => ({
      sampleIntervalUs: sample,
      aggrIntervalUs: aggr,
    });
    for (const step of UPDATE_RESULT.steps) {
      updateMonitoringResult(d, region, intervals(UPDATE_RESULT.from), intervals(step), false);
      expect(snapshotRegion(d, region)).toMatchObject({
        nrAccesses: step.nr,
        nrAccessesBp: step.nr * 10_000,
        age: step.age,
      });
    }
  });

  it('with an interval of 0 convert nothing', () => {
    const { from, start, steps } = UPDATE_RESULT;
    const intervals = { sampleIntervalUs: from.sample, aggrIntervalUs: from.aggr };
    const d = bareContext(ranges([[0, 10]]), { attributes: { ...intervals, sampleIntervalUs: 0 } });
    setCounters(d, [start]);
    setAttributes(d, { ...readAttributes(d), aggrIntervalUs: steps[0].aggr });
    expect(snapshotRegions(d, onlyTarget(d))).toMatchObject([{ nrAccesses: start.nr, age: start.age }]);
  });

  it('that change within an aggregation start its counts over and go by the last one', () => {
    const d = bareContext(ranges([[0, 10]]));
    const c = d.t.damonContext;
    const { passed, aggr, before, after, nextAggregation, nextOpsUpdate } = CHANGE_WITHIN_AGGREGATION;
    setCounters(d, [before]);
    c.passedSamples[d.context] = passed;
    setAttributes(d, { ...readAttributes(d), aggrIntervalUs: aggr });
    expect(snapshotRegions(d, onlyTarget(d))).toMatchObject([after]);
    expect([c.nextAggregation[d.context], c.nextOpsUpdate[d.context]]).toEqual([nextAggregation, nextOpsUpdate]);
  });
});

describe('counters', () => {
  it('of a new region are 0', () => {
    const { range, nr, age } = NEW_REGION;
    const d = bareContext(ranges([range]));
    const zero = { nrAccesses: nr, lastNrAccesses: nr, nrAccessesBp: nr, age };
    expect(snapshotRegions(d, onlyTarget(d))).toEqual([{ start: range[0], end: range[1], ...zero }]);
  });

  it('start over at the end of an aggregation; targets and regions stay', () => {
    const d = bareContext(ranges(RESET_AGGREGATED.regions));
    setCounters(
      d,
      RESET_AGGREGATED.nrs.map((nr) => ({ nr })),
    );
    resetAggregated(d);
    expect(layout(d)).toEqual(RESET_AGGREGATED.regions);
    expect([...d.targets.rows(d.context)]).toHaveLength(1);
    const counts = snapshotRegions(d, onlyTarget(d)).map(({ nrAccesses, lastNrAccesses }) => [
      nrAccesses,
      lastNrAccesses,
    ]);
    expect(counts).toEqual(RESET_AGGREGATED.nrs.map((nr) => [0, nr]));
  });

  it('move a sum over a window of which only the total is known', () => {
    let sum: number = MOVING_SUM.start;
    const sums = MOVING_SUM.added.map((added) => {
      sum = movingSum(sum, MOVING_SUM.last, MOVING_SUM.window, added);
      return sum;
    });
    expect(sums).toEqual(MOVING_SUM.sums);
  });

  it('agree with the moving sum at the end of an aggregation', () => {
    const d = bareContext(ranges([[0, 10]]));
    const region = d.regions.first(onlyTarget(d));
    const random = new Random(3);
    for (let aggregation = 0; aggregation < 20; aggregation++) {
      for (let sample = 0; sample < 20; sample++) countSample(d, region, random.below(3) === 0, 20);
      const { nrAccesses, nrAccessesBp } = snapshotRegion(d, region);
      expect(nrAccessesBp).toBe(nrAccesses * 10_000);
      resetAggregated(d);
      expect(snapshotRegion(d, region)).toMatchObject({ nrAccesses: 0, lastNrAccesses: nrAccesses });
    }
  });
});

describe('age', () => {
  it.each(AGES)('$age goes to $after from $last to $nr samples, threshold $threshold', (row) => {
    expect(nextAge(row.age, row.nr, row.last, row.threshold)).toBe(row.after);
  });

  it('is counted once or in each repetition of a merge pass, as the profile says', () => {
    const apart = Array.from({ length: 6 }, (_, i) => ({ start: i * 20, end: i * 20 + 10 }));
    const attributes = { minNrRegions: 3, maxNrRegions: 3 };
    const ages = (agesOnEachMergePass: boolean): number[] => {
      const d = bareContext(apart, { attributes });
      mergeRegions(d, 1, 1_000, { agesOnEachMergePass });
      return snapshotRegions(d, onlyTarget(d)).map(({ age }) => age);
    };
    expect(ages(false)).toEqual([1, 1, 1, 1, 1, 1]);
    // Thresholds 1, 2, 4, 8, 16: the next one, 32, is beyond 20 samples when halved no more.
    expect(new Set(ages(true))).toEqual(new Set([6]));
  });
});

describe('cutting and joining', () => {
  it('gives the right part all that the left part knows', () => {
    const { region, at, nr, last, bp, age } = SPLIT_AT;
    const d = bareContext(ranges([region]));
    setCounters(d, [{ nr, last, bp, age }]);
    splitRegionAt(d, onlyTarget(d), d.regions.first(onlyTarget(d)), at);
    const same = { nrAccesses: nr, lastNrAccesses: last, nrAccessesBp: bp, age };
    expect(snapshotRegions(d, onlyTarget(d))).toEqual([
      { start: region[0], end: at, ...same },
      { start: at, end: region[1], ...same },
    ]);
  });

  it('weighs counts and ages by size', () => {
    const { left, right, merged } = MERGE_TWO;
    const d = bareContext(ranges([left.range, right.range]));
    setCounters(d, [left, right]);
    mergeRegionsOf(d, onlyTarget(d), 100, 1_000, false);
    const { range, nr, bp, age } = merged;
    expect(snapshotRegions(d, onlyTarget(d))).toEqual([
      { start: range[0], end: range[1], nrAccesses: nr, lastNrAccesses: 0, nrAccessesBp: bp, age },
    ]);
  });

  it('joins neighbours that touch, differ little and are together not too large', () => {
    const { threshold, limit, starts, ends, nrs, merged } = MERGE_REGIONS_OF;
    const d = bareContext(starts.map((start, i) => ({ start, end: ends[i] as number })));
    setCounters(
      d,
      nrs.map((nr) => ({ nr })),
    );
    mergeRegionsOf(d, onlyTarget(d), threshold, limit);
    expect(layout(d)).toEqual(merged);
  });

  it.each(SPLIT_REGIONS_OF)('at random makes at most $most regions', ({ regions, pieces, minSize, most }) => {
    for (let seed = 0; seed < 50; seed++) {
      const d = bareContext(ranges(regions));
      splitRegionsOf(d, onlyTarget(d), pieces, minSize, new Random(seed));
      const parts = layout(d);
      expect(parts.length).toBeLessThanOrEqual(most);
      expect(parts.length).toBeGreaterThan(regions.length);
      expect(Math.min(...parts.map(([start, end]) => end - start))).toBeGreaterThanOrEqual(minSize);
    }
  });

  it('at random cuts no nearer to an end than a tenth of the size', () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 100; seed++) {
      const d = bareContext(ranges([[0, CUTS.size]]));
      splitRegionsOf(d, onlyTarget(d), 2, 1, new Random(seed));
      lengths.add(layout(d)[0]?.[1] as number);
    }
    expect([...lengths].sort((a, b) => a - b)).toEqual(CUTS.at);
  });

  it('makes three parts when two brought nothing, and none above half of the maximum', () => {
    const d = bareContext(ranges([[0, 10_000]]), { attributes: { minNrRegions: 3, maxNrRegions: 12 } });
    const memo = { splitMemoShared: false };
    d.t.damonContext.lastNrRegions[d.context] = 1;
    splitRegions(d, new Random(1), memo);
    expect(layout(d)).toHaveLength(3);
    splitRegions(d, new Random(1), memo);
    expect(layout(d)).toHaveLength(6);
    splitRegions(d, new Random(1), memo);
    expect(layout(d).length).toBeGreaterThan(6);
    const many = layout(d).length;
    splitRegions(d, new Random(1), memo);
    expect(layout(d)).toHaveLength(many);
  });

  it.each(APPLY_MIN_REGIONS)('keeps $minNr regions in $size bytes of pieces of $limit', (row) => {
    const d = bareContext(ranges([[0, row.size]]), {
      attributes: { minRegionSize: row.minSize, minNrRegions: 3, maxNrRegions: 100 },
    });
    d.t.damonContext.minNrRegions[d.context] = row.minNr;
    expect(applyMinNrRegions(d)).toBe(row.limit);
    expect(layout(d)).toHaveLength(row.count);
  });

  it.each(SIZE_LIMITS_BEFORE_71)('before 7.1 limits regions of $size in all to $limit', (row) => {
    const attributes = { minRegionSize: row.minSize, minNrRegions: row.minNr, maxNrRegions: 100 };
    expect(regionSizeLimit(bareContext(ranges([[0, row.size]]), { attributes }))).toBe(row.limit);
  });

  it.each(EVENLY_SPLIT)('evenly $range by $pieces', ({ range, pieces, result }) => {
    const d = bareContext(ranges([range]));
    const target = onlyTarget(d);
    const taken = isTaken(() => evenlySplitRegion(d, target, d.regions.first(target), pieces, 1));
    expect(taken).toBe(result !== undefined);
    expect(layout(d)).toEqual(result ?? [range]);
  });
});

describe('the layout of a target', () => {
  it('has the three ranges between the two largest holes', () => {
    expect(threeRegions(ranges(THREE_REGIONS.vmas), 1)).toEqual(ranges(THREE_REGIONS.result));
  });

  it('keeps the earlier hole of equal ones', () => {
    expect(threeRegions(ranges(EQUAL_HOLES.vmas), 1)).toEqual(ranges(EQUAL_HOLES.result));
  });

  it.each(TOO_FEW_HOLES)('is none without two holes', (...vmas) => {
    expect(threeRegions(ranges(vmas), 1)).toBeUndefined();
  });

  it.each(SET_REGIONS)('$regions fits to $ranges', (row) => {
    const d = bareContext(ranges(row.regions));
    setRegions(d, onlyTarget(d), ranges(row.ranges), 1);
    expect(layout(d)).toEqual(row.result);
  });

  it('keeps the counts of what survives', () => {
    const d = bareContext(ranges([[10, 20]]));
    setCounters(d, [{ nr: 7, age: 3 }]);
    setRegions(d, onlyTarget(d), ranges([[5, 40]]), 1);
    expect(snapshotRegions(d, onlyTarget(d))).toMatchObject([{ start: 5, end: 40, nrAccesses: 7, age: 3 }]);
  });
});

describe('auto-tuning of the intervals', () => {
  it.each(INTERVALS_TUNING.factors)('changes them by $factor at $observedPercent %', ({ observedPercent, factor }) => {
    const score = intervalsScore(BigInt(observedPercent), 100n, INTERVALS_TUNING.goalBp);
    expect(intervalsAdaptationBp(score) / 10_000).toBe(factor);
  });

  it('keeps the ratio, and stays between the bounds', () => {
    const goal = { accessBp: INTERVALS_TUNING.goalBp, aggrs: 1, minSampleUs: 5_000, maxSampleUs: 8_000 };
    const d = bareContext(ranges([[0, 1_000_000]]), { attributes: { intervalsGoal: goal } });
    expect(tuneIntervals(d)).toBe(8_000);
    expect(readAttributes(d)).toMatchObject({ sampleIntervalUs: 8_000, aggrIntervalUs: 160_000 });
    setCounters(d, [{ nr: 20 }]);
    expect(tuneIntervals(d)).toBe(5_000);
    expect(readAttributes(d).aggrIntervalUs).toBe(100_000);
  });
});
