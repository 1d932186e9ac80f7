import { describe, expect, it } from 'vitest';
import {
  acquire,
  acquireNested,
  now,
  type Procedure,
  preempt,
  READ,
  release,
  sleep,
  spend,
  tryAcquire,
  WRITE,
  wait,
  wake,
} from '../operations.js';
import { actor, ExploreWorld } from '../testing/explore-world.js';
import type { ExploreCase } from './case.js';
import { DepthFirst } from './depth-first.js';
import { type ExploreFailure, type ExploreReport, explore, replaySchedule } from './explore.js';
import { interleavingText } from './interleaving-text.js';

function failureIn(report: ExploreReport): ExploreFailure {
  expect(report.verdict).toBe('fail');
  return report.failure ?? expect.fail();
}

/** Two tasks that add to a counter without a lock. */
function lostUpdate(rounds: number): ExploreCase {
  const world = new ExploreWorld();
  const add = function* (): Procedure<void> {
    for (let round = 0; round < rounds; round++) {
      const seen = world.get(0);
      yield preempt(7);
      world.set(0, seen + 1);
      yield preempt();
    }
  };
  return world.case([actor('one', add), actor('two', add)], {
    check: () => (world.cells[0] === 2 * rounds ? [] : [`the counter is ${world.cells[0]}, not ${2 * rounds}`]),
    labelOf: (label) => (label === 7 ? 'between load and store' : ''),
  });
}

describe('a search that fails', () => {
  it('finds a lost update and shows it with one pre-emption', () => {
    const failure = failureIn(explore(lostUpdate(1), new DepthFirst()));
    expect([failure.kind, failure.message]).toEqual(['invariant', 'the counter is 1, not 2']);
    expect([failure.preemptions, failure.fewest]).toEqual([1, true]);
    expect(interleavingText(failure.interleaving)).toBe(
      [
        'step   one                                      two                                      locks after the step',
        '   1   start',
        '   2 *                                          start',
        '   3                                            preemption point between load and store',
        '   4                                            preemption point, ends',
        '   5   preemption point between load and store',
        '   6   preemption point, ends',
        '',
      ].join('\n'),
    );
  });

  it('shrinks a failure found with many pre-emptions to the fewest', () => {
    const subject = lostUpdate(4);
    const found = explore(subject, new DepthFirst({ reduction: false }), { shrink: false });
    expect(failureIn(found).fewest).toBe(false);
    const shrunk = failureIn(explore(subject, new Jumpy()));
    expect(shrunk.foundPreemptions).toBeGreaterThan(5);
    expect([shrunk.preemptions, shrunk.fewest]).toEqual([1, true]);
  });

  it('makes a failure no simpler than there is time for', () => {
    const search = (shouldStop: () => boolean): ExploreFailure =>
      failureIn(explore(lostUpdate(3), new DepthFirst(), { shouldStop, shrinkSchedules: 1025 }));
    let asked = 0;
    const hurried = search(() => asked++ > 0);
    expect(asked).toBe(2);
    expect(hurried).toMatchObject({ kind: 'invariant', fewest: false });
    expect(search(() => false).fewest).toBe(true);
  });

  it('finds an ABBA deadlock and says who waits for what', () => {
    const world = new ExploreWorld();
    const both = (first: number, second: number) =>
      function* (): Procedure<void> {
        yield acquireNested(world.rwsem.ref(first), WRITE);
        yield acquireNested(world.rwsem.ref(second), WRITE);
        yield release(world.rwsem.ref(second), WRITE);
        yield release(world.rwsem.ref(first), WRITE);
      };
    const subject = world.case([actor('ab', both(0, 1)), actor('ba', both(1, 0))]);
    const failure = failureIn(explore(subject, new DepthFirst()));
    expect([failure.kind, failure.preemptions, failure.fewest]).toEqual(['deadlock', 1, true]);
    expect(failure.message).toBe(
      [
        'deadlock: 2 task(s) wait for ever',
        "  task 1 'ab' waits for mmap_lock[1] WRITE, held by task 2 'ba'; it holds mmap_lock[0] WRITE",
        "  task 2 'ba' waits for mmap_lock[0] WRITE, held by task 1 'ab'; it holds mmap_lock[1] WRITE",
      ].join('\n'),
    );
    expect(failure.interleaving.at(-1)?.locks).toBe(
      'mmap_lock[0] WRITE by ab; mmap_lock[1] WRITE by ba; mmap_lock[1] awaited by ab; mmap_lock[0] awaited by ba',
    );
  });

  it('finds that a reader who reads again behind a waiting writer waits for ever', () => {
    const world = new ExploreWorld();
    const lock = world.rwsem.ref(0);
    const twice = function* (): Procedure<void> {
      yield acquire(lock, READ);
      yield acquireNested(lock, READ);
      yield release(lock, READ);
      yield release(lock, READ);
    };
    const writer = function* (): Procedure<void> {
      yield acquire(lock, WRITE);
      yield release(lock, WRITE);
    };
    const subject = world.case([actor('reader', twice), actor('writer', writer)], { lockdep: false });
    const failure = failureIn(explore(subject, new DepthFirst()));
    expect([failure.kind, failure.preemptions]).toEqual(['deadlock', 1]);
    expect(failure.message).toContain("task 1 'reader' waits for mmap_lock[0] READ, held by itself");
    // Without the writer there is nothing wrong.
    const alone = world.case([actor('reader', twice), actor('other', twice)], { lockdep: false });
    expect(explore(alone, new DepthFirst())).toMatchObject({ verdict: 'pass', coverage: { kind: 'exhaustive' } });
  });

  it('finds a missed wake-up where the check and the wait are two steps, and none where they are one', () => {
    const outcome = (between: boolean): ExploreReport => {
      const world = new ExploreWorld();
      const waiter = function* (): Procedure<void> {
        while (world.get(0) === 0) {
          if (between) yield preempt();
          yield wait(world.queue);
        }
      };
      const waker = function* (): Procedure<void> {
        yield preempt();
        world.set(0, 1);
        yield wake(world.queue);
      };
      return explore(world.case([actor('waiter', waiter), actor('waker', waker)]), new DepthFirst());
    };
    const failure = failureIn(outcome(true));
    expect([failure.kind, failure.preemptions]).toEqual(['deadlock', 1]);
    expect(failure.message).toContain("waits on queue 'khugepaged_wait' and nobody is left to wake it");
    expect(outcome(false)).toMatchObject({ verdict: 'pass', coverage: { kind: 'exhaustive' } });
  });

  it('lets a kernel thread wait for work for ever if the case says so', () => {
    const world = new ExploreWorld();
    const thread = function* (): Procedure<void> {
      for (;;) yield wait(world.queue);
    };
    const actors = [{ ...actor('thread', thread), mayWait: true }, actor('user', () => world.adding(0, 1))];
    expect(explore(world.case(actors), new DepthFirst()).verdict).toBe('pass');
  });

  it('reports what lockdep finds in any schedule, without anything going wrong in it', () => {
    const world = new ExploreWorld();
    const bad = function* (): Procedure<void> {
      if (world.get(0) === 1) {
        yield acquire(world.spin.ref(0));
        yield sleep(10);
        yield release(world.spin.ref(0));
      }
    };
    const setter = function* (): Procedure<void> {
      world.set(0, 1);
      yield preempt();
      world.set(0, 2);
    };
    const failure = failureIn(explore(world.case([actor('setter', setter), actor('bad', bad)]), new DepthFirst()));
    expect([failure.kind, failure.name, failure.preemptions]).toEqual(['lockdep', 'sleep-in-atomic', 1]);
  });

  it('learns the order of two classes anew in every schedule, so that each failure replays alone', () => {
    const world = new ExploreWorld();
    const peer = world.domain.lockClass({ name: 'peer', kind: 'rwsem', rank: 0, words: new Int32Array(4) });
    const pair = (first: number, second: number, when: number) =>
      function* (): Procedure<void> {
        if (when >= 0 && world.get(0) !== when) return;
        const locks = [world.rwsem.ref(0), peer.ref(0)];
        yield acquire(locks[first] ?? expect.fail());
        yield acquire(locks[second] ?? expect.fail());
        yield release(locks[second] ?? expect.fail());
        yield release(locks[first] ?? expect.fail());
        world.set(0, 5);
      };
    // One of them runs only before the other, one only after it: no schedule has both orders but the second kind.
    const never = world.case([actor('ab', pair(0, 1, 0)), actor('ba', pair(1, 0, 7))]);
    expect(explore(never, new DepthFirst()).verdict).toBe('pass');
    const later = world.case([actor('ab', pair(0, 1, -1)), actor('ba', pair(1, 0, 5))]);
    const failure = failureIn(explore(later, new DepthFirst()));
    expect([failure.kind, failure.name]).toEqual(['lockdep', 'learned-order']);
    expect(replaySchedule(later, failure.schedule).failure?.name).toBe('learned-order');
  });

  it('reports what a procedure throws, with its schedule', () => {
    const world = new ExploreWorld();
    const picky = function* (): Procedure<void> {
      yield preempt();
      if (world.get(0) === 1) throw new RangeError('one is too many');
    };
    const failure = failureIn(
      explore(world.case([actor('adder', () => world.adding(0, 2)), actor('picky', picky)]), new DepthFirst()),
    );
    expect([failure.kind, failure.name]).toEqual(['exception', 'RangeError']);
    expect(failure.message).toBe("task 2 'picky' threw RangeError: one is too many");
    expect(failure.preemptions).toBe(1);
  });

  it('checks an invariant after every step if there is one', () => {
    const world = new ExploreWorld();
    const swing = function* (): Procedure<void> {
      yield preempt();
      world.set(0, 1);
      yield preempt();
      world.set(0, 0);
    };
    const seen: number[] = [];
    const subject = world.case([actor('swing', swing)], {
      checkStep: (task) => {
        seen.push(task);
        return world.cells[0] === 1 ? ['the swing is up'] : [];
      },
    });
    const failure = failureIn(explore(subject, new DepthFirst()));
    expect([failure.kind, failure.message, failure.interleaving.length]).toEqual(['invariant', 'the swing is up', 2]);
    expect(seen[0]).toBe(1);
  });

  it('calls a schedule that does not end a livelock, but not a task that waits its turn in a loop', () => {
    const world = new ExploreWorld();
    const forever = function* (): Procedure<void> {
      for (;;) yield preempt();
    };
    const alone = explore(world.case([actor('forever', forever)]), new DepthFirst(), { stepsPerSchedule: 500 });
    expect(failureIn(alone).kind).toBe('livelock');
    const spinner = function* (): Procedure<void> {
      while ((yield tryAcquire(world.spin.ref(0))) === 0) yield spend(10);
      yield release(world.spin.ref(0));
    };
    const holder = function* (): Procedure<void> {
      yield acquire(world.spin.ref(0));
      yield preempt();
      yield release(world.spin.ref(0));
    };
    const subject = world.case([actor('spinner', spinner), actor('holder', holder)]);
    const report = explore(subject, new DepthFirst({ preemptions: 1 }), { schedules: 300 });
    expect(report.failure).toBeUndefined();
  });
});

describe('time in a search', () => {
  it('belongs to the task: what it spends, sleeps and times out', () => {
    const world = new ExploreWorld();
    const times: number[] = [];
    const clock = function* (): Procedure<void> {
      yield spend(100);
      times.push(yield now());
      yield sleep(1000);
      times.push(yield now());
      yield wait(world.queue, 5000);
      times.push(yield now());
    };
    const busy = function* (): Procedure<void> {
      yield spend(1e9);
      yield preempt();
    };
    explore(world.case([actor('clock', clock), actor('busy', busy)]), new DepthFirst({ preemptions: 0 }), {
      schedules: 1,
    });
    expect(times).toEqual([100, 1100, 6100]);
  });

  it('lets a timeout come before and after the wake-up', () => {
    const world = new ExploreWorld();
    const outcomes = new Set<number>();
    const sleeper = function* (): Procedure<void> {
      world.set(0, 1 + (yield wait(world.queue, 1000)));
    };
    const waker = function* (): Procedure<void> {
      yield wake(world.queue);
    };
    const subject = world.case([actor('sleeper', sleeper), actor('waker', waker)], {
      check: () => {
        outcomes.add(world.cells[0] ?? -1);
        return [];
      },
    });
    expect(explore(subject, new DepthFirst()).verdict).toBe('pass');
    expect([...outcomes].sort()).toEqual([1, 2]);
  });

  it('passes without end only where nothing else can happen, and a search that cut it short says so', () => {
    const world = new ExploreWorld();
    const poller = function* (): Procedure<void> {
      while (world.get(0) === 0) yield sleep(1000);
    };
    const setter = function* (): Procedure<void> {
      yield preempt();
      world.set(0, 1);
    };
    const subject = world.case([actor('poller', poller), actor('setter', setter)]);
    const report = explore(subject, new DepthFirst({ reduction: false }), { earlyWakes: 3 });
    expect(report).toMatchObject({ verdict: 'pass', coverage: { kind: 'exhaustive' }, earlyWakes: 3 });
    const calm = explore(world.case([actor('a', setter), actor('b', setter)]), new DepthFirst());
    expect(calm.earlyWakes).toBeUndefined();
  });

  it('goes on for two tasks that poll for each other', () => {
    const world = new ExploreWorld();
    const poll = (mine: number, other: number) =>
      function* (): Procedure<void> {
        for (let round = 0; round < 6; round++) yield sleep(1000);
        world.set(mine, 1);
        while (world.get(other) === 0) yield sleep(1000);
      };
    const report = explore(world.case([actor('a', poll(0, 1)), actor('b', poll(1, 0))]), new DepthFirst(), {
      earlyWakes: 1,
    });
    expect([report.verdict, report.earlyWakes]).toEqual(['pass', 1]);
  });
});

/** Switches whenever it can. */
class Jumpy extends DepthFirst {
  override pick(view: Parameters<DepthFirst['pick']>[0]): number {
    for (let step = 1; step <= view.taskCount; step++) {
      const slot = (Math.max(0, view.last) + step) % view.taskCount;
      if ((view.runnable & (1 << slot)) !== 0) return slot;
    }
    return view.last;
  }

  override finished(): void {}
}
