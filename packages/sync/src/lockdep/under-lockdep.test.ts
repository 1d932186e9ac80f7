import { describe, expect, it } from 'vitest';
import { LOCK_WORDS, SyncDomain } from '../locks.js';
import {
  acquire,
  downgrade,
  mightSleep,
  type Op,
  type Procedure,
  READ,
  release,
  tryAcquire,
  WRITE,
} from '../operations.js';
import { runToEnd } from '../run-to-end.js';
import { LockdepError } from './errors.js';
import { underLockdep } from './under-lockdep.js';

const domain = new SyncDomain();
const words = (): Int32Array => new Int32Array(4 * LOCK_WORDS);
const mmap = domain.lockClass({ name: 'mmap_lock', kind: 'rwsem', rank: 1, words: words() });
const low = domain.lockClass({ name: 'pmd_lock', kind: 'spin', rank: 3, words: words() });
const pte = domain.lockClass({ name: 'pte_lock', kind: 'spin', rank: 5, words: words() });

/** The rule that a procedure of these operations breaks, or how many locks it held at the end of each step. */
function run(...ops: Op[]): string | number[] {
  for (const lockClass of [mmap, low, pte]) lockClass.words.fill(0);
  const held: number[] = [];
  const procedure = function* (): Procedure<void> {
    for (const op of ops) yield op;
  };
  try {
    runToEnd(domain, underLockdep(domain, procedure(), { betweenSteps: ({ count }) => held.push(count) }));
  } catch (error) {
    if (error instanceof LockdepError) return error.rule;
    throw error;
  }
  return held;
}

describe('a procedure under lockdep', () => {
  it('that keeps the rules runs as ever, and says what it holds after each step', () => {
    expect(run(acquire(mmap.ref(0)), tryAcquire(pte.ref(1)), release(pte.ref(1)), release(mmap.ref(0)))).toEqual([
      0, 1, 2, 1, 0,
    ]);
    expect(run(acquire(mmap.ref(0)), downgrade(mmap.ref(0)), release(mmap.ref(0), READ))).toEqual([0, 1, 1, 0]);
  });

  it.each([
    ['order', [acquire(pte.ref(0)), acquire(low.ref(0))]],
    ['sleep-in-atomic', [acquire(pte.ref(0)), acquire(mmap.ref(1))]],
    ['recursive', [acquire(mmap.ref(0), READ), acquire(mmap.ref(0), READ)]],
    ['same-class', [acquire(mmap.ref(0)), acquire(mmap.ref(1))]],
    ['sleep-in-atomic', [acquire(pte.ref(0)), mightSleep()]],
    ['release-by-non-holder', [release(mmap.ref(0))]],
    ['release-wrong-mode', [acquire(mmap.ref(0), READ), release(mmap.ref(0), WRITE)]],
    ['leak', [acquire(mmap.ref(0))]],
  ])('that breaks a rule ends: %s', (rule, ops) => {
    expect(run(...ops)).toBe(rule);
  });
});
