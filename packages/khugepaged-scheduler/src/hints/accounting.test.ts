/** Order and accounting of the queue against a plain model of it, under any policy, at a size that a test can afford. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { first, type HintedProcess, makeHinted, makeHintWorld } from '../testing/hint-world.js';
import { checkHints } from './check.js';
import { HINT_POLICIES } from './policies.js';

const MMS = 3;
const RANGES = 6;

describe('the queue', () => {
  it('serves high priority first, then address spaces in the order of registration, then hints in that of arrival', () => {
    const hint = fc.record({ mm: fc.nat(MMS - 1), range: fc.nat(RANGES - 1), priority: fc.nat(1) });
    fc.assert(
      fc.property(fc.array(hint, { maxLength: 60 }), (hints) => {
        const w = makeHintWorld('as-posted:failureBudget=1000');
        const processes = first(MMS).map(() => makeHinted(w, RANGES));
        for (const { mm, range, priority } of hints) w.hint(processes[mm] as HintedProcess, range, { priority });
        w.visit();
        const sorted = hints
          .map((one, at) => ({ ...one, at }))
          .sort((x, y) => x.priority - y.priority || x.mm - y.mm || x.at - y.at);
        expect(w.served.map((line) => line.split(' ')[0])).toEqual(
          sorted.map(({ mm, range }) => `${processes[mm]?.mm}.${range}`),
        );
      }),
      { numRuns: 15 },
    );
  });

  it.each(HINT_POLICIES.filter(({ queue }) => queue).map(({ name }) => name))(
    '%s loses no hint: each is queued once, and taken, discarded or waiting',
    (policy) => {
      const w = makeHintWorld(policy);
      const processes = first(MMS).map(() => makeHinted(w, RANGES, { full: [0, 3], huge: [1, 4] }));
      let state = 7;
      const next = (below: number): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return (state >>> 8) % below;
      };
      for (const step of first(300)) {
        w.hint(processes[next(MMS)] as HintedProcess, next(RANGES), { priority: next(2) });
        if (step % 25 === 24) w.pass();
        const { queued, taken, discarded } = w.k.t.hintLevel;
        const sum = (column: Uint32Array): number => column[0] + column[1];
        expect(sum(queued) - sum(taken) - sum(discarded)).toBe(w.k.t.hint.pool.live);
        expect(sum(taken)).toBe(w.served.length + w.dropped.filter((line) => / (vma|exit|not|out)/.test(line)).length);
      }
      expect(checkHints(w.k)).toEqual([]);
      for (const _ of first(20)) w.pass();
      expect(checkHints(w.k)).toEqual([]);
      expect(w.k.t.hint.pool.live).toBe(0);
      expect(w.k.t.hint.pool.defect()).toBeUndefined();
      expect([...w.k.t.hintBucket.first].every((head) => head === 0)).toBe(true);
    },
  );
});
