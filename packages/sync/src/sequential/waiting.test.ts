import { describe, expect, it } from 'vitest';
import { DeadlockError } from '../errors.js';
import type { ExecutorObserver } from '../executor.js';
import { type LockClass, SyncDomain } from '../locks.js';
import {
  acquire,
  downgrade,
  type LockMode,
  type LockRef,
  now,
  type Op,
  type Procedure,
  READ,
  release,
  sleep,
  spend,
  WRITE,
  wait,
} from '../operations.js';
import { lockClass, spawnOps } from '../testing/programs.js';
import { SequentialExecutor } from './executor.js';
import type { SequentialOptions } from './settings.js';

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

  it('name whom each waiter waits for: a reader not for the reader before it', () => {
    const error = find((executor, lock) => {
      const queue = executor.domain.waitQueue('queue');
      spawnOps(executor, 'holder', [acquire(lock.ref(0)), wait(queue)]);
      spawnOps(executor, 'reader', [acquire(lock.ref(0), READ)], 10);
      spawnOps(executor, 'writer', [acquire(lock.ref(0), WRITE)], 20);
      spawnOps(executor, 'reader 2', [acquire(lock.ref(0), READ)], 30);
    });
    expect(error?.blocked.map((one) => one.waitsFor.map((other) => other.name))).toEqual([
      ['holder'],
      ['holder', 'reader'],
      ['holder', 'writer'],
    ]);
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
