import { afterAll, describe, it } from 'vitest';
import type { Executor } from '../executor.js';
import { type LockCase, lockCases, runLockCase } from '../testing/lock-suite.js';
import type { LockWorld } from '../testing/lock-world.js';
import { endTestWorkers, programsUrl, testWorker } from '../testing/thread-workers.js';
import { ThreadsExecutor } from './executor.js';
import { createThreadsArena } from './tables.js';

afterAll(endTestWorkers);

/** Actors cannot be sent: each worker finds its own by the names of the case and the actor. */
class ActorExecutor extends ThreadsExecutor {
  private readonly data: object;

  constructor(world: LockWorld, lockCase: LockCase) {
    const arena = createThreadsArena();
    super(world.domain, { tables: arena.tables, worker: testWorker });
    this.data = { memory: world.memory, threads: arena.handle, lockCase: lockCase.name };
  }

  override spawn(...[actor, , options]: Parameters<Executor['spawn']>): ReturnType<Executor['spawn']> {
    const data = { ...this.data, actor };
    return this.spawnNamed(actor, { module: programsUrl(), export: 'lockActor', data }, options);
  }
}

describe('lock suite, on worker threads', () => {
  it.each(lockCases.map((lockCase) => [lockCase.name, lockCase] as const))('%s', (_name, lockCase) =>
    runLockCase(lockCase, (world, own) => new ActorExecutor(world, own)),
  );
});
