// Whatever is done to regions, they stay sorted and apart, cover what they covered, and lose no counts but to rounding.

import { Random } from '@thplab/arena';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Damon } from '../damon.js';
import { bareContext, layout, onlyTarget, setCounters } from '../testing/bare-context.js';
import { setRegions } from './layout.js';
import { mergeRegions } from './merge.js';
import { type AddressRange, snapshotRegions } from './regions.js';
import { applyMinNrRegions, splitRegions } from './split.js';

const STEP = 16;

/** Ascending ranges with holes or without, aligned to STEP. */
const someRanges = fc
  .array(fc.record({ hole: fc.nat(3), size: fc.integer({ min: 1, max: 400 }) }), { minLength: 1, maxLength: 12 })
  .map((parts) => {
    let at = 0;
    return parts.map(({ hole, size }): AddressRange => {
      const start = at + hole * STEP;
      at = start + size * STEP;
      return { start, end: at };
    });
  });

function inOrder(d: Damon): boolean {
  return layout(d).every(([start, end], i, all) => start < end && (i === 0 || (all[i - 1] as number[])[1] <= start));
}

/** Ranges with those that touch joined. */
function covered(pairs: readonly (readonly [number, number])[]): [number, number][] {
  const joined: [number, number][] = [];
  for (const [start, end] of pairs) {
    const last = joined.at(-1);
    if (last !== undefined && last[1] === start) last[1] = end;
    else joined.push([start, end]);
  }
  return joined;
}

function weightedAccesses(d: Damon): number {
  return snapshotRegions(d, onlyTarget(d)).reduce((sum, r) => sum + r.nrAccesses * (r.end - r.start), 0);
}

describe('regions', () => {
  it('stay in order and cover the same through merging, enforcing and splitting; splitting stays below the maximum', () => {
    fc.assert(
      fc.property(someRanges, fc.integer(), fc.integer({ min: 3, max: 20 }), fc.nat(20), (regions, seed, min, most) => {
        const attributes = { minRegionSize: STEP, minNrRegions: min, maxNrRegions: 3 * min };
        const d = bareContext(regions, { attributes });
        const before = covered(layout(d));
        const random = new Random(seed);
        setCounters(
          d,
          regions.map(() => ({ nr: random.below(21), last: random.below(21), age: random.below(9) })),
        );
        for (let round = 0; round < 6; round++) {
          mergeRegions(d, Math.floor(most / 10), 4_000, { agesOnEachMergePass: round % 2 === 0 });
          expect(inOrder(d)).toBe(true);
          const limit = applyMinNrRegions(d);
          expect(layout(d).every(([start, end]) => end - start <= limit)).toBe(true);
          const count = layout(d).length;
          splitRegions(d, random, { splitMemoShared: false });
          expect(layout(d).length).toBeLessThanOrEqual(Math.max(count, 3 * min));
          expect(inOrder(d)).toBe(true);
          expect(covered(layout(d))).toEqual(before);
          expect(d.t.damonTarget.nrRegions[onlyTarget(d)]).toBe(layout(d).length);
        }
        expect(d.t.damonRegion.pool.live).toBe(layout(d).length);
        expect(d.t.damonRegion.pool.defect()).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });

  it('keep the sum of counts times sizes when cut, and lose less than one count a byte when joined', () => {
    fc.assert(
      fc.property(someRanges, fc.integer(), (regions, seed) => {
        const random = new Random(seed);
        const d = bareContext(regions, { attributes: { minRegionSize: STEP, maxNrRegions: 1_000 } });
        setCounters(
          d,
          regions.map(() => ({ nr: random.below(21) })),
        );
        const before = weightedAccesses(d);
        splitRegions(d, random, { splitMemoShared: false });
        applyMinNrRegions(d);
        expect(weightedAccesses(d)).toBe(before);
        const parts = layout(d).length;
        mergeRegions(d, 20, Number.MAX_SAFE_INTEGER, { agesOnEachMergePass: false });
        const joins = parts - layout(d).length;
        const bytes = layout(d).reduce((sum, [start, end]) => sum + end - start, 0);
        expect(weightedAccesses(d)).toBeLessThanOrEqual(before);
        expect(before - weightedAccesses(d)).toBeLessThanOrEqual(joins * bytes);
      }),
      { numRuns: 150 },
    );
  });

  it('cover exactly the new ranges after a change of layout', () => {
    fc.assert(
      fc.property(someRanges, someRanges, (regions, next) => {
        const d = bareContext(regions, { attributes: { minRegionSize: STEP } });
        setRegions(d, onlyTarget(d), next, STEP);
        expect(inOrder(d)).toBe(true);
        const pairs = next.map(({ start, end }): [number, number] => [start, end]);
        expect(covered(layout(d))).toEqual(covered(pairs));
      }),
      { numRuns: 300 },
    );
  });
});
