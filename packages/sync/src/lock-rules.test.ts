import { describe, expect, it } from 'vitest';
import {
  canTake,
  excludes,
  grants,
  MAX_READERS_WOKEN,
  stateAfterRelease,
  stateAfterTake,
  WRITE_HELD,
} from './lock-rules.js';
import { type LockMode, READ, WRITE } from './operations.js';

/** Every queue of up to six waiters. */
function* queues(): Generator<LockMode[]> {
  for (let length = 0; length <= 6; length++) {
    for (let bits = 0; bits < 2 ** length; bits++) {
      yield Array.from({ length }, (_, at) => ((bits >> at) & 1) as LockMode);
    }
  }
}

describe('lock rules', () => {
  it('a trylock takes what is free, shares among readers, and fails where anyone waits', () => {
    expect(canTake(WRITE, 0, 0)).toBe(true);
    expect(canTake(READ, 0, 0)).toBe(true);
    expect(canTake(READ, 3, 0)).toBe(true);
    expect(canTake(WRITE, 1, 0)).toBe(false);
    expect(canTake(READ, WRITE_HELD, 0)).toBe(false);
    expect(canTake(WRITE, WRITE_HELD, 0)).toBe(false);
    expect(canTake(READ, 3, 1)).toBe(false);
    expect(canTake(READ, 0, 1)).toBe(false);
  });

  it('taking and giving back are inverse', () => {
    expect(stateAfterRelease(WRITE, stateAfterTake(WRITE, 0))).toBe(0);
    expect(stateAfterRelease(READ, stateAfterTake(READ, 5))).toBe(5);
  });

  it('grants, on every queue of up to six: the head decides', () => {
    for (const queue of queues()) {
      const readers = queue.flatMap((mode, at) => (mode === READ ? [at] : []));
      for (const state of [WRITE_HELD, 0, 1, 2]) {
        const got = grants(state, queue);
        if (queue.length === 0 || state === WRITE_HELD) expect(got).toEqual([]);
        else if (queue[0] === READ) expect(got).toEqual(readers);
        else expect(got).toEqual(state === 0 ? [0] : []);
      }
    }
  });

  it('grants never let two exclude each other, and always let someone into a free lock', () => {
    for (const queue of queues()) {
      const got = grants(0, queue);
      expect(got.length > 0).toBe(queue.length > 0);
      for (const a of got) {
        for (const b of got) {
          if (a !== b) expect(excludes(queue[a] as LockMode, queue[b] as LockMode)).toBe(false);
        }
      }
    }
  });

  it('at most 256 readers get in at once', () => {
    const queue: LockMode[] = [READ, WRITE, ...Array.from({ length: 400 }, () => READ as LockMode)];
    const got = grants(0, queue);
    expect(got.length).toBe(MAX_READERS_WOKEN);
    expect([got[0], got[1], got[255]]).toEqual([0, 2, 256]);
  });
});
