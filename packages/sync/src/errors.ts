/** Errors of executors. Those of lockdep are in lockdep/errors.ts. */
import type { HeldLock } from './held-locks.js';
import { type LockMode, READ } from './operations.js';

/** Base of all errors this package throws, so that a caller can tell them from defects of its own. */
export class SyncError extends Error {
  override readonly name: string = 'SyncError';
}

/** A task that waits for a lock, and for whom. */
export interface BlockedTask {
  readonly task: number;
  readonly name: string;
  /** `class[instance]` of the lock it waits for. */
  readonly lock: string;
  readonly mode: LockMode;
  readonly sinceNs: number;
  /** What it holds meanwhile. */
  readonly held: readonly HeldLock[];
  /** Tasks it waits for: holders of the lock and incompatible waiters before it. */
  readonly waitsFor: readonly {
    readonly task: number;
    readonly name: string;
    readonly why: 'holds' | 'queued before';
  }[];
}

/** Tasks wait for locks that can never be given back. */
export class DeadlockError extends SyncError {
  override readonly name = 'DeadlockError';
  readonly nowNs: number;
  readonly blocked: readonly BlockedTask[];
  /** Task numbers of the cycle in order; empty if the last holder does not wait for a lock itself. */
  readonly chain: readonly number[];

  constructor(nowNs: number, blocked: readonly BlockedTask[], chain: readonly number[]) {
    super(deadlockText(nowNs, blocked, chain));
    this.nowNs = nowNs;
    this.blocked = blocked;
    this.chain = chain;
  }
}

/** Tasks go on and on without time passing: usually a retry loop that should spend, sleep or wait. */
export class LivelockError extends SyncError {
  override readonly name = 'LivelockError';
  readonly task: number;
  readonly nowNs: number;

  constructor(task: number, taskName: string, nowNs: number, steps: number) {
    super(
      `no time has passed in ${steps} operations at ${nowNs} ns, the last of them by task ${task} '${taskName}'; ` +
        'a loop that retries must spend, sleep or wait on a queue',
    );
    this.task = task;
    this.nowNs = nowNs;
  }
}

/** A procedure yielded something that is no operation, or one that its lock does not allow. */
export class OperationError extends SyncError {
  override readonly name = 'OperationError';
}

/** A procedure that had to run to its end at once would have waited for ever. */
export class WouldBlockError extends SyncError {
  override readonly name = 'WouldBlockError';
}

/** `READ` or `WRITE`. */
export function modeName(mode: LockMode): string {
  return mode === READ ? 'READ' : 'WRITE';
}

/** `a READ, b WRITE`, or `no lock`. */
export function heldText(held: readonly HeldLock[]): string {
  return held.length === 0 ? 'no lock' : held.map((lock) => `${lock.name} ${modeName(lock.mode)}`).join(', ');
}

function deadlockText(nowNs: number, blocked: readonly BlockedTask[], chain: readonly number[]): string {
  const lines = blocked.map((task) => {
    const why = task.waitsFor.map((other) => `task ${other.task} '${other.name}' (${other.why})`).join(', ');
    return (
      `  task ${task.task} '${task.name}' waits since ${task.sinceNs} ns for ${task.lock} ${modeName(task.mode)}, ` +
      `which waits for ${why || 'nobody known'}; it holds ${heldText(task.held)}`
    );
  });
  const cycle = chain.length === 0 ? '' : `\n  cycle: ${[...chain, chain[0]].map((id) => `task ${id}`).join(' -> ')}`;
  return `deadlock at ${nowNs} ns: ${blocked.length} task(s) wait for locks for ever\n${lines.join('\n')}${cycle}`;
}
