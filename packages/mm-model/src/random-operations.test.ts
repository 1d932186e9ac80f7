import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomLife } from './testing/random-life.js';

describe('any sequence of operations', () => {
  it('keeps every redundancy, every page content and every frame', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
        const life = new RandomLife(seed);
        for (let i = 0; i < 60; i++) {
          const found = life.step();
          expect(found, life.log.join('\n')).toEqual([]);
        }
        expect(life.end(), life.log.join('\n')).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
