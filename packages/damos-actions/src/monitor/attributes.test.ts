// Attributes: defaults, what is refused, what a change does to results (DAMON spec 1.1, 11.1).

import { describe, expect, it } from 'vitest';
import { createDamon } from '../create.js';
import { bareContext, onlyTarget, setCounters } from '../testing/bare-context.js';
import { ACCESSES_TO_BP_OVERFLOW, ranges, UPDATE_RESULT } from '../testing/golden.js';
import {
  ADDR_UNITS,
  CHANGE_FROM_ZERO,
  CHANGE_WITHIN_AGGREGATION,
  DEFAULTS,
  INTERVALS_TUNING,
  MAX_NR_ACCESSES,
  MIN_REGION_SIZES,
  SET_ATTRS,
  SET_INTERVALS_GOALS,
  SMALLEST_REGIONS,
} from '../testing/golden-monitoring.js';
import { refusal } from '../testing/rounds.js';
import {
  accessesToBasisPoints,
  DEFAULT_ATTRIBUTES,
  maxNrAccesses,
  readAttributes,
  setAttributes,
  updateMonitoringResult,
  validateAttributes,
} from './attributes.js';
import { snapshotRegion, snapshotRegions } from './regions.js';

/** True if `change` goes through, false if it is refused with EINVAL. */
function isTaken(change: () => void): boolean {
  const result = refusal(change);
  expect(['taken', 'EINVAL']).toContain(result);
  return result === 'taken';
}

describe('attributes', () => {
  it('have the defaults of the kernel', () => {
    expect(DEFAULT_ATTRIBUTES).toEqual(Object.fromEntries(DEFAULTS.map(({ attribute, value }) => [attribute, value])));
  });

  it.each(SMALLEST_REGIONS)('$row: of physical addresses in units of $addrUnit: regions of $size at least', (row) => {
    const { m: machine } = bareContext([]);
    const d = createDamon({ machine, operations: 'paddr', targets: [{}], attributes: { addrUnit: row.addrUnit } });
    expect(readAttributes(d).minRegionSize).toBe(row.size);
  });

  it.each(MAX_NR_ACCESSES)(
    '$row: sample $sample aggr $aggr: $most samples in an aggregation',
    ({ sample, aggr, most }) => {
      expect(maxNrAccesses({ sampleIntervalUs: sample, aggrIntervalUs: aggr })).toBe(most);
    },
  );

  it.each(SET_ATTRS)('$row: sample $sample aggr $aggr regions $min to $max: taken $taken', ({ taken, ...a }) => {
    const attributes = {
      ...DEFAULT_ATTRIBUTES,
      sampleIntervalUs: a.sample,
      aggrIntervalUs: a.aggr,
      minNrRegions: a.min,
      maxNrRegions: a.max,
    };
    expect(isTaken(() => validateAttributes(attributes))).toBe(taken);
  });

  it.each(MIN_REGION_SIZES)('$row: min_region_sz $size: taken $taken', ({ size, taken }) => {
    const { m: machine } = bareContext([]);
    const make = () =>
      createDamon({ machine, operations: 'paddr', targets: [{}], attributes: { minRegionSize: size } });
    expect(isTaken(make)).toBe(taken);
  });

  it.each(SET_INTERVALS_GOALS)(
    '$row: sample $sample, tuned each $aggrs within $minSample to $maxSample: $taken',
    (row) => {
      const { sample: sampleIntervalUs, aggrs, minSample: minSampleUs, maxSample: maxSampleUs, taken } = row;
      const intervalsGoal = { accessBp: INTERVALS_TUNING.goalBp, aggrs, minSampleUs, maxSampleUs };
      const attributes = { ...DEFAULT_ATTRIBUTES, sampleIntervalUs, intervalsGoal };
      expect(isTaken(() => validateAttributes(attributes))).toBe(taken);
    },
  );

  it.each(ADDR_UNITS)('$row: taken $taken', ({ addrUnit, taken }) => {
    expect(isTaken(() => validateAttributes({ ...DEFAULT_ATTRIBUTES, addrUnit }))).toBe(taken);
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
    const { from, to, kept } = CHANGE_FROM_ZERO;
    const attributes = { sampleIntervalUs: from.sample, aggrIntervalUs: from.aggr };
    const d = bareContext(ranges([[0, 10]]), { attributes });
    setCounters(d, [kept]);
    setAttributes(d, { ...readAttributes(d), sampleIntervalUs: to.sample, aggrIntervalUs: to.aggr });
    expect(snapshotRegions(d, onlyTarget(d))).toMatchObject([{ nrAccesses: kept.nr, age: kept.age }]);
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
