/** What can go wrong with threads. */
import { type BlockedTask, heldText, modeName, SyncError } from '../errors.js';
import type { HeldLock } from '../held-locks.js';

/** The run was told to stop: another task failed, or somebody asked. Thrown out of waits; no failure of its own. */
export class StoppedError extends SyncError {
  override readonly name = 'StoppedError';
}

/** A task waited for a lock for longer than the watchdog allows. */
export class LockTimeoutError extends SyncError {
  override readonly name = 'LockTimeoutError';
  readonly limitMs: number;
  /** The waiter, then whom it waits for, and so on as far as each waits for a lock itself. */
  readonly chain: readonly BlockedTask[];
  /** True if the last of the chain waits for one before it: they wait for ever. */
  readonly deadlock: boolean;

  constructor(limitMs: number, chain: readonly BlockedTask[], deadlock: boolean) {
    super(timeoutText(limitMs, chain, deadlock));
    this.limitMs = limitMs;
    this.chain = chain;
    this.deadlock = deadlock;
  }
}

/** A thread ended without having finished its task. */
export class WorkerDiedError extends SyncError {
  override readonly name = 'WorkerDiedError';
  readonly task: number;
  readonly taskName: string;
  /** What it held, and what it was about to take and had got already. */
  readonly held: readonly HeldLock[];

  /** `why`: as short as it can be said; `cause`: what it threw, if it did. */
  constructor(task: number, taskName: string, held: readonly HeldLock[], why: string, cause?: unknown) {
    const text = held.length === 0 ? 'held nothing' : `held ${heldText(held)}`;
    super(
      `the thread of task ${task} '${taskName}' ended (${why}) and ${text}; the run can be repeated from its start`,
      cause === undefined ? undefined : { cause },
    );
    this.task = task;
    this.taskName = taskName;
    this.held = held;
  }
}

function timeoutText(limitMs: number, chain: readonly BlockedTask[], deadlock: boolean): string {
  const lines = chain.map((task) => {
    const whom = task.waitsFor.map((other) => `task ${other.task} '${other.name}' (${other.why})`).join(', ');
    const waits =
      task.lock === ''
        ? 'waits for no lock'
        : `waits for ${task.lock} ${modeName(task.mode)} of ${whom || 'nobody known'}`;
    return `  task ${task.task} '${task.name}' ${waits}; it holds ${heldText(task.held)}`;
  });
  const first = chain[0];
  const end = deadlock ? '\n  they wait for each other: a deadlock' : '';
  return `task ${first?.task} '${first?.name}' has waited for ${first?.lock} for more than ${limitMs} ms\n${lines.join('\n')}${end}`;
}
