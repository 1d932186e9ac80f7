/** Small programs for tests: a lock class with its own words, a task that yields operations in order. */
import { LOCK_WORDS, type LockClass, type LockKind, type SyncDomain } from '../locks.js';
import type { Op, Procedure } from '../operations.js';
import type { SequentialExecutor } from '../sequential/executor.js';

/** Declares a class of eight locks. */
export function lockClass(domain: SyncDomain, kind: LockKind = 'rwsem', rank = 1, name = 'lock'): LockClass {
  return domain.lockClass({ name, kind, rank, words: new Int32Array(8 * LOCK_WORDS) });
}

/** Adds a task that yields the operations in order. */
export function spawnOps(executor: SequentialExecutor, name: string, ops: readonly Op[], startNs = 0): void {
  executor.spawn(
    name,
    function* (): Procedure<void> {
      for (const op of ops) yield op;
    },
    { startNs },
  );
}

/** The procedure, with every operation asked for on the spot first. */
export function* eager<T>(executor: SequentialExecutor, procedure: Procedure<T>): Procedure<T> {
  for (let input = 0; ; ) {
    const made = procedure.next(input);
    if (made.done === true) return made.value;
    input = executor.current.atOnce?.(made.value) ?? (yield made.value);
  }
}
