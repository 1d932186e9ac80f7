/** Both reductions against the search of all schedules, on random programs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Program, programs, reach, type Statement } from '../testing/explore-programs.js';
import { DepthFirst } from './depth-first.js';

const KINDS: readonly (readonly Statement['kind'][])[] = [
  ['add'],
  ['add', 'section'],
  ['add', 'section', 'try', 'downgrading'],
  ['add', 'wait', 'wake'],
  ['add', 'sleep', 'section', 'wait', 'wake', 'try', 'downgrading'],
];
/** Programs with more schedules than this are left out. */
const MOST = 800;

/** Runs the property on programs and gives how many could be compared. */
function compare(kinds: readonly Statement['kind'][], runs: number, property: (program: Program) => boolean): number {
  let compared = 0;
  fc.assert(
    fc.property(programs(kinds, 3, 3), (program) => {
      if (property(program)) compared++;
    }),
    { numRuns: runs },
  );
  return compared;
}

describe('partial-order reduction', () => {
  for (const kinds of KINDS) {
    it(`reaches the final states that all schedules reach, deadlocks included: ${kinds.join(', ')}`, () => {
      const compared = compare(kinds, 50, (program) => {
        const all = reach(program, new DepthFirst({ reduction: false }), { most: MOST });
        if (!all.complete) return false;
        const reduced = reach(program, new DepthFirst());
        expect(sorted(reduced.states)).toEqual(sorted(all.states));
        expect(reduced.schedules + reduced.dropped).toBeLessThanOrEqual(all.schedules);
        return true;
      });
      expect(compared).toBeGreaterThan(8);
    });

    it(`under a bound reaches the final states that all schedules within it reach: ${kinds.join(', ')}`, () => {
      for (const preemptions of [0, 1, 2]) {
        const compared = compare(kinds, 20, (program) => {
          const all = reach(program, new DepthFirst({ preemptions, reduction: false }), { most: MOST });
          if (!all.complete) return false;
          const reduced = reach(program, new DepthFirst({ preemptions }));
          expect(sorted(reduced.states)).toEqual(sorted(all.states));
          expect(reduced.schedules).toBeLessThanOrEqual(all.schedules);
          return true;
        });
        expect(compared).toBeGreaterThan(4);
      }
    });
  }

  it('needs no queueing for a lock that is held for WRITE to reach all final states', () => {
    const compared = compare(['add', 'section', 'try', 'downgrading'], 60, (program) => {
      const queueing = reach(program, new DepthFirst(), { seesWaiters: true, most: MOST });
      if (!queueing.complete) return false;
      const plain = reach(program, new DepthFirst());
      expect(sorted(plain.states)).toEqual(sorted(queueing.states));
      expect(plain.schedules).toBeLessThanOrEqual(queueing.schedules);
      return true;
    });
    expect(compared).toBeGreaterThan(15);
  });

  it('is left out where waiters are seen: it would miss a state of this program', () => {
    const program: Program = [
      [
        { kind: 'downgrading', lock: 1, body: [{ kind: 'add', from: 1, to: 0 }] },
        { kind: 'downgrading', lock: 0, body: [] },
      ],
      [{ kind: 'downgrading', lock: 1, body: [{ kind: 'add', from: 0, to: 0 }] }],
      [{ kind: 'add', from: 0, to: 1 }],
    ];
    const most = 200_000;
    const seeing = reach(program, new DepthFirst(), { seesWaiters: true, most });
    expect(seeing.states.size).toBe(9);
    expect(sorted(reach(program, new DepthFirst()).states)).toEqual(sorted(seeing.states));
  });

  it('runs one schedule of tasks that take different locks or read the same one', () => {
    const program: Program = [
      [{ kind: 'add', from: 0, to: 0 }],
      [{ kind: 'section', lock: 0, mode: 0, body: [] }],
      [{ kind: 'section', lock: 1, mode: 0, body: [] }],
    ];
    const reduced = reach(program, new DepthFirst());
    expect([reduced.schedules, reduced.dropped]).toEqual([1, 0]);
  });
});

function sorted(states: ReadonlySet<string>): string[] {
  return [...states].sort();
}
