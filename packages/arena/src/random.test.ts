import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from './random.js';

const draw = (random: Random, count = 20) => Array.from({ length: count }, () => random.nextU32());

describe('seeded numbers', () => {
  it('repeat for the same seed and stream, and differ for others', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat({ max: 9 }), (seed, stream) => {
        const numbers = draw(new Random(seed, stream));
        expect(draw(new Random(seed, stream))).toEqual(numbers);
        expect(draw(new Random(seed, stream + 1))).not.toEqual(numbers);
        expect(draw(new Random(seed ^ 1, stream))).not.toEqual(numbers);
      }),
    );
  });

  it('stay within their limits', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, limit) => {
        const random = new Random(seed);
        for (let i = 0; i < 20; i++) {
          const below = random.below(limit);
          expect(Number.isInteger(below) && below >= 0 && below < limit).toBe(true);
          const fraction = random.fraction();
          expect(fraction >= 0 && fraction < 1).toBe(true);
        }
      }),
    );
  });

  it('are spread evenly: each of 16 values about as often as the others', () => {
    for (const seed of [0, 1, 2, 0xffff_ffff]) {
      const random = new Random(seed);
      const counts = new Uint32Array(16);
      for (let i = 0; i < 16_000; i++) counts[random.below(16)]++;
      // Five standard deviations around 1000.
      expect(Math.min(...counts)).toBeGreaterThan(847);
      expect(Math.max(...counts)).toBeLessThan(1153);
    }
  });

  it('gives many values at once as it gives them one by one', () => {
    const [one, many] = [new Random(7, 3), new Random(7, 3)];
    const filled = new Uint32Array(10);
    many.fill(filled, 9);
    expect([...filled]).toEqual([...Array.from({ length: 9 }, () => one.nextU32()), 0]);
    expect(many.nextU32()).toBe(one.nextU32());
  });
});
