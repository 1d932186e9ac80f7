// The layout of targets, and auto-tuning of the intervals (DAMON spec 1.8, 1.9, 11.1, 11.2).

import { describe, expect, it } from 'vitest';
import { damonRegions } from '../create.js';
import { damon618 } from '../profile.js';
import { bareContext, layout, onlyTarget, setCounters } from '../testing/bare-context.js';
import { makeDamonWorld, PAGE_SIZE } from '../testing/damon-world.js';
import { ranges, SET_REGIONS, THREE_REGIONS } from '../testing/golden.js';
import {
  ALIGNED_LAYOUT,
  EQUAL_HOLES,
  INTERVALS_TUNING,
  LARGEST_NODE,
  SURVIVOR,
  TOO_FEW_HOLES,
  TUNED,
} from '../testing/golden-monitoring.js';
import { readAttributes } from './attributes.js';
import { setRegions, threeRegions } from './layout.js';
import { snapshotRegions } from './regions.js';
import { intervalsAdaptationBp, intervalsScore, tuneIntervals } from './tune-intervals.js';

describe('the layout of a target', () => {
  it('has the three ranges between the two largest holes', () => {
    expect(threeRegions(ranges(THREE_REGIONS.vmas), 1)).toEqual(ranges(THREE_REGIONS.result));
  });

  it('keeps the earlier hole of equal ones', () => {
    expect(threeRegions(ranges(EQUAL_HOLES.vmas), 1)).toEqual(ranges(EQUAL_HOLES.result));
  });

  it.each(TOO_FEW_HOLES)('$row: none', ({ vmas }) => {
    expect(threeRegions(ranges(vmas), 1)).toBeUndefined();
  });

  it('is aligned to the smallest region', () => {
    const { minSize, vmas, three, region, range, fitted } = ALIGNED_LAYOUT;
    expect(threeRegions(ranges(vmas), minSize)).toEqual(ranges(three));
    const d = bareContext(ranges([region]));
    setRegions(d, onlyTarget(d), ranges([range]), minSize);
    expect(layout(d)).toEqual([fitted]);
  });

  it.each(SET_REGIONS)('$row: $regions fits to $ranges', (row) => {
    const d = bareContext(ranges(row.regions));
    setRegions(d, onlyTarget(d), ranges(row.ranges), 1);
    expect(layout(d)).toEqual(row.result);
  });

  it('keeps the counts of what survives', () => {
    const { region, counters, range } = SURVIVOR;
    const d = bareContext(ranges([region]));
    setCounters(d, [counters]);
    setRegions(d, onlyTarget(d), ranges([range]), 1);
    const [start, end] = range;
    expect(snapshotRegions(d, onlyTarget(d))).toMatchObject([
      { start, end, nrAccesses: counters.nr, age: counters.age },
    ]);
  });

  it('of physical memory is the largest node, if the user gives none', () => {
    const { nodePages, range } = LARGEST_NODE;
    const w = makeDamonWorld({ nodePages });
    const d = w.start({ operations: 'paddr', targets: [{}], profile: damon618 });
    w.pass(0.004);
    const regions = damonRegions(d);
    expect([regions[0]?.start, regions.at(-1)?.end]).toEqual(range.map((page) => page * PAGE_SIZE));
  });
});

describe('auto-tuning of the intervals', () => {
  it.each(INTERVALS_TUNING.factors)(
    '$row: changes them by $factor at $observedPercent %',
    ({ observedPercent, factor }) => {
      const score = intervalsScore(BigInt(observedPercent), 100n, INTERVALS_TUNING.goalBp);
      expect(intervalsAdaptationBp(score) / 10_000).toBe(factor);
    },
  );

  it('keeps the ratio, and stays between the bounds', () => {
    const { minSampleUs, maxSampleUs, steps } = TUNED;
    const goal = { accessBp: INTERVALS_TUNING.goalBp, aggrs: 1, minSampleUs, maxSampleUs };
    const d = bareContext(ranges([[0, 1_000_000]]), { attributes: { intervalsGoal: goal } });
    for (const { nr, sampleUs, aggrUs } of steps) {
      setCounters(d, [{ nr }]);
      expect(tuneIntervals(d)).toBe(sampleUs);
      expect(readAttributes(d)).toMatchObject({ sampleIntervalUs: sampleUs, aggrIntervalUs: aggrUs });
    }
  });
});
