import { describe, expect, it } from 'vitest';
import { type BitLock, LOCK_WORDS, type LockKind, SyncDomain } from '../locks.js';
import {
  acquire,
  acquireNested,
  downgrade,
  type LockRef,
  mightSleep,
  type Op,
  type Procedure,
  READ,
  release,
  sleep,
  spend,
  tryAcquire,
  WRITE,
  wait,
  wake,
} from '../operations.js';
import { SequentialExecutor } from '../sequential/executor.js';
import type { SequentialOptions } from '../sequential/settings.js';
import { LockdepError } from './errors.js';

class Rig {
  readonly domain = new SyncDomain();
  readonly mmap = this.make('mmap_lock', 'rwsem', 1);
  readonly vma = this.make('vma_lock', 'vma', 2);
  readonly anonVma = this.make('anon_vma', 'rwsem', 3);
  readonly fileMap = this.make('i_mmap', 'rwsem', 3);
  readonly other = this.make('other', 'rwsem', 3);
  readonly pmd = this.make('pmd_lock', 'spin', 5);
  readonly pte = this.make('pte_lock', 'spin', 6);
  readonly queue = this.domain.waitQueue('queue');
  readonly folio: BitLock = this.domain.bitLock('folio_lock', new Uint32Array(16), 4);

  /** Runs one task that yields the operations in order; gives the violation. */
  break(ops: readonly Op[], options: SequentialOptions = {}): LockdepError {
    const outcome = this.run([ops], options);
    expect(outcome).toBeInstanceOf(LockdepError);
    return outcome as LockdepError;
  }

  /** Runs tasks one after the other; gives what the first that failed threw. */
  run(programs: readonly (readonly Op[])[], options: SequentialOptions = {}): unknown {
    const executor = new SequentialExecutor(this.domain, options);
    for (const [at, ops] of programs.entries()) {
      executor.spawn(
        `task${at}`,
        function* program(): Procedure<void> {
          for (const op of ops) yield op;
        },
        { startNs: at * 1000 },
      );
    }
    return executor.run().failure?.error;
  }

  private make(name: string, kind: LockKind, rank: number): (instance: number) => LockRef {
    const made = this.domain.lockClass({ name, kind, rank, words: new Int32Array(8 * LOCK_WORDS) });
    return (instance) => made.ref(instance);
  }
}

describe('lockdep', () => {
  it('accepts the order of a collapse: mmap, vma, anon_vma, pmd, pte', () => {
    const rig = new Rig();
    const locks = [rig.mmap(0), rig.vma(0), rig.anonVma(0), rig.pmd(0), rig.pte(0)];
    const ops = [...locks.map((lock) => acquire(lock)), ...locks.reverse().map((lock) => release(lock))];
    expect(rig.run([ops])).toBeUndefined();
  });

  it('reports a lock of lower rank, with what is held in order and in which mode', () => {
    const rig = new Rig();
    const error = rig.break([acquire(rig.mmap(2), READ), acquire(rig.anonVma(1)), acquire(rig.vma(7))]);
    expect(error.rule).toBe('order');
    expect([error.task, error.taskName, error.procedure, error.lock]).toEqual([1, 'task0', 'program', 'vma_lock[7]']);
    expect(error.held.map((held) => [held.name, held.mode])).toEqual([
      ['mmap_lock[2]', READ],
      ['anon_vma[1]', WRITE],
    ]);
    expect(error.message).toBe(
      "order: task 1 'task0' (program) waits for vma_lock[7], of rank 2, while it holds anon_vma[1] of rank 3; " +
        'vma_lock comes before anon_vma; it holds mmap_lock[2] READ, anon_vma[1] WRITE',
    );
  });

  it('reports an inversion against any held lock, not only the last', () => {
    const rig = new Rig();
    const ops = [acquire(rig.pte(0)), tryAcquire(rig.mmap(0), READ), acquire(rig.pmd(0))];
    expect(rig.break(ops).rule).toBe('order');
  });

  it('does not check the order of a trylock, but counts what it took', () => {
    const rig = new Rig();
    const fine = [acquire(rig.anonVma(0)), tryAcquire(rig.mmap(0)), release(rig.mmap(0)), release(rig.anonVma(0))];
    expect(rig.run([fine])).toBeUndefined();
    expect(rig.break([tryAcquire(rig.anonVma(0)), acquire(rig.mmap(0))]).rule).toBe('order');
  });

  it('asks for the nested form for a second lock of a class', () => {
    const rig = new Rig();
    const plain = [acquire(rig.pte(0)), acquire(rig.pte(1))];
    expect(rig.break(plain).rule).toBe('same-class');
    const other = new Rig();
    const nested = [acquire(other.pte(0)), acquireNested(other.pte(1)), release(other.pte(1)), release(other.pte(0))];
    expect(other.run([nested])).toBeUndefined();
  });

  it('lets the nested form pass a higher rank only for a class already held', () => {
    const rig = new Rig();
    const fork = [acquire(rig.mmap(0)), acquire(rig.vma(0)), acquireNested(rig.mmap(1))];
    const undo = [release(rig.mmap(1)), release(rig.vma(0)), release(rig.mmap(0))];
    expect(rig.run([[...fork, ...undo]])).toBeUndefined();
    expect(rig.break([acquire(rig.vma(1)), acquireNested(rig.mmap(1))]).rule).toBe('order');
  });

  it('reports taking a lock twice, reading twice and the nested form included', () => {
    for (const second of [acquire, acquireNested]) {
      for (const mode of [READ, WRITE] as const) {
        const rig = new Rig();
        expect(rig.break([acquire(rig.mmap(0), READ), second(rig.mmap(0), mode)]).rule).toBe('recursive');
      }
    }
  });

  it('learns the order of two classes of equal rank and reports the other order, naming both tasks', () => {
    const rig = new Rig();
    const one = [acquire(rig.anonVma(0)), acquire(rig.fileMap(0)), release(rig.fileMap(0)), release(rig.anonVma(0))];
    const two = [acquire(rig.fileMap(1)), acquire(rig.anonVma(1))];
    expect(rig.run([one, one])).toBeUndefined();
    const error = rig.run([one, two]) as LockdepError;
    expect(error.rule).toBe('learned-order');
    expect(error.message).toContain("task 2 'task1' (program) takes anon_vma[1], under i_mmap; but");
    expect(error.message).toContain("task 1 'task0' took i_mmap under anon_vma at 0 ns");
  });

  it('finds a learned cycle over three classes', () => {
    const rig = new Rig();
    const pair = (a: LockRef, b: LockRef): Op[] => [acquire(a), acquire(b), release(b), release(a)];
    const error = rig.run([
      pair(rig.anonVma(0), rig.fileMap(0)),
      pair(rig.fileMap(0), rig.other(0)),
      pair(rig.other(0), rig.anonVma(0)),
    ]) as LockdepError;
    expect(error.rule).toBe('learned-order');
    expect(error.message).toContain('took other under i_mmap at 2500 ns');
  });

  it.each([
    ['sleep', (): Op => sleep(10)],
    ['wait', (rig: Rig): Op => wait(rig.queue, 10)],
    ['mightSleep', (): Op => mightSleep()],
    ['a sleeping lock', (rig: Rig): Op => acquire(rig.mmap(0), READ)],
    ['a lock that waits for the readers of a VMA', (rig: Rig): Op => acquire(rig.vma(0))],
  ])('reports %s under a spinlock', (_, make) => {
    const rig = new Rig();
    const error = rig.break([acquire(rig.pte(0)), make(rig)]);
    expect(error.rule).toBe('sleep-in-atomic');
    expect(error.held.map((held) => held.name)).toEqual(['pte_lock[0]']);
  });

  it('accepts spending time, trying a sleeping lock and waking others under a spinlock', () => {
    const rig = new Rig();
    const spin = rig.pmd(0);
    const ops = [
      acquire(spin),
      spend(10),
      wake(rig.queue),
      tryAcquire(rig.mmap(0)),
      release(rig.mmap(0)),
      release(spin),
    ];
    expect(rig.run([ops])).toBeUndefined();
  });

  it('accepts sleeping again once the last spinlock is given back, in any order', () => {
    const rig = new Rig();
    const ops = [acquire(rig.pmd(0)), acquire(rig.pte(0)), release(rig.pmd(0)), release(rig.pte(0)), sleep(10)];
    expect(rig.run([ops])).toBeUndefined();
    expect(new Rig().break([acquire(rig.pmd(1)), acquire(rig.pte(1)), release(rig.pmd(1)), sleep(10)]).rule).toBe(
      'sleep-in-atomic',
    );
  });

  it('reports giving back what is not held, also with lockdep off', () => {
    for (const lockdep of [true, false]) {
      const rig = new Rig();
      const error = rig.run([[acquire(rig.mmap(0)), sleep(5000)], [release(rig.mmap(0))]], { lockdep }) as LockdepError;
      expect([error.rule, error.taskName]).toEqual(['release-by-non-holder', 'task1']);
    }
  });

  it('reports giving back in the wrong mode', () => {
    const rig = new Rig();
    expect(rig.break([acquire(rig.mmap(0), READ), release(rig.mmap(0), WRITE)]).rule).toBe('release-wrong-mode');
    expect(new Rig().break([acquire(rig.mmap(0), READ), downgrade(rig.mmap(0))]).rule).toBe('release-wrong-mode');
    const down = [acquire(rig.anonVma(0)), downgrade(rig.anonVma(0)), release(rig.anonVma(0), WRITE)];
    expect(rig.break(down).rule).toBe('release-wrong-mode');
  });

  it('reports a procedure that ends with a lock held; with lockdep off it just ends', () => {
    const rig = new Rig();
    const error = rig.break([acquire(rig.mmap(0), READ), acquire(rig.anonVma(0))]);
    expect([error.rule, error.lock]).toEqual(['leak', 'mmap_lock[0], anon_vma[0]']);
    expect(new Rig().run([[acquire(rig.mmap(0))]], { lockdep: false })).toBeUndefined();
  });
});

describe('lockdep of bit locks', () => {
  function run(rig: Rig, ...bodies: (() => void)[]): unknown {
    const executor = new SequentialExecutor(rig.domain);
    for (const [at, body] of bodies.entries()) {
      executor.spawn(
        `task${at}`,
        function* (): Procedure<void> {
          body();
          yield sleep(10_000);
        },
        { startNs: at * 1000 },
      );
    }
    return executor.run().failure?.error;
  }

  it('reports one that is left locked', () => {
    const rig = new Rig();
    const error = run(rig, () => {
      for (const instance of [1, 3, 9]) rig.folio.tryLock(instance);
      for (const instance of [1, 9]) rig.folio.unlock(instance);
    }) as LockdepError;
    expect([error.rule, error.lock]).toEqual(['bit-lock-leak', 'folio_lock[3]']);
  });

  it('reports one unlocked by another task', () => {
    const rig = new Rig();
    const error = run(
      rig,
      () => rig.folio.tryLock(3),
      () => rig.folio.unlock(3),
    ) as LockdepError;
    expect([error.rule, error.taskName]).toEqual(['bit-lock-by-non-holder', 'task1']);
    expect(rig.folio.isLocked(3)).toBe(true);
  });

  it('reports one that was not locked', () => {
    const rig = new Rig();
    expect((run(rig, () => rig.folio.unlock(3)) as LockdepError).rule).toBe('bit-lock-not-locked');
  });

  it('lets a task unlock what was locked before the run, and forgets balanced pairs', () => {
    const rig = new Rig();
    rig.folio.tryLock(5);
    const error = run(rig, () => {
      rig.folio.unlock(5);
      for (let instance = 0; instance < 16; instance++) rig.folio.tryLock(instance);
      expect(rig.folio.tryLock(7)).toBe(false);
      for (let instance = 0; instance < 16; instance++) rig.folio.unlock(instance);
    });
    expect(error).toBeUndefined();
  });

  it('stops watching after the run', () => {
    const rig = new Rig();
    run(rig, () => {});
    expect(rig.folio.watcher).toBeUndefined();
  });
});
