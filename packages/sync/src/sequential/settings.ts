/** What a sequential executor can be told. */
import type { ExecutorObserver } from '../executor.js';

/** Options of `SequentialExecutor`. */
export interface SequentialOptions {
  /** Simulated processors, default 1. */
  readonly cpus?: number;
  /** Decides ties between processors, a whole number; default 0: the lowest number goes first. */
  readonly seed?: number;
  /** Where virtual time begins, ns; default 0. */
  readonly startNs?: number;
  /** Cost of taking up another task than the last one, ns; default 1500. */
  readonly contextSwitchNs?: number;
  /** Cost of each lock operation, ns; default 0. */
  readonly lockOperationNs?: number;
  /** How long a task keeps a processor that another waits for, ns; default 3 ms. */
  readonly sliceNs?: number;
  /** How far, in virtual runtime of a nice 0 task, one that wakes must be behind to end a slice, ns; default 1 ms. */
  readonly wakeupGranularityNs?: number;
  /** Check the locking rules; default true. */
  readonly lockdep?: boolean;
  /** Keep sums per lock class (`executor.statistics`); default true. */
  readonly statistics?: boolean;
  /** Told of locks and tasks. */
  readonly observers?: readonly ExecutorObserver[];
  /** Throw what a procedure threw out of `run`, instead of ending the run with 'failed'; default false. */
  readonly rethrow?: boolean;
  /** Operations without time passing after which a run is a LivelockError; default 2^24. */
  readonly livelockSteps?: number;
}

/** Options with every default filled in. */
export interface SequentialSettings extends Required<SequentialOptions> {}

const MAX_CPUS = 1024;

/** Fills in the defaults and refuses what makes no sense. */
export function settingsOf(options: SequentialOptions): SequentialSettings {
  const settings = {
    cpus: options.cpus ?? 1,
    seed: options.seed ?? 0,
    startNs: options.startNs ?? 0,
    contextSwitchNs: options.contextSwitchNs ?? 1500,
    lockOperationNs: options.lockOperationNs ?? 0,
    sliceNs: options.sliceNs ?? 3_000_000,
    wakeupGranularityNs: options.wakeupGranularityNs ?? 1_000_000,
    lockdep: options.lockdep ?? true,
    statistics: options.statistics ?? true,
    observers: options.observers ?? [],
    rethrow: options.rethrow ?? false,
    livelockSteps: options.livelockSteps ?? 2 ** 24,
  };
  whole('cpus', settings.cpus, 1, MAX_CPUS);
  whole('seed', settings.seed, 0, 0xffffffff);
  whole('startNs', settings.startNs, 0, Number.MAX_SAFE_INTEGER);
  whole('contextSwitchNs', settings.contextSwitchNs, 0, Number.MAX_SAFE_INTEGER);
  whole('lockOperationNs', settings.lockOperationNs, 0, Number.MAX_SAFE_INTEGER);
  whole('sliceNs', settings.sliceNs, 1, Number.MAX_SAFE_INTEGER);
  whole('wakeupGranularityNs', settings.wakeupGranularityNs, 0, Number.MAX_SAFE_INTEGER);
  whole('livelockSteps', settings.livelockSteps, 1, Number.MAX_SAFE_INTEGER);
  return settings;
}

function whole(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} is ${value}: must be a whole number from ${least} to ${most}`);
  }
}

/** One observer that passes everything on to all; undefined if there is none, so that an absent one costs nothing. */
export function joinObservers(observers: readonly ExecutorObserver[]): ExecutorObserver | undefined {
  if (observers.length < 2) return observers[0];
  return {
    lockTaken: (...facts) => {
      for (const observer of observers) observer.lockTaken?.(...facts);
    },
    lockGiven: (...facts) => {
      for (const observer of observers) observer.lockGiven?.(...facts);
    },
    taskStarted: (...facts) => {
      for (const observer of observers) observer.taskStarted?.(...facts);
    },
    taskEnded: (...facts) => {
      for (const observer of observers) observer.taskEnded?.(...facts);
    },
  };
}
