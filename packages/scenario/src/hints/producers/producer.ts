/**
 * Who asks khugepaged to look at a range first. Each producer is one small file; a scenario names them below
 * `hints.producers`. A producer either runs as a task of its own, as a kernel thread does, or is told of what happens to
 * pages in the context of the thread that does it.
 */
import type { Procedure } from '@thplab/sync';
import type { Process } from '../../run/process-table.js';

/** One producer, ready to run. */
export interface HintProducer {
  /** For the names of tasks. */
  readonly name: string;
  /** Its own task; undefined: it has none. */
  readonly task?: () => Procedure<number>;
  /** A page fault in a process was handled; runs in the thread that faulted. */
  readonly faulted?: (process: Process, page: number, nowNs: number) => Procedure<void>;
}
