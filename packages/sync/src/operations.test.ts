import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instanceOf, SyncDomain } from './locks.js';
import {
  acquire,
  acquireNested,
  downgrade,
  isNested,
  type LockMode,
  lockOf,
  MAX_SPAN_NS,
  modeOf,
  now,
  OP,
  opcodeOf,
  payloadOf,
  preempt,
  queueOf,
  release,
  sleep,
  spend,
  timeoutOf,
  tryAcquire,
  wait,
  wake,
} from './operations.js';

describe('operations', () => {
  it('carry lock, mode and nesting, for every class and any 32-bit instance', () => {
    const domain = new SyncDomain();
    const classes = Array.from({ length: 256 }, (_, at) =>
      domain.lockClass({ name: `class${at}`, kind: 'rwsem', rank: at, words: new Int32Array(4) }),
    );
    fc.assert(
      fc.property(fc.nat(255), fc.nat(0xffffffff), fc.constantFrom<LockMode>(0, 1), (classId, instance, mode) => {
        const lock = classes[classId]?.ref(instance) ?? expect.fail();
        expect([domain.classOf(lock).id, instanceOf(lock)]).toEqual([classId, instance]);
        for (const [op, code, nested] of [
          [acquire(lock, mode), OP.acquire, false],
          [acquireNested(lock, mode), OP.acquire, true],
          [tryAcquire(lock, mode), OP.tryAcquire, false],
          [release(lock, mode), OP.release, false],
        ] as const) {
          expect([opcodeOf(op), lockOf(op), modeOf(op), isNested(op)]).toEqual([code, lock, mode, nested]);
        }
        expect([opcodeOf(downgrade(lock)), lockOf(downgrade(lock))]).toEqual([OP.downgrade, lock]);
      }),
    );
  });

  it('carry times up to 78 hours exactly and cut longer ones', () => {
    fc.assert(
      fc.property(fc.nat(MAX_SPAN_NS), (ns) => {
        expect([opcodeOf(spend(ns)), payloadOf(spend(ns))]).toEqual([OP.spend, ns]);
        expect([opcodeOf(sleep(ns)), payloadOf(sleep(ns))]).toEqual([OP.sleep, ns]);
      }),
    );
    expect(payloadOf(spend(Number.POSITIVE_INFINITY))).toBe(MAX_SPAN_NS);
    expect(payloadOf(spend(-5))).toBe(0);
    expect(payloadOf(spend(1.5))).toBe(2);
  });

  it('carry queue and timeout of a wait, upwards to whole microseconds', () => {
    const domain = new SyncDomain();
    domain.waitQueue('first');
    const queue = domain.waitQueue('second');
    expect([opcodeOf(wait(queue)), queueOf(wait(queue)), timeoutOf(wait(queue))]).toEqual([OP.wait, queue, Infinity]);
    expect([queueOf(wait(queue, 1)), timeoutOf(wait(queue, 1))]).toEqual([queue, 1000]);
    expect(timeoutOf(wait(queue, 0))).toBe(0);
    expect(timeoutOf(wait(queue, 10_000_000_000))).toBe(10_000_000_000);
    expect([opcodeOf(wake(queue)), payloadOf(wake(queue))]).toEqual([OP.wake, queue]);
  });

  it('carry the label of a preemption point', () => {
    expect([opcodeOf(preempt(77)), payloadOf(preempt(77)), opcodeOf(now())]).toEqual([OP.preempt, 77, OP.now]);
  });
});
