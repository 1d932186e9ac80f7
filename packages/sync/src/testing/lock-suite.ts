/**
 * What every executor's locks must do, as cases that any executor can run: the sequential one in virtual time, others on
 * real threads or under searched schedules. A case forces its interleaving by looking at the lock words and at cells that
 * actors write, never by time, and its facts are true of every schedule.
 *
 * An executor on worker threads cannot be handed closures: a worker imports this module and finds the case and the
 * actor by name.
 */
import type { Executor, TaskOptions } from '../executor.js';
import { LOCK_WORDS } from '../locks.js';
import type { Procedure } from '../operations.js';
import { exclusionCases } from './exclusion-cases.js';
import { fact, LockWorld, same } from './lock-world.js';
import { queueingCases } from './queueing-cases.js';
import { waitingCases } from './waiting-cases.js';

/** One task of a case. */
export interface LockActor {
  readonly name: string;
  readonly options?: TaskOptions;
  procedure(world: LockWorld): Procedure<unknown>;
}

/** One fact about locks. Needs at most four processors. */
export interface LockCase {
  readonly name: string;
  readonly actors: readonly LockActor[];
  /** Looks at the world when all actors are done. */
  check?(world: LockWorld): void;
}

/** All cases. */
export const lockCases: readonly LockCase[] = [...exclusionCases, ...queueingCases, ...waitingCases];

/** Makes the executor that a case runs on; four processors. */
export type ExecutorFactory = (world: LockWorld, lockCase: LockCase) => Executor;

/** Runs a case; throws if a fact does not hold, a task fails or does not end, or a lock word is not zero afterwards. */
export async function runLockCase(lockCase: LockCase, factory: ExecutorFactory): Promise<void> {
  const world = new LockWorld();
  const executor = factory(world, lockCase);
  for (const actor of lockCase.actors) executor.spawn(actor.name, () => actor.procedure(world), actor.options);
  const outcome = await executor.run();
  if (outcome.failure !== undefined) throw outcome.failure.error;
  fact(outcome.end === 'idle', `the run ends because nothing is left to do, not by '${outcome.end}'`);
  for (const task of executor.tasks) fact(task.state === 'done', `task '${task.name}' is done, not ${task.state}`);
  for (let at = 0; at < world.words.length; at++) {
    same(world.words[at] as number, 0, `word ${at % LOCK_WORDS} of lock ${Math.floor(at / LOCK_WORDS)} at the end`);
  }
  lockCase.check?.(world);
}
