import { Random } from '@thplab/arena';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PagePattern } from '../format/index.js';
import { type PatternSpan, patternPages, patternRuns } from './patterns.js';

const span: PatternSpan = { start: 20, pages: 40, ptes: 16 };
const pagesOf = (pattern: PagePattern, over = span, seed = 1): number[] => [
  ...patternPages(pattern, over, new Random(seed)),
];

describe('patterns', () => {
  it('names all pages or none', () => {
    expect(pagesOf({ kind: 'full' })).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(pagesOf({ kind: 'none' })).toEqual([]);
  });

  it('strides from first, and clips the last run', () => {
    expect(pagesOf({ kind: 'stride', every: 10, first: 8, count: 3 })).toEqual([
      8, 9, 10, 18, 19, 20, 28, 29, 30, 38, 39,
    ]);
    expect(pagesOf({ kind: 'stride', every: 4, first: 38, count: 4 })).toEqual([38, 39]);
  });

  it('sorts and merges runs', () => {
    const runs = [
      { first: 5, count: 2 },
      { first: 0, count: 1 },
      { first: 6, count: 3 },
    ];
    expect([...patternRuns({ kind: 'runs', runs }, span, new Random(1))]).toEqual([
      { first: 0, count: 1 },
      { first: 5, count: 4 },
    ]);
  });

  it('counts the tables of a bitmap from the block that holds the first page', () => {
    // Page 0 is slot 4 of its table; the span ends in slot 11 of the third table after it.
    const first = [[{ first: 0, count: 6 }], [{ first: 15, count: 1 }]];
    expect(pagesOf({ kind: 'bitmap', tables: first, repeat: false })).toEqual([0, 1, 27]);
    expect(pagesOf({ kind: 'bitmap', tables: first, repeat: true })).toEqual([0, 1, 27, 28, 29, 30, 31, 32, 33]);
  });

  it('places so many pages in every table, first, last, spread or at random', () => {
    const whole = { start: 32, pages: 32, ptes: 16 };
    const at = (placement: 'first' | 'last' | 'spread'): number[] =>
      pagesOf({ kind: 'perTable', present: 4, placement, seed: null }, whole);
    expect(at('first')).toEqual([0, 1, 2, 3, 16, 17, 18, 19]);
    expect(at('last')).toEqual([12, 13, 14, 15, 28, 29, 30, 31]);
    expect(at('spread')).toEqual([0, 4, 8, 12, 16, 20, 24, 28]);
    const random = pagesOf({ kind: 'perTable', present: 4, placement: 'random', seed: null }, whole);
    expect(random.filter((page) => page < 16)).toHaveLength(4);
    expect(new Set(random).size).toBe(8);
  });

  it('is sparse by chance, the same for the same seed', () => {
    const wide = { start: 0, pages: 10_000, ptes: 512 };
    const pages = pagesOf({ kind: 'sparse', fraction: 0.3, seed: null }, wide);
    expect(pages.length).toBeGreaterThan(2800);
    expect(pages.length).toBeLessThan(3200);
    expect(pagesOf({ kind: 'sparse', fraction: 0.3, seed: null }, wide)).toEqual(pages);
    expect(pagesOf({ kind: 'sparse', fraction: 0.3, seed: null }, wide, 2)).not.toEqual(pages);
  });

  it('gives ascending runs that neither touch the end nor overlap', () => {
    const run = fc.record({ first: fc.nat(60), count: fc.integer({ min: 1, max: 20 }) });
    const pattern = fc.oneof(
      fc.record({ kind: fc.constant('runs' as const), runs: fc.array(run) }),
      fc.record({
        kind: fc.constant('sparse' as const),
        fraction: fc.double({ min: 0, max: 1, noNaN: true }),
        seed: fc.constant(null),
      }),
      fc.record({
        kind: fc.constant('bitmap' as const),
        tables: fc.array(fc.array(run, { maxLength: 3 }), { maxLength: 3 }),
        repeat: fc.boolean(),
      }),
      fc.record({
        kind: fc.constant('perTable' as const),
        present: fc.nat(20),
        placement: fc.constantFrom('first', 'last', 'spread', 'random'),
        seed: fc.constant(null),
      }),
    );
    fc.assert(
      fc.property(pattern, fc.nat(40), fc.nat(60), (chosen, start, pages) => {
        let end = 0;
        for (const { first, count } of patternRuns(chosen as PagePattern, { start, pages, ptes: 16 }, new Random(3))) {
          expect(first).toBeGreaterThanOrEqual(end);
          expect(count).toBeGreaterThan(0);
          end = first + count;
          expect(end).toBeLessThanOrEqual(pages);
        }
      }),
    );
  });
});
