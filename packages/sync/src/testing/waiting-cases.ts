/** Sleeping, wait queues, bit locks and the clock. */
import { now, type Procedure, sleep, spend, wait, wake } from '../operations.js';
import type { LockCase } from './lock-suite.js';
import { fact, type LockWorld, same } from './lock-world.js';

const WOKEN = 0;
const COUNT = 1;

const passes: LockCase = {
  name: 'time: a spend and a sleep pass at least the time they name, and time never goes back',
  actors: [
    {
      name: 'sleeper',
      *procedure(): Procedure<void> {
        const first = yield now();
        yield sleep(20_000);
        const second = yield now();
        fact(second - first >= 20_000, 'a sleep of 20 us lasts that long');
        yield spend(5000);
        fact((yield now()) >= second, 'time does not go back');
      },
    },
  ],
};

const timeout: LockCase = {
  name: 'wait: gives 0 when the timeout is over, not before its time',
  actors: [
    {
      name: 'waiter',
      *procedure(world): Procedure<void> {
        const before = yield now();
        same(yield wait(world.queue, 30_000), 0, 'the answer of a wait that nobody ends');
        fact((yield now()) - before >= 30_000, 'it lasted 30 us');
      },
    },
  ],
};

const wakesAll: LockCase = {
  name: 'wake: ends every wait on the queue with 1, the ones with a timeout included, and counts them',
  actors: [
    ...[undefined, 3_600_000_000_000].map((timeoutNs, at) => ({
      name: `waiter${at}`,
      *procedure(world: LockWorld): Procedure<void> {
        same(yield wait(world.queue, timeoutNs), 1, 'the answer of a wait that was ended');
        world.add(WOKEN, 1);
      },
    })),
    {
      name: 'waker',
      *procedure(world): Procedure<void> {
        yield* world.until('both were woken', () => world.get(COUNT) === 2);
        yield* world.until('both went on', () => world.get(WOKEN) === 2);
      },
    },
    {
      name: 'caller',
      *procedure(world): Procedure<void> {
        for (let round = 0; world.get(COUNT) < 2; round++) {
          fact(round < 100_000, 'two waits are ended');
          world.add(COUNT, yield wake(world.queue));
          yield sleep(1000);
        }
      },
    },
  ],
};

const bits: LockCase = {
  name: 'bit lock: one of several that try at once gets it',
  actors: ['a', 'b', 'c'].map((name) => ({
    name,
    *procedure(world: LockWorld): Procedure<void> {
      for (let round = 0; round < 50; round++) {
        while (!world.folio.tryLock(0)) yield sleep(500);
        const before = world.get(COUNT);
        yield spend(200);
        world.set(COUNT, before + 1);
        world.folio.unlock(0);
        yield spend(10);
      }
    },
  })),
  check: (world) => same(world.get(COUNT), 150, 'the sum of additions'),
};

export const waitingCases: readonly LockCase[] = [passes, timeout, wakesAll, bits];
