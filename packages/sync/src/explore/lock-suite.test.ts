/** The facts about locks that every executor must keep, under random schedules, PCT and round robin. */
import { describe, expect, it } from 'vitest';
import { type LockCase, lockCases } from '../testing/lock-suite.js';
import { LockWorld } from '../testing/lock-world.js';
import type { ExploreCase } from './case.js';
import { explore } from './explore.js';
import { Pct } from './pct.js';
import { RandomWalk } from './random.js';
import { RoundRobin } from './round-robin.js';

/** A timeout of the suite is so long that it never comes while another task has something to do. */
const LIMITS = { earlyWakes: 0, stepsPerSchedule: 1_000_000, shrink: false };

/** A new world for every schedule: locks, queues and cells. */
function caseOf(lockCase: LockCase): ExploreCase {
  let world = new LockWorld();
  return {
    name: lockCase.name,
    get domain() {
      return world.domain;
    },
    actors: lockCase.actors.map((actor) => ({ name: actor.name, procedure: () => actor.procedure(world) })),
    reset: () => {
      world = new LockWorld();
    },
    check: () => {
      lockCase.check?.(world);
      return world.words.every((word) => word === 0) ? [] : ['a lock word is not zero at the end'];
    },
    seesWaiters: true,
  };
}

describe('locks under the explore executor', () => {
  for (const lockCase of lockCases) {
    it(lockCase.name, () => {
      for (const strategy of [new RoundRobin(), new RoundRobin(7), new RandomWalk(1, 10), new Pct(2, 3, 10)]) {
        const report = explore(caseOf(lockCase), strategy, LIMITS);
        expect(report.failure?.message).toBeUndefined();
        expect(report.verdict).toBe('pass');
      }
    });
  }
});
