import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameSet, popcount } from './frame-set.js';

describe('FrameSet', () => {
  it('sorts and ranks like a sorted set', () => {
    const pfn = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 0xffffffff }));
    fc.assert(
      fc.property(fc.array(pfn, { maxLength: 300 }), (pfns) => {
        const set = new FrameSet();
        for (const one of pfns) set.add(one);
        set.seal();
        const expected = [...new Set(pfns)].sort((a, b) => a - b);
        expect(set.size).toBe(expected.length);
        expect([...set.sorted()]).toEqual(expected);
        expect(expected.map((one) => set.rank(one))).toEqual(expected.map((_, index) => index));
      }),
      { numRuns: 30 },
    );
  });
});

describe('popcount', () => {
  it('counts set bits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (word) => {
        expect(popcount(word | 0)).toBe([...word.toString(2)].filter((digit) => digit === '1').length);
      }),
    );
  });
});
