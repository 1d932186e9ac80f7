// The kernel's selftests that measure what monitoring finds (DAMON spec 11.3), with processors that have no TLB.

import { describe, expect, it } from 'vitest';
import type { Damon } from './damon.js';
import { damonMm } from './profile.js';
import { ANY_PATTERN, DAMOS_ACTIONS, type SchemeInput } from './schemes/scheme.js';
import { damosWalk, type TriedRegion } from './schemes/walk.js';
import { type AccessedMemory, accessMemory, accessMemoryEven } from './testing/access-memory.js';
import { type DamonWorld, makeDamonWorld } from './testing/damon-world.js';
import { ACCESS_MEMORY_EVEN, ACTION_NUMBERS, TRIED_REGIONS, WSS_ESTIMATION } from './testing/golden-selftests.js';

const STAT: SchemeInput = { action: 'stat', pattern: ANY_PATTERN };
/** Whatever was accessed at all. */
const ACCESSED: SchemeInput = {
  action: 'stat',
  pattern: { ...ANY_PATTERN, nrAccesses: { min: 1, max: 2 ** 32 - 1 } },
};

function monitor(w: DamonWorld, { mm, range }: AccessedMemory, scheme: SchemeInput): Damon {
  return w.start({ operations: 'fvaddr', targets: [{ mm, regions: [range] }], schemes: [scheme] });
}

/** Regions that the scheme tries in one round (the state command update_schemes_tried_regions). */
function tried(w: DamonWorld, d: Damon): TriedRegion[] {
  const seen: TriedRegion[] = [];
  expect(w.run(() => damosWalk(d, (region) => seen.push(region)))).toBe(0);
  return seen;
}

function bytes(regions: readonly { readonly start: number; readonly end: number }[]): number {
  return regions.reduce((sum, { start, end }) => sum + end - start, 0);
}

function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** As the script takes it: the value at that share of the sorted ones. */
function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length * percent) / 100)] as number;
}

describe('access_memory_even', () => {
  it.each(ACCESS_MEMORY_EVEN)('of $regions regions: finds the accessed half', (row) => {
    const w = makeDamonWorld();
    const memory = accessMemoryEven(w, row.regions, row.regionBytes);
    const d = monitor(w, memory, ACCESSED);
    w.pass(3);
    const rounds = Array.from({ length: 9 }, () => tried(w, d));
    expect(Math.abs(median(rounds.map(bytes)) / row.used - 1)).toBeLessThanOrEqual(row.error);
    // Not only as many bytes: the same bytes.
    const used = memory.parts.filter((_, i) => i % 2 === 0);
    const hit = (regions: readonly TriedRegion[]): number =>
      used.reduce(
        (sum, part) =>
          sum +
          bytes(
            regions.map((r) => ({
              start: Math.max(r.start, part.start),
              end: Math.max(r.start, part.start, Math.min(r.end, part.end)),
            })),
          ),
        0,
      );
    expect(Math.abs(median(rounds.map(hit)) / row.used - 1)).toBeLessThanOrEqual(row.error);
  });
});

describe('damos_tried_regions.py', () => {
  it('finds at least the regions that there are, and no more than the limit', () => {
    const { regions, regionBytes, rounds, min, max } = TRIED_REGIONS;
    const w = makeDamonWorld();
    const d = monitor(w, accessMemoryEven(w, regions, regionBytes), STAT);
    w.pass(3);
    const counts = Array.from({ length: rounds }, () => tried(w, d).length);
    expect(median(counts)).toBeGreaterThanOrEqual(min);
    expect(Math.max(...counts)).toBeLessThanOrEqual(max);
  });
});

describe('the estimation of the working set', () => {
  it.each(WSS_ESTIMATION.sizes)('of %d bytes is within its error at the percentiles', (size) => {
    const { regions, msEach, rounds, percentiles, acceptedError } = WSS_ESTIMATION;
    const w = makeDamonWorld({ nodePages: [131_072] });
    const d = monitor(w, accessMemory(w, regions, size, msEach), ACCESSED);
    w.pass(0.5);
    const estimates = Array.from({ length: rounds }, () => bytes(tried(w, d)));
    for (const percent of percentiles) {
      const error = Math.abs(percentile(estimates, percent) / size - 1);
      expect(error, `percentile ${percent}`).toBeLessThanOrEqual(acceptedError);
    }
  });
});

describe('the numbers of actions', () => {
  it('are places in the list, without actions that the kernel does not have', () => {
    const { row: _row, ...numbers } = ACTION_NUMBERS;
    const has = DAMOS_ACTIONS.filter((action) => damonMm.actions.includes(action));
    expect(Object.fromEntries(has.map((action, number) => [action, number]))).toEqual(numbers);
  });
});
