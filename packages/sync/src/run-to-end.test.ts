import { describe, expect, it } from 'vitest';
import { OperationError, WouldBlockError } from './errors.js';
import { LOCK_WORDS, type LockClass, SyncDomain } from './locks.js';
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
} from './operations.js';
import { runToEnd } from './run-to-end.js';

function machine(): { domain: SyncDomain; lock: LockClass } {
  const domain = new SyncDomain();
  return {
    domain,
    lock: domain.lockClass({ name: 'mmap_lock', kind: 'rwsem', rank: 1, words: new Int32Array(2 * LOCK_WORDS) }),
  };
}

describe('runToEnd', () => {
  it('gives the value of a procedure and leaves its locks free', () => {
    const { domain, lock } = machine();
    const queue = domain.waitQueue('queue');
    const current = { nowNs: 500, cpu: 0, task: 0 };
    const tasks: number[] = [];
    function* work(): Procedure<string> {
      tasks.push(current.task);
      yield acquire(lock.ref(1), WRITE);
      expect([...lock.words]).toEqual([0, 0, 0, 0, -1, 9, 0, 0]);
      yield downgrade(lock.ref(1));
      expect(lock.words[4]).toBe(1);
      expect(yield tryAcquire(lock.ref(1), WRITE)).toBe(0);
      yield spend(100);
      yield preempt(3);
      yield release(lock.ref(1), READ);
      yield sleep(1000);
      expect(yield wait(queue, 2000)).toBe(0);
      expect(yield wake(queue)).toBe(0);
      return `done at ${yield now()}`;
    }
    expect(runToEnd(domain, work(), { current, task: 9 })).toBe('done at 3600');
    expect([...lock.words]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect([current.nowNs, current.task, tasks]).toEqual([3600, 0, [9]]);
  });

  it('throws where it would wait for ever', () => {
    const { domain, lock } = machine();
    const queue = domain.waitQueue('queue');
    lock.words[0] = 1;
    const take = function* (): Procedure<void> {
      yield acquire(lock.ref(0), WRITE);
    };
    const doze = function* (): Procedure<void> {
      yield wait(queue);
    };
    expect(() => runToEnd(domain, take())).toThrow(WouldBlockError);
    expect(() => runToEnd(domain, take())).toThrow('mmap_lock[0] is not free');
    expect(() => runToEnd(domain, doze())).toThrow(WouldBlockError);
  });

  it('throws on giving back what is not held', () => {
    const { domain, lock } = machine();
    const give = function* (): Procedure<void> {
      yield acquire(lock.ref(0), READ);
      yield release(lock.ref(0), WRITE);
    };
    expect(() => runToEnd(domain, give())).toThrow(OperationError);
  });
});
