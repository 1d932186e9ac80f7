/**
 * Who waits for whom. A waiter waits for the holders of its lock and for the incompatible waiters before it. A deadlock is
 * a cycle of that; it can only close when a task begins to wait while another waits for one of its locks.
 */
import { type BlockedTask, DeadlockError } from '../errors.js';
import { excludes } from '../lock-rules.js';
import type { SyncDomain } from '../locks.js';
import type { LockMode, LockRef } from '../operations.js';
import type { LockTable } from './lock-table.js';
import type { SequentialTask } from './task.js';

interface Reason {
  readonly task: SequentialTask;
  readonly why: 'holds' | 'queued before';
}

/** The tasks a lock's waiter waits for. */
function waitsFor(tasks: readonly SequentialTask[], locks: LockTable, waiter: SequentialTask): Reason[] {
  const lock = waiter.lock;
  if (lock === undefined) return [];
  const reasons: Reason[] = [];
  for (const task of tasks) {
    if (holds(task, lock, waiter.lockMode)) reasons.push({ task, why: 'holds' });
  }
  for (const task of locks.waitersOf(lock)) {
    if (task === waiter) break;
    if (excludes(waiter.lockMode, task.lockMode)) reasons.push({ task, why: 'queued before' });
  }
  return reasons;
}

/** True if the task holds the lock in a mode that keeps out `mode`. */
function holds(task: SequentialTask, lock: LockRef, mode: LockMode): boolean {
  return task.held.locks.some((held, at) => held === lock && excludes(mode, task.held.modes[at] as LockMode));
}

/** A cycle of lock waiters through `start`, in order; empty if there is none. */
export function findCycle(
  tasks: readonly SequentialTask[],
  locks: LockTable,
  start: SequentialTask,
): readonly SequentialTask[] {
  const seen = new Set<SequentialTask>();
  const path: SequentialTask[] = [];
  const visit = (task: SequentialTask): boolean => {
    if (seen.has(task)) return false;
    seen.add(task);
    path.push(task);
    for (const reason of waitsFor(tasks, locks, task)) {
      if (reason.task === start || visit(reason.task)) return true;
    }
    path.pop();
    return false;
  };
  return visit(start) ? path : [];
}

/** The error that names every waiter given. */
export function deadlockOf(
  domain: SyncDomain,
  tasks: readonly SequentialTask[],
  locks: LockTable,
  blocked: readonly SequentialTask[],
  cycle: readonly SequentialTask[],
  nowNs: number,
): DeadlockError {
  const describe = (lock: LockRef): string => domain.describe(lock);
  const facts: BlockedTask[] = blocked.map((task) => ({
    task: task.id,
    name: task.name,
    lock: task.lock === undefined ? '' : describe(task.lock),
    mode: task.lockMode,
    sinceNs: task.blockedNs,
    held: task.held.report(describe),
    waitsFor: waitsFor(tasks, locks, task).map((reason) => ({
      task: reason.task.id,
      name: reason.task.name,
      why: reason.why,
    })),
  }));
  const chain = cycle.map((task) => task.id);
  return new DeadlockError(nowNs, facts, chain);
}
