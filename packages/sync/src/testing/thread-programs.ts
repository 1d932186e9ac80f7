/** Procedures that test workers find by name. */
import { Arena, Random, type Sizes } from '@thplab/arena';
import {
  acquire,
  type LockMode,
  type LockRef,
  type Procedure,
  preempt,
  READ,
  release,
  spend,
  WRITE,
  wait,
  wake,
} from '../operations.js';
import type { ThreadProgram } from '../threads/messages.js';
import { THREADS_TABLES, type ThreadsView } from '../threads/tables.js';
import { lockCases } from './lock-suite.js';
import { LockWorld, type LockWorldMemory } from './lock-world.js';

/** The shared memory of a threads run. */
export interface ThreadsHandle {
  readonly buffer: SharedArrayBuffer;
  readonly sizes: Sizes;
}

/** Which actor of which case of the lock suite. */
export interface ActorData {
  readonly memory: LockWorldMemory;
  readonly threads: ThreadsHandle;
  readonly lockCase: string;
  readonly actor: string;
}

export function attachThreads({ buffer, sizes }: ThreadsHandle): ThreadsView {
  return Arena.attach(THREADS_TABLES, sizes, buffer).tables;
}

export function lockActor(data: ActorData): ThreadProgram {
  const world = new LockWorld(data.memory);
  const lockCase = lockCases.find(({ name }) => name === data.lockCase);
  const actor = lockCase?.actors.find(({ name }) => name === data.actor);
  if (actor === undefined) throw new Error(`no actor '${data.actor}' in '${data.lockCase}'`);
  return { domain: world.domain, tables: attachThreads(data.threads), procedure: actor.procedure(world) };
}

/** What the programs below are given. */
export interface ProgramData {
  readonly memory: LockWorldMemory;
  readonly threads: ThreadsHandle;
  readonly seed: number;
}

function program(data: ProgramData, procedure: (world: LockWorld) => Procedure<unknown>): ThreadProgram {
  const world = new LockWorld(data.memory);
  return { domain: world.domain, tables: attachThreads(data.threads), procedure: procedure(world) };
}

/** Takes and gives back locks for ever, up to three at a time, and counts the rounds in cell `seed`. */
export function churn(data: ProgramData): ThreadProgram {
  const random = new Random(data.seed + 1);
  return program(data, function* (world) {
    for (;;) {
      const order = [world.rwsem.ref(random.below(2)), world.vma.ref(random.below(2)), world.spin.ref(random.below(2))];
      const modes = order.map((_, at) => (at === 0 && random.below(2) === 0 ? READ : WRITE));
      for (let at = 0; at < order.length; at++) yield acquire(order[at] as LockRef, modes[at] as LockMode);
      yield spend(100);
      for (let at = order.length - 1; at >= 0; at--) yield release(order[at] as LockRef, modes[at] as LockMode);
      if (random.below(16) === 0) yield wait(world.queue, 100_000);
      if (random.below(16) === 0) yield wake(world.queue);
      world.add(data.seed, 1);
    }
  });
}

/** Takes two locks, `seed` says in which order, and meets the other in between: both wait for ever. */
export function crossed(data: ProgramData): ThreadProgram {
  return program(data, function* (world) {
    const [first, second] = data.seed === 0 ? [0, 1] : [1, 0];
    yield acquire(world.rwsem.ref(first as number), WRITE);
    world.add(0, 1);
    yield* world.until('both hold one', () => world.get(0) === 2);
    yield acquire(world.rwsem.ref(second as number), WRITE);
  });
}

/** Seed 0: waits until cell 1 is not 0, by check and wait. Seed 1: sets it and wakes. So often that both meet. */
export function checkAndWait(data: ProgramData): ThreadProgram {
  return program(data, function* (world) {
    for (let round = 1; round <= 2000; round++) {
      if (data.seed === 0) {
        while (world.get(1) < round) yield wait(world.queue);
        world.set(2, round);
      } else {
        world.set(1, round);
        yield wake(world.queue);
        for (let polls = 0; world.get(2) < round; polls++) {
          if (polls > 10_000_000) throw new Error(`wake-up ${round} was lost`);
          yield preempt();
        }
      }
    }
    return 'done';
  });
}

/** Waits for a wake-up that never comes. */
export function waitsForEver(data: ProgramData): ThreadProgram {
  return program(data, function* (world) {
    yield wait(world.queue);
  });
}
