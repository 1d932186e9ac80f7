import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createOccupancy,
  isOccupied,
  occupancyCount,
  occupancyWords,
  occupyRange,
  popcount32,
  popcountWindow,
} from './bitmap.js';

describe('an occupancy bitmap', () => {
  it.each([
    [3, 1],
    [5, 1],
    [9, 16],
    [11, 64],
    [13, 256],
  ])('of order %i has %i words', (pmdOrder, words) => {
    expect(occupancyWords(pmdOrder)).toBe(words);
    expect(createOccupancy(pmdOrder)).toHaveLength(words);
  });

  it('counts the bits of a word as a loop does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (word) => {
        expect(popcount32(word)).toBe([...word.toString(2)].filter((bit) => bit === '1').length);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([3, 4, 5, 9, 11])('of order %i counts every aligned window as a loop does', (pmdOrder) => {
    const words = fc.uint32Array({ minLength: occupancyWords(pmdOrder), maxLength: occupancyWords(pmdOrder) });
    fc.assert(
      fc.property(words, (bitmap) => {
        if (pmdOrder < 5) bitmap[0] &= 2 ** (2 ** pmdOrder) - 1;
        for (let order = 0; order <= pmdOrder; order++) {
          for (let offset = 0; offset < 2 ** pmdOrder; offset += 2 ** order) {
            let count = 0;
            for (let i = offset; i < offset + 2 ** order; i++) if (isOccupied(bitmap, i)) count += 1;
            if (popcountWindow(bitmap, offset, order) !== count) expect({ offset, order }).toBe(count);
          }
        }
        expect(occupancyCount(bitmap)).toBe(popcountWindow(bitmap, 0, pmdOrder));
      }),
      { numRuns: 60 },
    );
  });

  it('occupies exactly the entries of a range', () => {
    const ends = fc.tuple(fc.integer({ min: 0, max: 512 }), fc.integer({ min: 0, max: 512 }));
    fc.assert(
      fc.property(ends, ([a, b]) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const bitmap = createOccupancy(9);
        occupyRange(bitmap, from, to);
        expect(occupancyCount(bitmap)).toBe(to - from);
        for (let i = from; i < to; i++) if (!isOccupied(bitmap, i)) expect(i).toBe('occupied');
      }),
      { numRuns: 2_000 },
    );
  });
});
