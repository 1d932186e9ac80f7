/**
 * What every executor offers. There are three: sequential (virtual time, repeatable), threads (worker threads and real
 * time) and explore (every schedule). Procedures cannot tell them apart.
 */
import type { HeldLock } from './held-locks.js';
import type { LockMode, LockRef, Op, Procedure } from './operations.js';

/** Where a step of a task runs. Filled in by the executor before each step; model code and tracers only read it. */
export interface Current {
  /** Time since the machine started, ns. */
  nowNs: number;
  /** Number of the (simulated) processor, from 0. */
  cpu: number;
  /** Number of the task, from 1; 0 outside of any task. */
  task: number;
  /**
   * Performs an operation of the running procedure on the spot and gives its answer; undefined if that cannot be, and
   * nothing has happened: then it has to be yielded. It comes to the same, to the last bit. For procedures that are hot,
   * as a yield comes up through every generator between them and the executor:
   *
   *     current.atOnce?.(op) ?? (yield op)
   *
   * Only the sequential executor has it. To others every operation is a place where somebody may come in. Who drives a
   * procedure to see its operations gives it a `Current` without.
   */
  atOnce?(op: Op): number | undefined;
}

/** How a task starts. */
export interface TaskOptions {
  /** Processor it is bound to; unset: the least loaded at each wake-up. */
  readonly cpu?: number;
  /** Kernel nice value, -20 to 19, default 0: its share where tasks compete for a processor. */
  readonly nice?: number;
  /** When it becomes runnable, ns from the machine's start; default: at once. */
  readonly startNs?: number;
}

/** A task and what it has used so far. */
export interface Task {
  readonly id: number;
  readonly name: string;
  readonly state: 'runnable' | 'blocked' | 'done' | 'failed';
  /** What the procedure returned. */
  readonly result: unknown;
  /** What it threw. */
  readonly error: unknown;
  /** Processor time spent, ns. */
  readonly cpuNs: number;
  /** Time waited for locks, ns. */
  readonly lockWaitNs: number;
  /** Time it was runnable without a processor, ns; 0 where the executor cannot tell. */
  readonly runWaitNs: number;
}

/** Told what happens, with virtual or real times in ns; all optional. Tracers and statistics are made from it. */
export interface ExecutorObserver {
  /** A lock was taken; `waitNs` is how long that took. A waiter takes it at the instant it is handed over. */
  lockTaken?(lock: LockRef, mode: LockMode, task: number, cpu: number, nowNs: number, waitNs: number): void;
  /** A lock was given back after `heldNs`; a downgrade gives WRITE back and takes READ at the same instant. */
  lockGiven?(lock: LockRef, mode: LockMode, task: number, cpu: number, nowNs: number, heldNs: number): void;
  taskStarted?(task: number, name: string, nowNs: number): void;
  taskEnded?(task: number, nowNs: number): void;
}

/** Why a run came back. */
export type RunEnd = 'idle' | 'time' | 'steps' | 'stopped' | 'failed';

/** A procedure that threw, and what it left locked. */
export interface TaskFailure {
  readonly task: Task;
  readonly error: unknown;
  readonly held: readonly HeldLock[];
}

/** The outcome of a run. `idle`: nothing is runnable and nothing sleeps with a timeout. */
export interface RunOutcome {
  readonly end: RunEnd;
  readonly nowNs: number;
  readonly steps: number;
  /** Set if `end` is 'failed'. */
  readonly failure?: TaskFailure;
}

/** Bounds of a run. */
export interface RunLimits {
  /** Stop before any step that would begin at or after this time, ns. */
  readonly untilNs?: number;
  /** Stop after that many operations. */
  readonly maxSteps?: number;
  /** Asked now and then (every few thousand operations); true stops the run. */
  readonly shouldStop?: () => boolean;
}

/** Runs procedures. */
export interface Executor {
  readonly current: Readonly<Current>;
  /** Adds a task; allowed also while running (a procedure that starts a kernel thread). */
  spawn(name: string, procedure: () => Procedure<unknown>, options?: TaskOptions): Task;
  readonly tasks: readonly Task[];
  run(limits?: RunLimits): RunOutcome | Promise<RunOutcome>;
}
