/** Procedures that test workers find by name. */
import { Arena, type Sizes } from '@thplab/arena';
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
