import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acquire, type Procedure, preempt, READ, release, spend, tryAcquire, WRITE } from '../operations.js';
import { programs } from '../testing/explore-programs.js';
import { actor, ExploreWorld } from '../testing/explore-world.js';
import { type ExploreCase, exploreSettings } from './case.js';
import { DepthFirst } from './depth-first.js';
import { ScheduleCodeError, ScheduleDivergedError } from './errors.js';
import { explore, replaySchedule } from './explore.js';
import { RandomWalk } from './random.js';
import { Replay } from './replay.js';
import { ScheduleRunner } from './runner.js';
import { decodeSchedule, encodeSchedule, operationsHash } from './schedule-code.js';

const schedules = fc.integer({ min: 1, max: 16 }).chain((taskCount) =>
  fc.record({
    taskCount: fc.constant(taskCount),
    choices: fc.array(fc.nat(taskCount - 1), { maxLength: 200 }),
    hash: fc.nat(0xffff),
  }),
);

describe("a schedule's code", () => {
  it('says the schedule', () => {
    fc.assert(
      fc.property(schedules, (schedule) => {
        const code = encodeSchedule(schedule);
        expect(code).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(decodeSchedule(code)).toEqual(schedule);
      }),
      { numRuns: 500 },
    );
  });

  it('is short: a character or two per switch', () => {
    const choices = Array.from({ length: 1000 }, (_, step) => Math.floor(step / 50) % 2);
    expect(encodeSchedule({ taskCount: 2, choices, hash: 0 }).length).toBeLessThan(40);
  });

  it('notices any character that is changed, lost or doubled', () => {
    fc.assert(
      fc.property(schedules, fc.nat(), fc.constantFrom('A', 'q', '7', '-', ''), (schedule, place, other) => {
        const code = encodeSchedule(schedule);
        const at = place % code.length;
        const changed = code.slice(0, at) + other + code.slice(at + 1);
        if (changed === code) return;
        expect(() => decodeSchedule(changed)).toThrow(ScheduleCodeError);
      }),
      { numRuns: 500 },
    );
    expect(() => decodeSchedule('')).toThrow('too short');
    expect(() => decodeSchedule('AQ$A')).toThrow("'$' cannot be part");
  });
});

describe('replay', () => {
  /** A schedule of random choices, as text, and what the case did in it. */
  function record(subject: ExploreCase, seed: number): { code: string; steps: readonly unknown[] } {
    const runner = new ScheduleRunner(subject, exploreSettings({}));
    const walk = new RandomWalk(seed, 1);
    walk.newSchedule();
    runner.run(walk);
    const { trace } = runner;
    const choices = trace.choices();
    const hash = operationsHash(trace);
    return { code: encodeSchedule({ taskCount: subject.actors.length, choices, hash }), steps: stepsOf(runner) };
  }

  function stepsOf(runner: ScheduleRunner): readonly unknown[] {
    const { trace } = runner;
    const columns = [trace.task, trace.move, trace.op, trace.result];
    return columns.map((column) => [...column.subarray(0, trace.count)]);
  }

  it('makes the same steps', () => {
    fc.assert(
      fc.property(programs(['add'], 3, 3), fc.nat(1000), (program, seed) => {
        const world = new ExploreWorld();
        const subject = world.case(program.map((body, at) => actor(`t${at}`, () => world.adding(at % 2, body.length))));
        const { code, steps } = record(subject, seed);
        const runner = new ScheduleRunner(subject, exploreSettings({}));
        const replay = new Replay(decodeSchedule(code));
        expect(replay.newSchedule()).toBe(true);
        runner.run(replay);
        expect(stepsOf(runner)).toEqual(steps);
        expect(replay.newSchedule()).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('repeats a failure found by any strategy', () => {
    const world = new ExploreWorld();
    const add = function* (): Procedure<void> {
      const seen = world.get(0);
      yield preempt();
      world.set(0, seen + 1);
    };
    const subject = world.case([actor('a', add), actor('b', add)], {
      check: () => (world.cells[0] === 2 ? [] : ['lost']),
    });
    const first = explore(subject, new RandomWalk(3, 100)).failure ?? expect.fail();
    const again = replaySchedule(subject, first.schedule);
    expect(again.verdict).toBe('fail');
    expect(again.failure).toMatchObject({ kind: first.kind, message: first.message, schedule: first.schedule });
    expect(again.failure?.interleaving).toEqual(first.interleaving);
  });

  it('says where a case parts from the schedule', () => {
    const make = (rounds: number, mode: typeof READ | typeof WRITE, tasks = 2): ExploreCase => {
      const world = new ExploreWorld();
      const worker = function* (): Procedure<void> {
        for (let round = 0; round < rounds; round++) {
          yield acquire(world.rwsem.ref(0), mode);
          yield spend(10);
          yield release(world.rwsem.ref(0), mode);
        }
      };
      return world.case(Array.from({ length: tasks }, (_, at) => actor(`t${at}`, worker)));
    };
    const { code } = record(make(2, READ), 5);
    expect(replaySchedule(make(2, READ), code).verdict).toBe('pass');
    const divergence = (subject: ExploreCase): ScheduleDivergedError => {
      try {
        replaySchedule(subject, code);
      } catch (error) {
        if (error instanceof ScheduleDivergedError) return error;
        throw error;
      }
      return expect.fail('it did not diverge');
    };
    expect(divergence(make(2, READ, 3)).message).toBe(
      'the schedule does not fit at step 1: it is for 2 tasks, the case has 3',
    );
    expect(divergence(make(3, READ)).message).toContain('step 11: it ended after 10 steps, but the case goes on');
    expect(divergence(make(1, READ)).message).toMatch(/step \d+: task \d should go on but cannot/);
    // A writer is blocked, sooner or later, where a reader was not, or at the least does other operations.
    expect(divergence(make(2, WRITE)).step).toBeLessThanOrEqual(10);
  });

  it('says that the operations are others where only they are', () => {
    const make = (mode: typeof READ | typeof WRITE): ExploreCase => {
      const world = new ExploreWorld();
      const lone = function* (): Procedure<void> {
        if ((yield tryAcquire(world.rwsem.ref(0), mode)) === 1) yield release(world.rwsem.ref(0), mode);
      };
      return world.case([actor('lone', lone)]);
    };
    const { code } = record(make(READ), 1);
    expect(() => replaySchedule(make(WRITE), code)).toThrow('did other operations');
  });

  it('refuses a case that does not start the same each time', () => {
    const world = new ExploreWorld();
    let run = 0;
    const subject = world.case(
      [actor('a', () => world.adding(0, 1 + (run % 2))), actor('b', () => world.adding(0, 1))],
      {
        reset: () => {
          run++;
        },
      },
    );
    expect(() => explore(subject, new DepthFirst())).toThrow(ScheduleDivergedError);
  });
});
