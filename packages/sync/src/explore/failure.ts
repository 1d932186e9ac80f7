/** What can go wrong in a schedule, and how it is said. */
import { heldText, modeName } from '../errors.js';
import { LockdepError } from '../lockdep/errors.js';
import type { SyncDomain } from '../locks.js';
import { GuardError } from './errors.js';
import type { SearchLock } from './search-locks.js';
import { type SearchTask, STATE } from './search-task.js';

/**
 * - `invariant`: the case's check found something.
 * - `exception`: a procedure threw.
 * - `deadlock`: nobody can go on, but not all are done: they wait for locks, or for a wake-up that never comes.
 * - `lockdep`: a locking rule was broken.
 * - `guard`: state was touched without the lock that guards it.
 * - `livelock`: the schedule does not come to an end.
 */
export type FailureKind = 'invariant' | 'exception' | 'deadlock' | 'lockdep' | 'guard' | 'livelock';

/** A failure as the executor meets it. */
export interface FailureFound {
  readonly kind: FailureKind;
  /** The error's name or the rule that was broken; failures of one kind and name count as the same when shrinking. */
  readonly name: string;
  readonly message: string;
}

/** The failure of an error that a procedure, or lockdep, threw. */
export function failureOf(error: unknown, task: SearchTask): FailureFound {
  if (error instanceof LockdepError) return { kind: 'lockdep', name: error.rule, message: error.message };
  if (error instanceof GuardError) return { kind: 'guard', name: error.name, message: error.message };
  const name = error instanceof Error ? error.name : typeof error;
  const text = error instanceof Error ? error.message : String(error);
  return { kind: 'exception', name, message: `task ${task.id} '${task.name}' threw ${name}: ${text}` };
}

/** Some tasks can never go on. */
export function deadlockFailure(
  domain: SyncDomain,
  tasks: readonly SearchTask[],
  stuck: readonly SearchTask[],
): FailureFound {
  const lines = stuck.map((task) => {
    const held = heldText(task.held.report((lock) => domain.describe(lock)));
    return `  task ${task.id} '${task.name}' ${waitText(domain, tasks, task)}; it holds ${held}`;
  });
  const message = `deadlock: ${stuck.length} task(s) wait for ever\n${lines.join('\n')}`;
  return { kind: 'deadlock', name: '', message };
}

/** A schedule has become too long. */
export function livelockFailure(tasks: readonly SearchTask[], steps: number): FailureFound {
  const busy = tasks.filter((task) => task.state !== STATE.done).map((task) => `task ${task.id} '${task.name}'`);
  const message =
    `livelock: not over after ${steps} steps in which every task that could go on had its turn; still busy: ` +
    `${busy.join(', ')}. If the case is only long, raise stepsPerSchedule`;
  return { kind: 'livelock', name: '', message };
}

function waitText(domain: SyncDomain, tasks: readonly SearchTask[], task: SearchTask): string {
  if (task.state === STATE.waiting) {
    return `waits on queue '${domain.queues[task.queue] ?? task.queue}' and nobody is left to wake it`;
  }
  const lock = task.lock as SearchLock;
  const holders = tasks
    .filter((other) => other.held.has(lock.ref))
    .map((other) => (other === task ? 'itself' : `task ${other.id} '${other.name}'`));
  const by = holders.length > 0 ? `held by ${holders.join(', ')}` : 'held by nobody';
  return `waits for ${domain.describe(lock.ref)} ${modeName(task.mode)}, ${by}`;
}
