import { describe, expect, it } from 'vitest';
import { acquire, type Procedure, preempt, READ, release, WRITE } from '../operations.js';
import { actor, ExploreWorld } from '../testing/explore-world.js';
import { DepthFirst } from './depth-first.js';
import { explore } from './explore.js';

/** Ways to put the steps of two tasks in order. */
function binomial(n: number, k: number): number {
  let ways = 1;
  for (let at = 1; at <= k; at++) ways = (ways * (n - k + at)) / at;
  return Math.round(ways);
}

describe('a depth-first search', () => {
  it('without reduction tries every order of two tasks, dependent or not', () => {
    for (const steps of [1, 2, 3, 5]) {
      const world = new ExploreWorld();
      const subject = world.case([actor('a', () => world.adding(0, steps)), actor('b', () => world.adding(1, steps))]);
      const report = explore(subject, new DepthFirst({ reduction: false }));
      // One step more than additions: the one up to the first operation.
      expect(report.schedules).toBe(binomial(2 * steps + 2, steps + 1));
      expect([report.verdict, report.coverage]).toEqual(['pass', { kind: 'exhaustive' }]);
    }
  });

  it('with reduction tries one order of independent tasks', () => {
    for (const tasks of [2, 3, 5]) {
      const world = new ExploreWorld();
      const actors = Array.from({ length: tasks }, (_, at) => actor(`t${at}`, () => world.adding(at, 5)));
      const report = explore(world.case(actors), new DepthFirst());
      expect([report.schedules, report.dropped]).toEqual([1, 0]);
      expect([report.verdict, report.coverage]).toEqual(['pass', { kind: 'exhaustive' }]);
    }
  });

  it('with reduction tries every order of dependent steps, and only of those', () => {
    for (const steps of [1, 2, 3, 5]) {
      const world = new ExploreWorld();
      const both = [actor('a', () => world.adding(0, steps)), actor('b', () => world.adding(0, steps))];
      expect(explore(world.case(both), new DepthFirst()).schedules).toBe(binomial(2 * steps, steps));
    }
  });

  it('takes all steps as dependent in a case without an access log', () => {
    const world = new ExploreWorld(false);
    const both = [actor('a', () => world.adding(0, 3)), actor('b', () => world.adding(1, 3))];
    expect(explore(world.case(both), new DepthFirst()).schedules).toBe(binomial(8, 4));
  });

  it('with a bound of k pre-emptions tries what k pre-emptions can reach', () => {
    const world = new ExploreWorld();
    const both = [actor('a', () => world.adding(0, 2)), actor('b', () => world.adding(0, 2))];
    // Three steps each. None: a b, b a. One: the first is cut at 2 places, after which the other runs to its end.
    for (const [preemptions, schedules] of [
      [0, 2],
      [1, 2 + 4],
    ] as const) {
      const report = explore(world.case(both), new DepthFirst({ preemptions, reduction: false }));
      expect(report.schedules).toBe(schedules);
      expect(report.coverage).toEqual({ kind: 'preemption-bounded', bound: preemptions });
    }
    const all = explore(world.case(both), new DepthFirst({ preemptions: 9, reduction: false }));
    expect([all.schedules, all.coverage]).toEqual([binomial(6, 3), { kind: 'exhaustive' }]);
  });

  it('passes a counter under a lock in every order of the critical sections', () => {
    for (const [name, rounds] of [
      ['spin', 2],
      ['spin', 3],
      ['rwsem', 2],
    ] as const) {
      const world = new ExploreWorld();
      const lock = world[name].ref(0);
      const worker = function* (): Procedure<void> {
        for (let round = 0; round < rounds; round++) {
          yield acquire(lock, WRITE);
          const before = world.get(0);
          yield preempt();
          world.set(0, before + 1);
          yield release(lock, WRITE);
        }
      };
      const check = (): string[] => (world.cells[0] === 2 * rounds ? [] : [`counter is ${world.cells[0]}`]);
      const report = explore(world.case([actor('a', worker), actor('b', worker)], { check }), new DepthFirst());
      expect([report.verdict, report.schedules, report.dropped]).toEqual(['pass', binomial(2 * rounds, rounds), 0]);
    }
  });

  it('lets readers in together: their critical sections commute', () => {
    const world = new ExploreWorld();
    const lock = world.rwsem.ref(0);
    const reader = function* (): Procedure<void> {
      yield acquire(lock, READ);
      world.get(0);
      yield release(lock, READ);
    };
    const actors = ['a', 'b', 'c'].map((name) => actor(name, reader));
    expect(explore(world.case(actors), new DepthFirst()).schedules).toBe(1);
  });
});
