import { Random } from '@thplab/arena';
import { describe, expect, it } from 'vitest';
import { listPattern, type Pattern, type PatternRange, sweepPattern, uniformPattern, zipfPattern } from './patterns.js';

/** Neither begins nor ends with a block. */
const RANGE: PatternRange = { start: 1000, pages: 5000, ptes: 512, pageSize: 4096 };
const RUNS = [
  { first: 3, count: 1 },
  { first: 40, count: 600 },
  { first: 4999, count: 1 },
];

const PATTERNS: readonly (readonly [string, Pattern])[] = [
  ['uniform', uniformPattern(RANGE)],
  ['zipf 0.99', zipfPattern(RANGE, 0.99, false, 1)],
  ['zipf 1, scattered', zipfPattern(RANGE, 1, true, 1)],
  ['zipf 0', zipfPattern(RANGE, 0, true, 1)],
  ['list', listPattern(RUNS)],
  ['sequential, by cache lines', sweepPattern(RANGE, 0, 64)],
  ['stride of 3 pages', sweepPattern(RANGE, 0, 3 * 4096)],
  ['one page in each block', sweepPattern(RANGE, 7 * 4096, 512 * 4096)],
];

/** Parts that lie within one block each. */
function* parts(): Generator<[number, number], void, undefined> {
  for (let from = 0; from < RANGE.pages; ) {
    const to = Math.min(RANGE.pages, from + 512 - ((RANGE.start + from) % 512));
    yield [from, to];
    from = to;
  }
}

describe.each(PATTERNS)('the pattern %s', (_name, pattern) => {
  it('has shares that add up to one, in groups as in parts, down to single pages', () => {
    let shares = 0;
    let groups = 0;
    let pages = 0;
    for (const [from, to] of parts()) {
      shares += pattern.share(from, to);
      groups += pattern.groups(from, to).reduce((sum, group) => sum + group.share, 0);
      for (let page = from; page < to; page++) pages += pattern.share(page, page + 1);
    }
    expect([shares, groups, pages].map((sum) => sum.toFixed(6))).toEqual(['1.000000', '1.000000', '1.000000']);
  });

  it('uses exactly the pages that have a share, and counts them in its groups', () => {
    for (const [from, to] of parts()) {
      let used = 0;
      let wrong = 0;
      for (let page = from; page < to; page++) {
        if (pattern.isUsed(page) !== pattern.share(page, page + 1) > 0) wrong++;
        if (pattern.isUsed(page)) used++;
      }
      expect(wrong).toBe(0);
      expect(pattern.groups(from, to).reduce((sum, group) => sum + group.pages, 0)).toBe(used);
    }
  });

  it('goes to each part as often as its share says', () => {
    const random = new Random(5);
    const counts = new Map<number, number>();
    const accesses = pattern.sweep === null ? 100_000 : pattern.sweep.positions;
    let outside = 0;
    for (let turn = 0; turn < accesses; turn++) {
      const page = pattern.pageOf(turn, random);
      if (page < 0 || page >= RANGE.pages) outside++;
      const block = Math.floor((RANGE.start + page) / 512);
      counts.set(block, (counts.get(block) ?? 0) + 1);
    }
    expect(outside).toBe(0);
    for (const [from, to] of parts()) {
      const found = (counts.get(Math.floor((RANGE.start + from) / 512)) ?? 0) / accesses;
      expect(Math.abs(found - pattern.share(from, to))).toBeLessThan(0.006);
    }
  });
});

describe('a sweep', () => {
  it('comes to positions in order, over and over', () => {
    const { pageOf, sweep } = sweepPattern(RANGE, 0, 1024 * 4096);
    expect(sweep?.positions).toBe(5);
    const random = new Random(1);
    expect(Array.from({ length: 7 }, (_, turn) => pageOf(turn, random))).toEqual([0, 1024, 2048, 3072, 4096, 0, 1024]);
  });
});

describe('Zipf’s law', () => {
  it('gives rank r a share in proportion to 1 / r^s', () => {
    const whole: PatternRange = { start: 0, pages: 512 * 64, ptes: 512, pageSize: 4096 };
    const pattern = zipfPattern(whole, 0.8, false, 1);
    const first = pattern.share(0, 1);
    for (const page of [1, 9, 511, 5000, 32_000]) {
      expect(pattern.share(page, page + 1) / first).toBeCloseTo((page + 1) ** -0.8, 7);
    }
  });

  it('needs no table of a terabyte’s pages', () => {
    const pattern = zipfPattern({ start: 0, pages: 2 ** 28, ptes: 512, pageSize: 4096 }, 0.99, true, 3);
    const random = new Random(2);
    const pages = Array.from({ length: 1000 }, (_, turn) => pattern.pageOf(turn, random));
    expect(pages.every((page) => page >= 0 && page < 2 ** 28)).toBe(true);
    expect(new Set(pages).size).toBeGreaterThan(500);
  });
});
