/**
 * Using an address space. A thread that runs in a process keeps its memory: an exit takes it apart when the last one has
 * left. What an event does is such a thread, as long as it does not sleep.
 */
import { ERRNO, type Machine, mmget, mmput } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import type { Process } from './process-table.js';

/** Runs a procedure as a user of the process's memory. Gives its value, or -ESRCH if the process has exited. */
export function* asUser(m: Machine, process: Process, procedure: () => Procedure<number>): Procedure<number> {
  if (process.exitNs !== null) return -ERRNO.ESRCH;
  mmget(m, process.mm);
  const result = yield* procedure();
  yield* mmput(m, process.mm);
  return result;
}
