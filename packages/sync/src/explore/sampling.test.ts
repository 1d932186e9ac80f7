import { describe, expect, it } from 'vitest';
import { type Procedure, preempt } from '../operations.js';
import { actor, ExploreWorld } from '../testing/explore-world.js';
import { type ExploreCase, exploreSettings } from './case.js';
import { DepthFirst } from './depth-first.js';
import { explore } from './explore.js';
import { Pct } from './pct.js';
import { RandomWalk } from './random.js';
import { RoundRobin } from './round-robin.js';
import { ScheduleRunner } from './runner.js';
import type { Strategy } from './strategy.js';

/**
 * A bug of depth 2: all steps of the second task must come between two steps of the first that are next to each other, in
 * the midst of many others.
 */
function needle(steps: number): ExploreCase {
  const world = new ExploreWorld();
  const changer = function* (): Procedure<void> {
    for (let step = 0; step < steps; step++) {
      yield preempt();
      world.set(0, step === steps >> 1 ? 1 : 0);
    }
  };
  const looker = function* (): Procedure<void> {
    for (let step = 0; step < steps; step++) {
      if (world.get(0) === 0) return;
      yield preempt();
    }
    world.set(1, 1);
  };
  return world.case([actor('changer', changer), actor('looker', looker)], {
    check: () => (world.cells[1] === 1 ? ['seen throughout'] : []),
  });
}

/** How many of a strategy's schedules fail. */
function hits(subject: ExploreCase, strategy: Strategy): number {
  const runner = new ScheduleRunner(subject, exploreSettings({}));
  let count = 0;
  while (strategy.newSchedule()) if (runner.run(strategy) === 'failed') count++;
  return count;
}

describe('PCT', () => {
  it('finds a bug of depth 2 with the promised probability', () => {
    for (const steps of [10, 20]) {
      const schedules = 10_000;
      // Two tasks; each makes a step more than it has preemption points. Three standard deviations for chance.
      const promised = schedules / (2 * (2 * steps + 2));
      expect(hits(needle(steps), new Pct(1, 2, schedules))).toBeGreaterThan(promised - 3 * Math.sqrt(promised));
    }
  });

  it('finds what a random walk does not', () => {
    expect(hits(needle(20), new Pct(1, 2, 2000))).toBeGreaterThan(10);
    expect(hits(needle(20), new RandomWalk(1, 2000))).toBe(0);
  });

  it('never switches of itself at depth 1', () => {
    const runner = new ScheduleRunner(needle(5), exploreSettings({}));
    const pct = new Pct(1, 1, 50);
    while (pct.newSchedule()) {
      runner.run(pct);
      expect(runner.preemptions).toBe(0);
    }
  });

  it('gives the same schedules for the same seed, and others for another', () => {
    const record = (seed: number): number[][] => {
      const runner = new ScheduleRunner(needle(5), exploreSettings({}));
      const pct = new Pct(seed, 3, 20);
      const all: number[][] = [];
      while (pct.newSchedule()) {
        runner.run(pct);
        all.push(runner.trace.choices());
      }
      return all;
    };
    expect(record(1)).toEqual(record(1));
    expect(record(1)).not.toEqual(record(2));
  });

  it('refuses a depth that makes no sense', () => {
    expect(() => new Pct(1, 0, 1)).toThrow(RangeError);
  });
});

describe('a random walk', () => {
  it('says how many schedules it has sampled, and claims no more', () => {
    const report = explore(needle(2), new RandomWalk(4, 3));
    expect(report.coverage).toEqual({ kind: 'sampled', schedules: report.schedules });
  });
});

describe('round robin', () => {
  it('takes turns of the given length', () => {
    const choices = (turn: number): string => {
      const world = new ExploreWorld();
      const actors = [0, 1, 2].map((at) => actor(`t${at}`, () => world.adding(at, 3)));
      const runner = new ScheduleRunner(world.case(actors), exploreSettings({}));
      const strategy = new RoundRobin(turn);
      strategy.newSchedule();
      runner.run(strategy);
      return runner.trace.choices().join('');
    };
    expect(choices(1)).toBe('012012012012');
    expect(choices(3)).toBe('000111222012');
  });
});

describe('limits', () => {
  it('end a search without a verdict', () => {
    const world = new ExploreWorld();
    const subject = world.case([actor('a', () => world.adding(0, 5)), actor('b', () => world.adding(0, 5))]);
    const limited = [{ schedules: 10 }, { steps: 100 }, { shouldStop: () => true }] as const;
    for (const limits of limited) {
      const report = explore(subject, new DepthFirst({ reduction: false }), limits);
      expect(report.verdict).toBe('limit');
      expect(report.coverage).toEqual({ kind: 'sampled', schedules: report.schedules });
    }
    // One that has as many as it wanted was not ended by the limit.
    expect(explore(subject, new RandomWalk(1, 20), { schedules: 20 }).verdict).toBe('pass');
  });

  it('must make sense', () => {
    expect(() => explore(needle(1), new RoundRobin(), { schedules: 0 })).toThrow('schedules is 0: must be at least 1');
    expect(() => explore(needle(1), new RoundRobin(), { earlyWakes: Number.NaN })).toThrow(RangeError);
    const world = new ExploreWorld();
    expect(() => explore(world.case([]), new RoundRobin())).toThrow("case 'test' has 0 actors");
  });
});
