import { describe, expect, it } from 'vitest';
import { LOCK_STATE, LOCK_WAITERS, LOCK_WORDS, type LockClass, SyncDomain } from '../locks.js';
import {
  acquire,
  downgrade,
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
import { SequentialExecutor } from './executor.js';

function machine(): { domain: SyncDomain; mmap: LockClass; ptl: LockClass } {
  const domain = new SyncDomain();
  const mmap = domain.lockClass({ name: 'mmap_lock', kind: 'rwsem', rank: 1, words: new Int32Array(4 * LOCK_WORDS) });
  const ptl = domain.lockClass({ name: 'pte_lock', kind: 'spin', rank: 6, words: new Int32Array(4 * LOCK_WORDS) });
  return { domain, mmap, ptl };
}

describe('virtual time, worked by hand', () => {
  it('two processors, three tasks, one rw-semaphore', () => {
    const { domain, mmap } = machine();
    const executor = new SequentialExecutor(domain, { cpus: 2 });
    const lock = mmap.ref(0);
    const log: string[] = [];
    // Processor 0: the writer. Holds the lock from 1000 to 6000.
    executor.spawn(
      'writer',
      function* (): Procedure<void> {
        yield spend(1000);
        yield acquire(lock, WRITE);
        log.push(`writer got it at ${yield now()}`);
        yield spend(5000);
        yield release(lock, WRITE);
        log.push(`writer gave it at ${yield now()}`);
        yield spend(100);
      },
      { cpu: 0 },
    );
    // Processor 1: the reader asks at 2000 and gets the lock at 6000. The other task takes the processor at 2000, pays
    // 1500 for the switch, runs from 3500 to 13500; its slice is not over at 6000 and the reader is not a whole millisecond
    // behind, so the reader waits until 13500 and pays 1500 again: it goes on at 15000.
    const reader = executor.spawn(
      'reader',
      function* (): Procedure<void> {
        yield spend(2000);
        yield acquire(lock, READ);
        log.push(`reader goes on at ${yield now()}`);
        yield release(lock, READ);
      },
      { cpu: 1 },
    );
    const other = executor.spawn(
      'other',
      function* (): Procedure<void> {
        log.push(`other begins at ${yield now()}`);
        yield spend(10_000);
        log.push(`other ends at ${yield now()}`);
      },
      { cpu: 1 },
    );
    const outcome = executor.run();
    expect(log).toEqual([
      'writer got it at 1000',
      'other begins at 3500',
      'writer gave it at 6000',
      'other ends at 13500',
      'reader goes on at 15000',
    ]);
    expect(outcome).toEqual({ end: 'idle', nowNs: 15_000, steps: 14 });
    expect([reader.lockWaitNs, reader.cpuNs, other.cpuNs]).toEqual([4000, 2000, 10_000]);
  });

  it('a spinlock waiter burns its processor, and the task behind it waits too', () => {
    const { domain, ptl } = machine();
    const executor = new SequentialExecutor(domain, { cpus: 2, contextSwitchNs: 0 });
    const log: string[] = [];
    function* holder(name: string): Procedure<void> {
      yield acquire(ptl.ref(0));
      log.push(`${name} ${yield now()}`);
      yield spend(4_000_000);
      yield release(ptl.ref(0));
    }
    executor.spawn('a', () => holder('a'), { cpu: 0 });
    const spinner = executor.spawn('b', () => holder('b'), { cpu: 1, startNs: 1_000_000 });
    executor.spawn(
      'c',
      function* (): Procedure<void> {
        log.push(`c ${yield now()}`);
      },
      { cpu: 1, startNs: 1_000_001 },
    );
    executor.run();
    // b spins from 1 ms to 4 ms and holds until 8 ms; no switch while it does.
    expect(log).toEqual(['a 0', 'b 4000000', 'c 8000000']);
    expect([spinner.lockWaitNs, spinner.cpuNs]).toEqual([3_000_000, 7_000_000]);
  });

  it('a sleeper gives the processor away and a wake-up or a timeout brings it back', () => {
    const { domain } = machine();
    const queue = domain.waitQueue('khugepaged_wait');
    const executor = new SequentialExecutor(domain, { cpus: 1, contextSwitchNs: 0 });
    const log: string[] = [];
    executor.spawn('daemon', function* (): Procedure<void> {
      log.push(`woken ${yield wait(queue, 10_000)} at ${yield now()}`);
      log.push(`woken ${yield wait(queue, 10_000)} at ${yield now()}`);
      yield sleep(500);
      log.push(`slept until ${yield now()}`);
      yield wait(queue);
    });
    executor.spawn('waker', function* (): Procedure<void> {
      yield spend(3000);
      log.push(`wakes ${yield wake(queue)}`);
      yield preempt();
      log.push(`wakes ${yield wake(queue)}`);
    });
    expect(executor.run().end).toBe('idle');
    expect(log).toEqual(['wakes 1', 'wakes 0', 'woken 1 at 3000', 'woken 0 at 13000', 'slept until 13500']);
    expect(executor.tasks[0]?.state).toBe('blocked');
  });

  it('a trylock fails at once, a downgrade lets readers in', () => {
    const { domain, mmap } = machine();
    const executor = new SequentialExecutor(domain, { cpus: 2, contextSwitchNs: 0 });
    const lock = mmap.ref(3);
    const seen: number[] = [];
    executor.spawn('writer', function* (): Procedure<void> {
      yield acquire(lock, WRITE);
      yield spend(1000);
      yield downgrade(lock);
      yield spend(1000);
      yield release(lock, READ);
    });
    executor.spawn('reader', function* (): Procedure<void> {
      yield spend(500);
      seen.push(yield tryAcquire(lock, READ));
      yield acquire(lock, READ);
      seen.push(yield now(), mmap.words[mmap.base(3) + LOCK_STATE] as number);
      yield release(lock, READ);
    });
    executor.run();
    expect(seen).toEqual([0, 1000, 2]);
    expect([...mmap.words.subarray(mmap.base(3))]).toEqual([0, 0, 0, 0]);
    expect(mmap.words[mmap.base(3) + LOCK_WAITERS]).toBe(0);
  });
});
