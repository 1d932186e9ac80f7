import { describe, expect, it } from 'vitest';
import { SyncDomain } from '../locks.js';
import {
  acquire,
  mightSleep,
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
  wake,
} from '../operations.js';
import { eager, lockClass, spawnOps } from '../testing/programs.js';
import { SequentialExecutor } from './executor.js';
import type { SequentialOptions } from './settings.js';

/** Asks for the operations on the spot, one after the other; gives what came. */
function askAll(
  executor: SequentialExecutor,
  ops: readonly Op[],
  others: () => void = () => {},
): (number | undefined)[] {
  const answers: (number | undefined)[] = [];
  // biome-ignore lint/correctness/useYield: it asks, and never yields.
  executor.spawn('asks', function* (): Procedure<void> {
    for (const op of ops) answers.push(executor.current.atOnce?.(op));
  });
  others();
  executor.run();
  return answers;
}

function world(options: SequentialOptions = {}) {
  const domain = new SyncDomain();
  const spin = lockClass(domain, 'spin', 2, 'spin').ref(0);
  const sem = lockClass(domain, 'rwsem', 1, 'sem').ref(0);
  return { domain, spin, sem, queue: domain.waitQueue('queue'), executor: new SequentialExecutor(domain, options) };
}

describe('operations at once', () => {
  it('have the answers and the effects of yielded ones', () => {
    const { executor, spin, sem, queue } = world();
    const ops = [spend(70), acquire(sem, READ), tryAcquire(spin), now(), release(spin), preempt(), mightSleep()];
    expect(askAll(executor, [...ops, release(sem, READ), wake(queue)])).toEqual([0, 1, 1, 70, 0, 0, 0, 0, 0]);
    expect(executor.current.nowNs).toBe(70);
    expect(executor.tasks[0]).toMatchObject({ state: 'done', cpuNs: 70 });
  });

  it('are not to be had where the task has to wait', () => {
    const { executor, queue } = world();
    expect(askAll(executor, [sleep(1), wait(queue), wait(queue, 5)])).toEqual([undefined, undefined, undefined]);
    expect(executor.current.nowNs).toBe(0);
  });

  it('leave a lock alone that another holds, and say that a trylock fails', () => {
    const { executor, sem } = world({ cpus: 2 });
    spawnOps(executor, 'holder', [acquire(sem, WRITE), spend(1000), release(sem, WRITE)]);
    const answers: unknown[] = [];
    executor.spawn('asks', function* (): Procedure<void> {
      yield spend(10);
      const { current } = executor;
      answers.push(current.atOnce?.(acquire(sem)), current.atOnce?.(tryAcquire(sem)), current.atOnce?.(now()));
    });
    expect(executor.run()).toMatchObject({ end: 'idle', nowNs: 1000 });
    expect(answers).toEqual([undefined, 0, 10]);
  });

  it('do not pass the next event of anyone else', () => {
    const { executor } = world({ cpus: 2 });
    const answers = askAll(executor, [spend(60), spend(39), spend(1), preempt(), now()], () => {
      executor.spawn('later', function* () {}, { startNs: 100 });
    });
    expect(answers).toEqual([0, 0, undefined, 0, 99]);
  });

  it('are not to be had outside of a run, nor where every lock operation costs time', () => {
    const { executor, spin } = world({ lockOperationNs: 5 });
    expect(executor.current.atOnce?.(spend(1))).toBeUndefined();
    expect(askAll(executor, [acquire(spin), tryAcquire(spin), release(spin), spend(1)])).toEqual([
      undefined,
      undefined,
      undefined,
      0,
    ]);
    expect({ ...executor.current }).toEqual({ nowNs: 1, cpu: 0, task: 0 });
  });

  it('are counted as steps, and end with the limit of a run', () => {
    const { executor } = world();
    const ticks = function* (): Procedure<void> {
      for (let tick = 0; tick < 10_000; tick++) yield spend(1);
    };
    executor.spawn('ticks', () => eager(executor, ticks()));
    expect(executor.run({ maxSteps: 4500 })).toEqual({ end: 'steps', nowNs: 4500, steps: 4500 });
    expect(executor.run({ untilNs: 6000 })).toMatchObject({ end: 'time', nowNs: 6000, steps: 1500 });
    expect(executor.run()).toEqual({ end: 'idle', nowNs: 10_000, steps: 4000 });
  });

  it('are held to the locking rules, and fail the task as yielded ones do', () => {
    const ends = [false, true].map((asks) => {
      const { executor, spin, sem } = world();
      const inOrder = function* (): Procedure<void> {
        yield acquire(spin);
        yield acquire(sem);
      };
      executor.spawn('inverts', () => (asks ? eager(executor, inOrder()) : inOrder()));
      const { end, steps, failure } = executor.run();
      return { end, steps, held: failure?.held, text: String(failure?.error) };
    });
    expect(ends[0]?.text).toContain('sleep-in-atomic');
    expect(ends[1]).toEqual(ends[0]);
  });
});
