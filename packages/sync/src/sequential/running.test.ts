import { describe, expect, it } from 'vitest';
import { LivelockError, OperationError } from '../errors.js';
import { SyncDomain } from '../locks.js';
import {
  acquire,
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
import { lockClass, spawnOps } from '../testing/programs.js';
import { SequentialExecutor } from './executor.js';

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

  it('asks at once after an interrupt, and goes on if told so', () => {
    const executor = new SequentialExecutor(new SyncDomain());
    let stop = false;
    let asked = 0;
    executor.spawn('ticks', function* (): Procedure<void> {
      for (let tick = 1; ; tick++) {
        yield spend(10);
        stop = tick === 20;
        if (tick === 7 || tick === 20) executor.interrupt();
      }
    });
    const outcome = executor.run({
      shouldStop: () => {
        asked++;
        return stop;
      },
    });
    expect([outcome, asked]).toEqual([{ end: 'stopped', nowNs: 210, steps: 21 }, 2]);
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
