/** Who gets the lock next. Order is forced by waiting until the lock's words show who queues. */
import { LOCK_STATE, LOCK_WAITERS, LOCK_WRITERS, type LockClass } from '../locks.js';
import {
  acquire,
  downgrade,
  type LockMode,
  type Procedure,
  READ,
  release,
  spend,
  tryAcquire,
  WRITE,
} from '../operations.js';
import type { LockActor, LockCase } from './lock-suite.js';
import { fact, type LockWorld, same } from './lock-world.js';

/** Cell: the holder has the lock. */
const HELD = 0;
/** Cell: how many have got it since, so that each can stamp its place. */
const STAMP = 1;
/** Cells from here: the place of waiter n, from 1. */
const PLACE = 2;
const INSIDE = 8;
const DONE = 9;

function waiters(world: LockWorld, lockClass: LockClass): number {
  return world.word(lockClass, 0, LOCK_WAITERS);
}

/** Holds the lock for WRITE until that many wait. */
function holder(count: number, mode: LockMode = WRITE): LockActor {
  return {
    name: 'holder',
    *procedure(world): Procedure<void> {
      yield acquire(world.rwsem.ref(0), mode);
      world.set(HELD, 1);
      yield* world.until(`${count} wait`, () => waiters(world, world.rwsem) === count);
      yield release(world.rwsem.ref(0), mode);
    },
  };
}

/** Queues as number `place` (from 0), stamps the order in which it got the lock; readers stay for `together` inside. */
function waiter(place: number, mode: LockMode, together = 1): LockActor {
  return {
    name: `${mode === READ ? 'reader' : 'writer'}${place}`,
    *procedure(world): Procedure<void> {
      yield* world.until(`turn ${place}`, () => world.get(HELD) === 1 && waiters(world, world.rwsem) === place);
      yield acquire(world.rwsem.ref(0), mode);
      world.set(PLACE + place, world.add(STAMP, 1));
      if (mode === READ) {
        world.add(INSIDE, 1);
        yield* world.until(`${together} readers inside`, () => world.get(INSIDE) >= together);
      }
      yield release(world.rwsem.ref(0), mode);
    },
  };
}

const writerStopsReaders: LockCase = {
  name: 'rwsem: a waiting writer stops new readers, also those that only try',
  actors: [
    {
      name: 'holder',
      *procedure(world): Procedure<void> {
        const lock = world.rwsem.ref(0);
        yield acquire(lock, READ);
        world.set(HELD, 1);
        yield* world.until('the writer waits', () => world.word(world.rwsem, 0, LOCK_WRITERS) === 1);
        same(yield tryAcquire(lock, READ), 0, 'a trylock for READ beside a reader while a writer waits');
        yield* world.until('writer and reader wait', () => waiters(world, world.rwsem) === 2);
        same(world.word(world.rwsem, 0, LOCK_STATE), 1, 'the state while they wait');
        yield release(lock, READ);
      },
    },
    waiter(0, WRITE),
    waiter(1, READ),
  ],
  check(world) {
    same(world.get(PLACE), 1, 'the place of the writer');
    same(world.get(PLACE + 1), 2, 'the place of the reader that came after it');
  },
};

const readersTogether: LockCase = {
  name: 'rwsem: a reader at the head takes in all queued readers, also one behind a writer',
  actors: [holder(3), waiter(0, READ, 2), waiter(1, WRITE), waiter(2, READ, 2)],
  check: (world) => same(world.get(PLACE + 1), 3, 'the place of the writer between the readers'),
};

const writersInOrder: LockCase = {
  name: 'rwsem: writers get the lock in the order they came',
  actors: [holder(3), waiter(0, WRITE), waiter(1, WRITE), waiter(2, WRITE)],
  check(world) {
    for (let place = 0; place < 3; place++) same(world.get(PLACE + place), place + 1, `the place of writer ${place}`);
  },
};

const writerAlone: LockCase = {
  name: 'rwsem: a writer at the head gets the lock alone, the readers behind it follow together',
  actors: [holder(3), waiter(0, WRITE), waiter(1, READ, 2), waiter(2, READ, 2)],
  check: (world) => same(world.get(PLACE), 1, 'the place of the writer'),
};

const wordsOfQueue: LockCase = {
  name: 'words: waiters and writers among them are counted',
  actors: [
    {
      name: 'holder',
      *procedure(world): Procedure<void> {
        yield acquire(world.rwsem.ref(0), WRITE);
        world.set(HELD, 1);
        yield* world.until('three wait', () => waiters(world, world.rwsem) === 3);
        same(world.word(world.rwsem, 0, LOCK_WRITERS), 1, 'writers among reader, writer, reader');
        yield release(world.rwsem.ref(0), WRITE);
      },
    },
    waiter(0, READ),
    waiter(1, WRITE),
    waiter(2, READ),
  ],
};

const downgradeWakes: LockCase = {
  name: 'rwsem: a downgrade lets in readers at the head of the queue, not a writer',
  actors: [
    {
      name: 'holder',
      *procedure(world): Procedure<void> {
        const lock = world.rwsem.ref(0);
        yield acquire(lock, WRITE);
        world.set(HELD, 1);
        yield* world.until('reader and writer wait', () => waiters(world, world.rwsem) === 2);
        yield downgrade(lock);
        yield* world.until('the reader is inside', () => world.get(INSIDE) === 1);
        same(world.word(world.rwsem, 0, LOCK_WRITERS), 1, 'waiting writers');
        world.set(DONE, 1);
        yield release(lock, READ);
      },
    },
    waiter(0, READ),
    waiter(1, WRITE),
  ],
  check: (world) => same(world.get(PLACE + 1), 2, 'the place of the writer'),
};

const downgradeBehindWriter: LockCase = {
  name: 'rwsem: a downgrade lets nobody in past a writer at the head',
  actors: [
    {
      name: 'holder',
      *procedure(world): Procedure<void> {
        const lock = world.rwsem.ref(0);
        yield acquire(lock, WRITE);
        world.set(HELD, 1);
        yield* world.until('writer and reader wait', () => waiters(world, world.rwsem) === 2);
        yield downgrade(lock);
        yield spend(100_000);
        same(waiters(world, world.rwsem), 2, 'tasks waiting after the downgrade');
        yield release(lock, READ);
      },
    },
    waiter(0, WRITE),
    waiter(1, READ),
  ],
  check: (world) => same(world.get(PLACE), 1, 'the place of the writer'),
};

const noStarvation: LockCase = {
  name: 'rwsem: a writer gets in while readers come and go without end',
  actors: [
    ...['a', 'b', 'c'].map(
      (name, at): LockActor => ({
        name,
        *procedure(world): Procedure<void> {
          for (let round = 0; world.get(DONE) === 0; round++) {
            fact(round < 100_000, 'the writer got in before 100,000 rounds of readers');
            yield acquire(world.rwsem.ref(0), READ);
            world.set(HELD, 1);
            yield spend(900 + 100 * at);
            yield release(world.rwsem.ref(0), READ);
          }
        },
      }),
    ),
    {
      name: 'writer',
      *procedure(world): Procedure<void> {
        yield* world.until('readers run', () => world.get(HELD) === 1);
        yield acquire(world.rwsem.ref(0), WRITE);
        world.set(DONE, 1);
        yield release(world.rwsem.ref(0), WRITE);
      },
    },
  ],
};

const spinInOrder: LockCase = {
  name: 'spin: waiters get the lock in the order they came',
  actors: [
    {
      name: 'holder',
      options: { cpu: 0 },
      *procedure(world): Procedure<void> {
        yield acquire(world.spin.ref(0));
        world.set(HELD, 1);
        for (let polls = 0; waiters(world, world.spin) < 3; polls++) {
          fact(polls < 10_000_000, 'three tasks come to wait for the spinlock');
          yield spend(100);
        }
        yield release(world.spin.ref(0));
      },
    },
    ...[0, 1, 2].map(
      (place): LockActor => ({
        name: `spinner${place}`,
        options: { cpu: place + 1 },
        *procedure(world): Procedure<void> {
          yield* world.until(`turn ${place}`, () => world.get(HELD) === 1 && waiters(world, world.spin) === place);
          yield acquire(world.spin.ref(0));
          world.set(PLACE + place, world.add(STAMP, 1));
          yield spend(50);
          yield release(world.spin.ref(0));
        },
      }),
    ),
  ],
  check: (world) => {
    for (let place = 0; place < 3; place++) same(world.get(PLACE + place), place + 1, `the place of spinner ${place}`);
  },
};

const vmaDrain: LockCase = {
  name: 'vma: a writer waits for the readers to leave, and new ones fail meanwhile',
  actors: [
    {
      name: 'reader',
      *procedure(world): Procedure<void> {
        const lock = world.vma.ref(0);
        same(yield tryAcquire(lock, READ), 1, 'a trylock for READ of a free vma lock');
        world.set(HELD, 1);
        yield* world.until('the writer waits', () => waiters(world, world.vma) === 1);
        same(yield tryAcquire(lock, READ), 0, 'a trylock for READ while a writer waits');
        world.set(INSIDE, 1);
        yield release(lock, READ);
        yield* world.until('the writer holds', () => world.get(INSIDE) === 2);
        same(yield tryAcquire(lock, READ), 0, 'a trylock for READ while a writer holds');
        world.set(DONE, 1);
      },
    },
    {
      name: 'writer',
      *procedure(world): Procedure<void> {
        yield* world.until('the reader holds', () => world.get(HELD) === 1);
        yield acquire(world.vma.ref(0), WRITE);
        same(world.get(INSIDE), 1, 'the reader has left first');
        world.set(INSIDE, 2);
        yield* world.until('the reader has tried', () => world.get(DONE) === 1);
        yield release(world.vma.ref(0), WRITE);
      },
    },
  ],
};

export const queueingCases: readonly LockCase[] = [
  writerStopsReaders,
  readersTogether,
  writersInOrder,
  writerAlone,
  wordsOfQueue,
  downgradeWakes,
  downgradeBehindWriter,
  noStarvation,
  spinInOrder,
  vmaDrain,
];
