/** The core loop of a thread: one procedure, from its start to its end. */
import type { SyncDomain } from '../locks.js';
import type { Procedure } from '../operations.js';
import type { ThreadsView } from './tables.js';
import { ThreadGate } from './thread-gate.js';
import { ThreadState } from './thread-state.js';
import { ThreadTask, type ThreadTaskOptions } from './thread-task.js';

/** A thread of a run. */
export interface ThreadPlace {
  /** Views of the THREADS_TABLES that all threads of the run share. */
  readonly tables: ThreadsView;
  /** Number of this thread, from 0; no two that run at once have the same. */
  readonly thread: number;
}

/** Options of `runOnThread`. */
export type RunOnThreadOptions = ThreadPlace & ThreadTaskOptions;

/** What a task has used. */
export interface ThreadRun<T> {
  readonly result: T;
  readonly cpuNs: number;
  readonly steps: number;
  readonly contended: number;
}

/**
 * Runs a procedure on this thread, together with others that run on theirs over the same words. Blocks where the procedure
 * waits: for workers. Every thread declares the same domain in the same order. Throws what the procedure throws,
 * StoppedError once the run was told to stop, LockTimeoutError from the watchdog.
 */
export function runOnThread<T>(domain: SyncDomain, procedure: Procedure<T>, options: RunOnThreadOptions): ThreadRun<T> {
  const task = new ThreadTask(new ThreadState(domain, options.tables, options.thread), procedure, options);
  try {
    let timedOut = false;
    while (!task.advance(timedOut)) {
      timedOut = Atomics.wait(task.waitWords, task.waitAt, task.waitValue, task.waitMs) === 'timed-out';
    }
  } catch (error) {
    task.abandon();
    throw error;
  }
  return usedBy(task);
}

/** As `runOnThread` on a thread that may not block, such as a main thread: its waits are awaited. It has no step gate. */
export async function runOnMainThread<T>(
  domain: SyncDomain,
  procedure: Procedure<T>,
  options: Omit<RunOnThreadOptions, 'gate'>,
): Promise<ThreadRun<T>> {
  const task = new ThreadTask(new ThreadState(domain, options.tables, options.thread), procedure, options);
  let timedOut = false;
  while (!task.advance(timedOut)) {
    const { value } = Atomics.waitAsync(task.waitWords, task.waitAt, task.waitValue, task.waitMs);
    timedOut = (await value) === 'timed-out';
  }
  return usedBy(task);
}

/** A gate for this thread; `keyOf` gives the key of a subject, from 1. */
export function threadGate(domain: SyncDomain, place: ThreadPlace, keyOf: (subject: number) => number): ThreadGate {
  return new ThreadGate(new ThreadState(domain, place.tables, place.thread), keyOf);
}

function usedBy<T>(task: ThreadTask<T>): ThreadRun<T> {
  return { result: task.result as T, cpuNs: task.cpuNs, steps: task.steps, contended: task.contended };
}
