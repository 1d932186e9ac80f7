/**
 * What makes a step of a procedure (the code between two yields) whole, where procedures run on several threads.
 *
 * On one thread nothing comes between two yields, and the model is written so: it may look at a folio, walk its reverse
 * map and change flags in one step. Threads keep that promise without making the model slow: all that can be reached from
 * one subject (an address space and its relatives by fork) has one key, a step runs inside its key, and keys do not touch
 * each other. A step that reaches everything (compaction, draining of all batches) is alone on the machine.
 *
 * The gate is no lock of the model: it is never held while a task waits for anything, and no result depends on it.
 */
export interface StepGate {
  /**
   * What follows works on this subject, 0 for none that needs a key. To be called where a yield could be: others may
   * run in between. It stays so until the next call.
   */
  use(subject: number): void;
  /** What follows may reach anything, until the matching `together`. To be called where a yield could be. */
  alone(): void;
  /** Ends `alone`. */
  together(): void;
}

/** The gate of a machine that has one thread: always open. */
export const OPEN_GATE: StepGate = { use: () => {}, alone: () => {}, together: () => {} };
