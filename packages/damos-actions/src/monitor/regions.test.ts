// Counters, age, cutting and joining of regions (DAMON spec 1.3 to 1.7, 11.1, 11.2).

import { Random } from '@thplab/arena';
import { describe, expect, it } from 'vitest';
import { chooseSamplingAddress } from '../access/sampling.js';
import { createDamon } from '../create.js';
import { bareContext, layout, onlyTarget, setCounters } from '../testing/bare-context.js';
import {
  APPLY_MIN_REGIONS,
  EVENLY_SPLIT,
  MERGE_REGIONS_OF,
  MERGE_TWO,
  MOVING_SUM,
  NEW_REGION,
  RESET_AGGREGATED,
  ranges,
  SPLIT_AT,
  SPLIT_REGIONS_OF,
} from '../testing/golden.js';
import {
  AGES,
  AGES_OF_PASSES,
  CUTS,
  MERGE_REPEATED,
  MOVING_SUM_ENDS,
  SAMPLING,
  SIZE_LIMITS_BEFORE_71,
  SPLIT_MEMO,
  SPLIT_PASSES,
  SPLIT_SMALL,
} from '../testing/golden-monitoring.js';
import { profileNamed, refusal } from '../testing/rounds.js';
import { countSample, movingSum, resetAggregated } from './counters.js';
import { mergeRegions, mergeRegionsOf, nextAge } from './merge.js';
import { snapshotRegion, snapshotRegions, splitRegionAt } from './regions.js';
import { applyMinNrRegions, evenlySplitRegion, regionSizeLimit, splitRegions, splitRegionsOf } from './split.js';

/** True if `change` goes through, false if it is refused with EINVAL. */
function isTaken(change: () => void): boolean {
  const result = refusal(change);
  expect(['taken', 'EINVAL']).toContain(result);
  return result === 'taken';
}

describe('the sampling address', () => {
  it('is any of the region, each as likely', () => {
    const { region, draws, least, most } = SAMPLING;
    const d = bareContext(ranges([region]));
    const random = new Random(5);
    const counts = new Map<number, number>();
    for (let i = 0; i < draws; i++) {
      const address = chooseSamplingAddress(d, d.regions.first(onlyTarget(d)), random);
      counts.set(address, (counts.get(address) ?? 0) + 1);
    }
    expect([Math.min(...counts.keys()), Math.max(...counts.keys()), counts.size]).toEqual([
      region[0],
      region[1] - 1,
      region[1] - region[0],
    ]);
    expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(least);
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(most);
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
    const { aggregations, samples } = MOVING_SUM_ENDS;
    const d = bareContext(ranges([[0, 10]]));
    const region = d.regions.first(onlyTarget(d));
    const random = new Random(3);
    for (let aggregation = 0; aggregation < aggregations; aggregation++) {
      for (let sample = 0; sample < samples; sample++) countSample(d, region, random.below(3) === 0, samples);
      const { nrAccesses, nrAccessesBp } = snapshotRegion(d, region);
      expect(nrAccessesBp).toBe(nrAccesses * 10_000);
      resetAggregated(d);
      expect(snapshotRegion(d, region)).toMatchObject({ nrAccesses: 0, lastNrAccesses: nrAccesses });
    }
  });
});

describe('age', () => {
  it.each(AGES)('$row: $age goes to $after from $last to $nr samples, threshold $threshold', (row) => {
    expect(nextAge(row.age, row.nr, row.last, row.threshold)).toBe(row.after);
  });

  it.each(AGES_OF_PASSES)('$row: $age after all passes', ({ agesOnEachMergePass, regions, age }) => {
    const { threshold, limit, maxNrRegions } = MERGE_REPEATED;
    const apart = Array.from({ length: regions }, (_, i) => ({ start: i * 20, end: i * 20 + 10 }));
    const d = bareContext(apart, { attributes: { minNrRegions: 3, maxNrRegions } });
    mergeRegions(d, threshold, limit, { agesOnEachMergePass });
    const ages = snapshotRegions(d, onlyTarget(d)).map((region) => region.age);
    expect(ages).toEqual(new Array(regions).fill(age));
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
    const { range, nr, last, bp, age } = merged;
    expect(snapshotRegions(d, onlyTarget(d))).toEqual([
      { start: range[0], end: range[1], nrAccesses: nr, lastNrAccesses: last, nrAccessesBp: bp, age },
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

  it.each(SPLIT_REGIONS_OF)('$row: at random makes at most $most regions', ({ regions, pieces, minSize, most }) => {
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
    const { size, maxNrRegions, before, counts } = SPLIT_PASSES;
    const d = bareContext(ranges([[0, size]]), { attributes: { minNrRegions: 3, maxNrRegions } });
    d.t.damonContext.lastNrRegions[d.context] = before;
    const seen = counts.map(() => {
      splitRegions(d, new Random(1), { splitMemoShared: false });
      return layout(d).length;
    });
    expect(seen).toEqual(counts);
  });

  it.each(SPLIT_MEMO)('$row: two contexts of $profile make $counts', ({ profile: name, counts }) => {
    const profile = profileNamed(name);
    const one = bareContext(ranges([[0, 1_000]]), { profile });
    const config = { machine: one.m, profile, operations: 'paddr' as const, contextIndex: 1 };
    const other = createDamon({ ...config, targets: [{ regions: ranges([[0, 1_000_000]]) }] });
    const seen = [one, other].map((d) => {
      splitRegions(d, new Random(1), profile);
      return layout(d).length;
    });
    expect(seen).toEqual(counts);
  });

  it.each(SPLIT_SMALL)('$row: $size bytes in steps of $minSize make $most at most', ({ size, minSize, most }) => {
    const counts = new Set<number>();
    for (let seed = 0; seed < 50; seed++) {
      const d = bareContext(ranges([[0, size]]));
      splitRegionsOf(d, onlyTarget(d), 2, minSize, new Random(seed));
      counts.add(layout(d).length);
    }
    expect(Math.max(...counts)).toBe(most);
  });

  it('joins more and more unlike neighbours while there are too many', () => {
    const { threshold, limit, maxNrRegions, nrs, merged } = MERGE_REPEATED;
    const parts = nrs.map((_, i) => ({ start: i * 10, end: i * 10 + 10 }));
    const d = bareContext(parts, { attributes: { minNrRegions: 3, maxNrRegions } });
    setCounters(
      d,
      nrs.map((nr) => ({ nr })),
    );
    mergeRegions(d, threshold, limit, { agesOnEachMergePass: false });
    expect(layout(d)).toEqual(merged);
  });

  it.each(APPLY_MIN_REGIONS)('$row: keeps $minNr regions in $size bytes of pieces of $limit', (row) => {
    const d = bareContext(ranges([[0, row.size]]), {
      attributes: { minRegionSize: row.minSize, minNrRegions: 3, maxNrRegions: 100 },
    });
    d.t.damonContext.minNrRegions[d.context] = row.minNr;
    expect(applyMinNrRegions(d)).toBe(row.limit);
    expect(layout(d)).toHaveLength(row.count);
  });

  it.each(SIZE_LIMITS_BEFORE_71)('$row: before 7.1 limits regions of $size in all to $limit', (row) => {
    const attributes = { minRegionSize: row.minSize, minNrRegions: row.minNr, maxNrRegions: 100 };
    expect(regionSizeLimit(bareContext(ranges([[0, row.size]]), { attributes }))).toBe(row.limit);
  });

  it.each(EVENLY_SPLIT)('$row: evenly $range by $pieces', ({ range, pieces, result }) => {
    const d = bareContext(ranges([range]));
    const target = onlyTarget(d);
    const taken = isTaken(() => evenlySplitRegion(d, target, d.regions.first(target), pieces, 1));
    expect(taken).toBe(result !== undefined);
    expect(layout(d)).toEqual(result ?? [range]);
  });
});
