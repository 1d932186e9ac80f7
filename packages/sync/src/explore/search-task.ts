/** A task of the explore executor. One object per actor, used again in every schedule. */
import { HeldLocks } from '../held-locks.js';
import type { LockdepTask } from '../lockdep/errors.js';
import { type LockMode, type Op, type Procedure, WRITE } from '../operations.js';
import type { ExploreActor } from './case.js';
import type { SearchLock } from './search-locks.js';
import { MOVE } from './trace.js';

/** What stands between a task and its next step. */
export const STATE = {
  /** Nothing. */
  ready: 0,
  /** It is about to acquire a lock, which must not be held for WRITE. */
  acquiring: 1,
  /** It sleeps, or waits with a timeout. */
  resting: 2,
  /** It is in the queue of a lock. */
  queued: 3,
  /** It waits on a queue until it is woken. */
  waiting: 4,
  done: 5,
} as const;

export class SearchTask implements LockdepTask {
  readonly id: number;
  readonly slot: number;
  readonly name: string;
  readonly procedure: () => Procedure<unknown>;
  readonly cpu: number;
  readonly mayWait: boolean;
  readonly held: HeldLocks = new HeldLocks();

  generator: Procedure<unknown> | undefined = undefined;
  state: number = STATE.ready;
  /** What the next step begins with: an opcode or a `MOVE`. */
  move: number = MOVE.start;
  /** The operation it begins with. */
  op: Op | 0 = 0;
  lock: SearchLock | undefined = undefined;
  mode: LockMode = WRITE;
  /** Wait queue, -1 if it is on none. */
  queue = -1;
  /** How long the sleep or the timeout is, ns. */
  restNs = 0;
  spinDepth = 0;
  /** Its own time: what it spent, slept and timed out, ns. */
  nowNs = 0;
  /** Sleeps and timeouts that ended although another task could go on. */
  earlyWakes = 0;
  /** Number of its last step, for turns among those that poll. */
  lastStep = -1;
  /** The step that woke it. */
  wokenBy = -1;

  constructor(slot: number, actor: ExploreActor) {
    this.id = slot + 1;
    this.slot = slot;
    this.name = actor.name;
    this.procedure = actor.procedure;
    this.cpu = actor.cpu ?? slot;
    this.mayWait = actor.mayWait ?? false;
  }

  /** As before its first step. */
  restart(): void {
    const { held } = this;
    if (held.locks.length > 0) {
      held.locks.length = 0;
      held.modes.length = 0;
      held.sinceNs.length = 0;
    }
    this.generator = undefined;
    this.state = STATE.ready;
    this.move = MOVE.start;
    this.op = 0;
    this.lock = undefined;
    this.queue = -1;
    this.spinDepth = 0;
    this.nowNs = 0;
    this.earlyWakes = 0;
    this.lastStep = -1;
    this.wokenBy = -1;
  }
}
