import { describe, expect, it } from 'vitest';
import { DeadlockError, LivelockError, OperationError } from '../errors.js';
import type { ExecutorObserver } from '../executor.js';
import { LOCK_WORDS, type LockClass, type LockKind, SyncDomain } from '../locks.js';
import {
  acquire,
  downgrade,
  type LockMode,
  type LockRef,
  now,
  type Op,
  type Procedure,
  preempt,
  READ,
  release,
  sleep,
  spend,
  tryAcquire,
  WRITE,
  wait,
} from '../operations.js';
import { SequentialExecutor } from './executor.js';
import type { SequentialOptions } from './settings.js';

function lockClass(domain: SyncDomain, kind: LockKind = 'rwsem', rank = 1, name = 'lock'): LockClass {
  return domain.lockClass({ name, kind, rank, words: new Int32Array(8 * LOCK_WORDS) });
}

function spawnOps(executor: SequentialExecutor, name: string, ops: readonly Op[], startNs = 0): void {
  executor.spawn(
    name,
    function* (): Procedure<void> {
      for (const op of ops) yield op;
    },
    { startNs },
  );
}

describe('limits of a run', () => {
  function ticking(): SequentialExecutor {
    const executor = new SequentialExecutor(new SyncDomain());
    executor.spawn('ticks', function* (): Procedure<void> {
      for (;;) yield spend(10);
    });
    return executor;
  }

  it('stops before any step at or after a time, and goes on from there', () => {
    const executor = ticking();
    expect(executor.run({ untilNs: 100 })).toEqual({ end: 'time', nowNs: 100, steps: 10 });
    expect(executor.run({ untilNs: 105 })).toEqual({ end: 'time', nowNs: 105, steps: 1 });
    expect(executor.run({ untilNs: 200 })).toEqual({ end: 'time', nowNs: 200, steps: 9 });
  });

  it('stops after a number of operations, exactly', () => {
    const executor = ticking();
    expect(executor.run({ maxSteps: 12_345 })).toMatchObject({ end: 'steps', steps: 12_345 });
    expect(executor.run({ maxSteps: 1 })).toMatchObject({ end: 'steps', steps: 1, nowNs: 123_460 });
    expect(executor.run({ maxSteps: 0 })).toMatchObject({ end: 'steps', steps: 0 });
  });

  it('stops when asked to', () => {
    const executor = ticking();
    let asked = 0;
    const outcome = executor.run({ shouldStop: () => ++asked === 3 });
    expect([outcome.end, asked]).toEqual(['stopped', 3]);
  });

  it('runs in pieces exactly as in one go', () => {
    const program = (): { executor: SequentialExecutor; log: string[] } => {
      const domain = new SyncDomain();
      const lock = lockClass(domain).ref(0);
      const executor = new SequentialExecutor(domain, { cpus: 2, sliceNs: 500 });
      const log: string[] = [];
      for (const [at, name] of ['a', 'b', 'c', 'd'].entries()) {
        executor.spawn(name, function* (): Procedure<void> {
          for (let round = 0; round < 10; round++) {
            yield acquire(lock, round % 3 === 0 ? WRITE : READ);
            yield spend(100 * at + 77);
            log.push(`${name}${round} ${yield now()}`);
            yield release(lock, round % 3 === 0 ? WRITE : READ);
            yield sleep(50);
          }
        });
      }
      return { executor, log };
    };
    const whole = program();
    whole.executor.run();
    for (const limit of [1, 7]) {
      const pieces = program();
      while (pieces.executor.run({ maxSteps: limit }).end === 'steps');
      expect(pieces.log).toEqual(whole.log);
    }
    const slices = program();
    for (let untilNs = 313; slices.executor.run({ untilNs }).end === 'time'; untilNs += 313);
    expect(slices.log).toEqual(whole.log);
  });

  it('is idle where tasks wait on a queue for ever', () => {
    const domain = new SyncDomain();
    const executor = new SequentialExecutor(domain);
    spawnOps(executor, 'waiter', [wait(domain.waitQueue('queue'))]);
    expect(executor.run()).toEqual({ end: 'idle', nowNs: 0, steps: 1 });
    expect(executor.tasks[0]?.state).toBe('blocked');
  });

  it('refuses to run inside of a run', () => {
    const executor = new SequentialExecutor(new SyncDomain());
    executor.spawn('nested', function* (): Procedure<void> {
      executor.run();
      yield spend(1);
    });
    expect(executor.run().failure?.error).toBeInstanceOf(OperationError);
  });
});

describe('tasks', () => {
  it('start at their time, one by one, also from inside of a procedure', () => {
    const executor = new SequentialExecutor(new SyncDomain(), { cpus: 2, startNs: 1000, contextSwitchNs: 0 });
    const log: string[] = [];
    const note = (name: string) =>
      function* (): Procedure<string> {
        log.push(`${name} ${yield now()}`);
        return name;
      };
    executor.spawn('late', note('late'), { startNs: 5000 });
    executor.spawn('parent', function* (): Procedure<void> {
      yield spend(100);
      executor.spawn('child', note('child'));
      executor.spawn('later child', note('later child'), { startNs: 3000 });
      yield spend(100);
      log.push(`parent ${yield now()}`);
    });
    executor.run();
    expect(log).toEqual(['child 1100', 'parent 1200', 'later child 3000', 'late 5000']);
    expect(executor.tasks.map((task) => [task.id, task.state, task.result])).toEqual([
      [1, 'done', 'late'],
      [2, 'done', undefined],
      [3, 'done', 'child'],
      [4, 'done', 'later child'],
    ]);
    executor.spawn('afterwards', note('afterwards'));
    expect(executor.run().nowNs).toBe(5000);
    expect(log.at(-1)).toBe('afterwards 5000');
  });

  it('see time, processor and their own number before each step', () => {
    const executor = new SequentialExecutor(new SyncDomain(), { cpus: 2 });
    const seen: unknown[] = [];
    const look = function* (): Procedure<void> {
      yield spend(10);
      seen.push({ ...executor.current });
      yield sleep(1000);
      seen.push({ ...executor.current });
    };
    executor.spawn('a', look, { cpu: 1 });
    executor.spawn('b', look, { cpu: 0, startNs: 1 });
    executor.run();
    expect(seen).toEqual([
      { nowNs: 10, cpu: 1, task: 1 },
      { nowNs: 11, cpu: 0, task: 2 },
      { nowNs: 1010, cpu: 1, task: 1 },
      { nowNs: 1011, cpu: 0, task: 2 },
    ]);
    expect(executor.current.task).toBe(0);
  });

  it('are refused with a processor or nice value that does not exist', () => {
    const executor = new SequentialExecutor(new SyncDomain(), { cpus: 2 });
    const nothing = function* (): Procedure<void> {};
    expect(() => executor.spawn('x', nothing, { cpu: 2 })).toThrow("task 'x' is bound to processor 2: there are 2");
    expect(() => executor.spawn('x', nothing, { nice: 21 })).toThrow(RangeError);
    expect(executor.tasks).toHaveLength(0);
  });
});

describe('failures', () => {
  it('end the run and tell what the task holds; the others can go on', () => {
    const domain = new SyncDomain();
    const lock = lockClass(domain);
    const executor = new SequentialExecutor(domain);
    executor.spawn('thrower', function* (): Procedure<void> {
      yield acquire(lock.ref(3), READ);
      yield spend(50);
      throw new Error('broken');
    });
    spawnOps(executor, 'other', [spend(1000)]);
    const outcome = executor.run();
    expect(outcome).toMatchObject({ end: 'failed', nowNs: 50 });
    expect(outcome.failure?.error).toHaveProperty('message', 'broken');
    expect(outcome.failure?.task).toMatchObject({ id: 1, name: 'thrower', state: 'failed' });
    expect(outcome.failure?.held).toEqual([{ lock: lock.ref(3), name: 'lock[3]', mode: READ, sinceNs: 0 }]);
    expect(executor.run().end).toBe('idle');
    expect(executor.tasks[1]?.state).toBe('done');
  });

  it('are thrown with the option rethrow', () => {
    const executor = new SequentialExecutor(new SyncDomain(), { rethrow: true });
    executor.spawn('thrower', () => {
      throw new TypeError('before the first step');
    });
    expect(() => executor.run()).toThrow('before the first step');
  });

  it.each([
    ['no operation', (): Op => 17 as Op],
    ['a lock of no class', (): Op => acquire((100 * 2 ** 32) as LockRef)],
    ['an instance beyond the words of its class', (): Op => tryAcquire(8 as LockRef)],
    ['an undeclared wait queue', (): Op => wait(3 as Parameters<typeof wait>[0])],
    ['READ of a spinlock', (_: LockRef, spin: LockRef): Op => acquire(spin, READ)],
  ])('%s is an OperationError', (_, make) => {
    const domain = new SyncDomain();
    const sem = lockClass(domain);
    const spin = lockClass(domain, 'spin', 2);
    const executor = new SequentialExecutor(domain);
    spawnOps(executor, 'wrong', [make(sem.ref(0), spin.ref(0))]);
    expect(executor.run().failure?.error).toBeInstanceOf(OperationError);
  });

  it('a reader that would wait for a vma lock is an OperationError, a writer is not', () => {
    const domain = new SyncDomain();
    const vma = lockClass(domain, 'vma').ref(0);
    const executor = new SequentialExecutor(domain, { cpus: 2 });
    spawnOps(executor, 'writer', [acquire(vma), spend(1000), release(vma)]);
    spawnOps(executor, 'writer 2', [acquire(vma), release(vma)], 10);
    spawnOps(executor, 'reader', [acquire(vma, READ)], 500);
    expect(String(executor.run().failure?.error)).toContain('only tries');
  });

  it('time that stands still is a LivelockError', () => {
    const executor = new SequentialExecutor(new SyncDomain(), { livelockSteps: 10_000 });
    executor.spawn('spinner', function* (): Procedure<void> {
      yield spend(70);
      for (;;) yield preempt();
    });
    expect(() => executor.run()).toThrow(LivelockError);
    expect(() => new SequentialExecutor(new SyncDomain(), { cpus: 0 })).toThrow('cpus is 0');
  });
});

describe('deadlocks', () => {
  function find(build: (executor: SequentialExecutor, lock: LockClass) => void, options: SequentialOptions = {}) {
    const domain = new SyncDomain();
    const lock = lockClass(domain);
    const executor = new SequentialExecutor(domain, { cpus: 2, contextSwitchNs: 0, lockdep: false, ...options });
    build(executor, lock);
    try {
      executor.run({ maxSteps: 10_000 });
    } catch (error) {
      if (error instanceof DeadlockError) return error;
      throw error;
    }
    return undefined;
  }

  /** Takes both locks with time between. */
  const both = (first: LockRef, second: LockRef, mode: LockMode = WRITE): Op[] => [
    acquire(first, mode),
    spend(1000),
    acquire(second, mode),
  ];

  it('of two tasks are found at once, though others go on for ever; every waiter is named', () => {
    const error = find((executor, lock) => {
      spawnOps(executor, 'ab', both(lock.ref(0), lock.ref(1)));
      spawnOps(executor, 'ba', both(lock.ref(1), lock.ref(0)), 10);
      executor.spawn('background', function* (): Procedure<void> {
        for (;;) yield sleep(1000);
      });
    });
    expect(error?.nowNs).toBe(1010);
    expect(error?.chain).toEqual([2, 1]);
    expect(error?.blocked.map((one) => [one.name, one.lock, one.held.map((held) => held.name)])).toEqual([
      ['ba', 'lock[0]', ['lock[1]']],
      ['ab', 'lock[1]', ['lock[0]']],
    ]);
    expect(error?.blocked[0]?.waitsFor).toEqual([{ task: 1, name: 'ab', why: 'holds' }]);
    expect(error?.message).toContain(
      "task 2 'ba' waits since 1010 ns for lock[0] WRITE, which waits for task 1 'ab' (holds); it holds lock[1] WRITE",
    );
    expect(error?.message).toContain('cycle: task 2 -> task 1 -> task 2');
  });

  it('of three tasks are found, and of a reader that comes again behind a waiting writer', () => {
    const ring = find(
      (executor, lock) => {
        for (let at = 0; at < 3; at++) spawnOps(executor, `t${at}`, both(lock.ref(at), lock.ref((at + 1) % 3)), at);
      },
      { cpus: 3 },
    );
    expect(ring?.chain).toHaveLength(3);
    const again = find((executor, lock) => {
      spawnOps(executor, 'reader', both(lock.ref(0), lock.ref(0), READ));
      spawnOps(executor, 'writer', [acquire(lock.ref(0), WRITE)], 500);
    });
    expect(again?.chain).toEqual([1, 2]);
    expect(again?.blocked[0]?.waitsFor).toEqual([{ task: 2, name: 'writer', why: 'queued before' }]);
  });

  it('without a cycle: the holder waits on a queue for ever', () => {
    const error = find((executor, lock) => {
      const queue = executor.domain.waitQueue('queue');
      spawnOps(executor, 'holder', [acquire(lock.ref(0)), wait(queue)]);
      spawnOps(executor, 'waiter', [acquire(lock.ref(0))], 10);
    });
    expect(error?.blocked.map((one) => one.name)).toEqual(['waiter']);
    expect(error?.blocked[0]?.waitsFor).toEqual([{ task: 1, name: 'holder', why: 'holds' }]);
  });

  it('of a task with itself', () => {
    const error = find((executor, lock) => spawnOps(executor, 'self', both(lock.ref(0), lock.ref(0))));
    expect(error?.chain).toEqual([1]);
  });

  it('with lockdep the same is reported by its rule before anybody waits', () => {
    const domain = new SyncDomain();
    const lock = lockClass(domain);
    const executor = new SequentialExecutor(domain);
    spawnOps(executor, 'self', both(lock.ref(0), lock.ref(0)));
    expect(executor.run().failure?.error).toHaveProperty('rule', 'recursive');
  });
});

describe('lock operations that cost', () => {
  it('pass time after each acquire, trylock and release, contended or not', () => {
    const domain = new SyncDomain();
    const lock = lockClass(domain).ref(0);
    const executor = new SequentialExecutor(domain, { cpus: 2, lockOperationNs: 10, contextSwitchNs: 0 });
    const log: number[] = [];
    for (const startNs of [0, 100]) {
      executor.spawn(
        `t${startNs}`,
        function* (): Procedure<void> {
          yield acquire(lock);
          log.push(yield now());
          yield spend(500);
          yield release(lock);
          log.push(yield now());
        },
        { startNs },
      );
    }
    executor.run();
    // The first holds from 0 to 510; the second gets it at 510 and pays for its acquire then.
    expect(log).toEqual([10, 520, 520, 1030]);
  });
});

describe('statistics and observers', () => {
  function contend(options: SequentialOptions): SequentialExecutor {
    const domain = new SyncDomain();
    const lock = lockClass(domain, 'rwsem', 1, 'mmap_lock').ref(0);
    const executor = new SequentialExecutor(domain, { cpus: 2, contextSwitchNs: 0, ...options });
    spawnOps(executor, 'w', [acquire(lock), spend(1000), downgrade(lock), spend(100), release(lock, READ)]);
    spawnOps(executor, 'r', [acquire(lock, READ), spend(300), release(lock, READ)], 400);
    executor.run();
    return executor;
  }

  it('count acquisitions, waits and holds per class and mode', () => {
    const [sums] = contend({}).statistics?.classes() ?? [];
    expect(sums?.name).toBe('mmap_lock');
    expect(sums?.write).toMatchObject({ acquisitions: 1, contended: 0, holdTotalNs: 1000, holdMaxNs: 1000 });
    expect(sums?.read).toMatchObject({ acquisitions: 2, contended: 1, holdTotalNs: 400, holdMaxNs: 300 });
    expect([sums?.read.waitTotalNs, sums?.read.waitMaxNs]).toEqual([600, 600]);
    expect([sums?.read.waitQuantileNs(0.5), sums?.read.waitQuantileNs(0.99)]).toEqual([0, 600]);
    expect(contend({ statistics: false }).statistics).toBeUndefined();
  });

  it('observers are told everything in order, each of several of them', () => {
    const logs: string[][] = [[], []];
    const observers = logs.map(
      (log): ExecutorObserver => ({
        taskStarted: (task, name, nowNs) => log.push(`start ${task} ${name} ${nowNs}`),
        taskEnded: (task, nowNs) => log.push(`end ${task} ${nowNs}`),
        lockTaken: (_, mode, task, cpu, nowNs, waitNs) => log.push(`take${mode} ${task}@${cpu} ${nowNs} ${waitNs}`),
        lockGiven: (_, mode, task, cpu, nowNs, heldNs) => log.push(`give${mode} ${task}@${cpu} ${nowNs} ${heldNs}`),
      }),
    );
    contend({ observers });
    expect(logs[0]).toEqual([
      'start 1 w 0',
      'take1 1@0 0 0',
      'start 2 r 400',
      'give1 1@0 1000 1000',
      'take0 1@0 1000 0',
      'take0 2@1 1000 600',
      'give0 1@0 1100 100',
      'end 1 1100',
      'give0 2@1 1300 300',
      'end 2 1300',
    ]);
    expect(logs[1]).toEqual(logs[0]);
  });
});
