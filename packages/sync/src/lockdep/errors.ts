/** What lockdep reports. */
import { heldText, modeName, SyncError } from '../errors.js';
import type { HeldLock, HeldLocks } from '../held-locks.js';
import type { SyncDomain } from '../locks.js';
import type { LockMode, LockRef } from '../operations.js';

/**
 * The rule that was broken.
 *
 * - `order`: waited for a lock while one of higher rank is held.
 * - `learned-order`: two classes of equal rank, seen in one order before and now in the other.
 * - `same-class`: a second lock of a class without the nested form.
 * - `recursive`: a lock that the task holds already, in any mode.
 * - `sleep-in-atomic`: slept, waited on a queue or took a sleeping lock while a spinlock is held.
 * - `release-by-non-holder`, `release-wrong-mode`: gave back what it does not hold, or not in that mode.
 * - `leak`: a procedure ended with a lock held.
 * - `bit-lock-not-locked`, `bit-lock-by-non-holder`, `bit-lock-leak`: the same for locks that are a bit of a word.
 */
export type LockdepRule =
  | 'order'
  | 'learned-order'
  | 'same-class'
  | 'recursive'
  | 'sleep-in-atomic'
  | 'release-by-non-holder'
  | 'release-wrong-mode'
  | 'leak'
  | 'bit-lock-not-locked'
  | 'bit-lock-by-non-holder'
  | 'bit-lock-leak';

/** What lockdep knows of a task. */
export interface LockdepTask {
  readonly id: number;
  readonly name: string;
  readonly procedure: { readonly name: string };
  readonly held: HeldLocks;
  /** Spinlocks held. */
  readonly spinDepth: number;
}

/** A locking rule was broken. */
export class LockdepError extends SyncError {
  override readonly name = 'LockdepError';
  readonly rule: LockdepRule;
  readonly task: number;
  readonly taskName: string;
  /** Name of the function the task was started with; the task's name if that has none. */
  readonly procedure: string;
  /** The lock or bit lock it is about, `class[instance]`; several after a leak. */
  readonly lock: string;
  /** All locks the task holds, oldest first. */
  readonly held: readonly HeldLock[];

  constructor(rule: LockdepRule, task: LockdepTask, lock: string, held: readonly HeldLock[], text: string) {
    const procedure = task.procedure.name === '' ? task.name : task.procedure.name;
    super(`${rule}: task ${task.id} '${task.name}' (${procedure}) ${text}; it holds ${heldText(held)}`);
    this.rule = rule;
    this.task = task.id;
    this.taskName = task.name;
    this.procedure = procedure;
    this.lock = lock;
    this.held = held;
  }
}

/** The error for giving back, or downgrading, a lock that is not held so. */
export function badRelease(domain: SyncDomain, task: LockdepTask, lock: LockRef, mode: LockMode): LockdepError {
  const describe = (ref: LockRef): string => domain.describe(ref);
  const held = task.held.report(describe);
  const name = describe(lock);
  const other = held.find((entry) => entry.lock === lock);
  if (other === undefined) {
    return new LockdepError('release-by-non-holder', task, name, held, `gives back ${name}, which it does not hold`);
  }
  const text = `gives back ${name} as ${modeName(mode)}, but holds it as ${modeName(other.mode)}`;
  return new LockdepError('release-wrong-mode', task, name, held, text);
}
