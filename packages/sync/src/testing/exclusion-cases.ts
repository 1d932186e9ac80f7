/** Who may be inside together. */
import { LOCK_OWNER, LOCK_STATE, type LockClass } from '../locks.js';
import {
  acquire,
  acquireNested,
  type LockMode,
  type LockRef,
  type Procedure,
  preempt,
  READ,
  release,
  spend,
  tryAcquire,
  WRITE,
} from '../operations.js';
import type { LockActor, LockCase } from './lock-suite.js';
import { fact, type LockWorld, same } from './lock-world.js';

const ROUNDS = 40;
const COUNTER = 0;
const INSIDE = 1;
const MOST_INSIDE = 2;

type Pick = (world: LockWorld) => LockClass;

/** Adds 1 to a cell in two steps with time between them: additions get lost if two are inside. */
function adder(name: string, pick: Pick): LockActor {
  return {
    name,
    *procedure(world): Procedure<void> {
      const lock = pick(world).ref(0);
      for (let round = 0; round < ROUNDS; round++) {
        yield acquire(lock, WRITE);
        const before = world.get(COUNTER);
        yield spend(700 + round);
        yield preempt();
        world.set(COUNTER, before + 1);
        yield release(lock, WRITE);
        yield spend(100);
      }
    },
  };
}

function exclusive(what: string, pick: Pick): LockCase {
  return {
    name: `${what}: one writer at a time`,
    actors: ['a', 'b', 'c'].map((name) => adder(name, pick)),
    check: (world) => same(world.get(COUNTER), 3 * ROUNDS, 'the sum of additions'),
  };
}

/** Goes in, waits for the other to be inside as well, and leaves. */
function meeter(name: string): LockActor {
  return {
    name,
    *procedure(world): Procedure<void> {
      yield acquire(world.rwsem.ref(1), READ);
      world.add(INSIDE, 1);
      yield* world.until('both readers are inside', () => world.get(INSIDE) === 2);
      yield release(world.rwsem.ref(1), READ);
    },
  };
}

/** Counts who is inside in which mode: readers +1, a writer +100. */
function mixer(name: string, mode: LockMode): LockActor {
  const weight = mode === READ ? 1 : 100;
  return {
    name,
    *procedure(world): Procedure<void> {
      const lock = world.rwsem.ref(2);
      for (let round = 0; round < ROUNDS; round++) {
        yield acquire(lock, mode);
        const inside = world.add(INSIDE, weight);
        fact(inside === 100 || inside <= 2, `a writer is alone inside (weight ${inside})`);
        world.set(MOST_INSIDE, Math.max(world.get(MOST_INSIDE), inside));
        yield spend(300 + 7 * round);
        world.add(INSIDE, -weight);
        yield release(lock, mode);
        yield spend(50);
      }
    },
  };
}

/** Tries a lock, gives it back if it was got, and checks which of the two it was. */
function* expectTry(world: LockWorld, lock: LockRef, mode: LockMode, expected: number, what: string): Procedure<void> {
  const got = yield tryAcquire(lock, mode);
  if (got === 1) yield release(lock, mode);
  same(got, expected, `${what} of ${world.domain.describe(lock)}`);
}

const trylocks: LockCase = {
  name: 'trylock: takes a free lock, shares a read lock, fails at once on one held in a mode that excludes it',
  actors: [
    {
      name: 'holder',
      *procedure(world): Procedure<void> {
        yield acquire(world.rwsem.ref(0), READ);
        yield acquireNested(world.rwsem.ref(1), WRITE);
        world.set(INSIDE, 1);
        yield* world.until('the trier is done', () => world.get(INSIDE) === 2);
        yield release(world.rwsem.ref(1), WRITE);
        yield release(world.rwsem.ref(0), READ);
      },
    },
    {
      name: 'trier',
      *procedure(world): Procedure<void> {
        yield* world.until('the holder holds', () => world.get(INSIDE) === 1);
        yield* expectTry(world, world.rwsem.ref(0), READ, 1, 'reading beside a reader');
        yield* expectTry(world, world.rwsem.ref(0), WRITE, 0, 'writing beside a reader');
        yield* expectTry(world, world.rwsem.ref(1), READ, 0, 'reading beside a writer');
        yield* expectTry(world, world.rwsem.ref(1), WRITE, 0, 'writing beside a writer');
        yield* expectTry(world, world.rwsem.ref(2), WRITE, 1, 'writing a free lock');
        yield* expectTry(world, world.spin.ref(2), WRITE, 1, 'taking a free spinlock');
        yield acquire(world.spin.ref(1));
        yield* expectTry(world, world.spin.ref(1), WRITE, 0, 'taking a held spinlock');
        yield release(world.spin.ref(1));
        world.set(INSIDE, 2);
      },
    },
  ],
};

const states: LockCase = {
  name: 'words: state and owner say who holds the lock',
  actors: [
    {
      name: 'only',
      *procedure(world): Procedure<void> {
        const lock = world.rwsem.ref(0);
        yield acquire(lock, WRITE);
        same(world.word(world.rwsem, 0, LOCK_STATE), -1, 'the state of a write lock');
        same(world.word(world.rwsem, 0, LOCK_OWNER), 1, 'the owner');
        yield release(lock, WRITE);
        same(world.word(world.rwsem, 0, LOCK_STATE), 0, 'the state of a free lock');
        same(world.word(world.rwsem, 0, LOCK_OWNER), 0, 'the owner of a free lock');
        yield acquire(lock, READ);
        same(world.word(world.rwsem, 0, LOCK_STATE), 1, 'the state with one reader');
        yield release(lock, READ);
      },
    },
  ],
};

export const exclusionCases: readonly LockCase[] = [
  exclusive('spin', (world) => world.spin),
  exclusive('rwsem', (world) => world.rwsem),
  exclusive('vma', (world) => world.vma),
  { name: 'rwsem: readers are inside together', actors: [meeter('a'), meeter('b')] },
  {
    name: 'rwsem: a writer is alone inside',
    actors: [mixer('r1', READ), mixer('w1', WRITE), mixer('r2', READ), mixer('w2', WRITE)],
    check: (world) => same(world.get(MOST_INSIDE), 100, 'the most weight inside'),
  },
  trylocks,
  states,
];
