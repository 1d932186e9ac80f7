import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { programs, reach, type Statement } from '../testing/explore-programs.js';
import { DepthFirst } from './depth-first.js';

const KINDS: readonly (readonly Statement['kind'][])[] = [
  ['add'],
  ['add', 'section'],
  ['add', 'section', 'try'],
  ['add', 'section', 'try', 'downgrading'],
  ['add', 'wait', 'wake'],
  ['add', 'sleep', 'section', 'wait', 'wake', 'try', 'downgrading'],
];

describe('partial-order reduction', () => {
  for (const kinds of KINDS) {
    it(`reaches the final states that all schedules reach: ${kinds.join(', ')}`, () => {
      let compared = 0;
      fc.assert(
        fc.property(programs(kinds, 3, 3), (program) => {
          const all = reach(program, new DepthFirst({ reduction: false }), { most: 3000 });
          if (!all.complete) return;
          compared++;
          const reduced = reach(program, new DepthFirst());
          expect([...reduced.states].sort()).toEqual([...all.states].sort());
          expect(reduced.schedules + reduced.dropped).toBeLessThanOrEqual(all.schedules);
        }),
        { numRuns: Number(200) },
      );
      expect(compared).toBeGreaterThan(50);
    });
  }
});
