/** What is searched: a case, its actors, and where the search stops. */
import type { Current } from '../executor.js';
import type { SyncDomain } from '../locks.js';
import type { Procedure } from '../operations.js';
import type { AccessLog } from './access-log.js';

/** One task of a case. Starts anew in every schedule. */
export interface ExploreActor {
  readonly name: string;
  readonly procedure: () => Procedure<unknown>;
  /** Processor it runs on, as `Current.cpu` shows it; default: its place in the list, so that no two share one. */
  readonly cpu?: number;
  /** True for a kernel thread that may still wait on a queue when all others are done; default false: that is a failure. */
  readonly mayWait?: boolean;
}

/** A small concurrent program whose every schedule can be tried. */
export interface ExploreCase {
  readonly name: string;
  /** The locks and queues. Read before each schedule, so that `reset` may put a new machine in its place. */
  readonly domain: SyncDomain;
  /** One to `MAX_ACTORS`; two to five are usual. */
  readonly actors: readonly ExploreActor[];
  /**
   * Puts all state back to the start: the same every time, or schedules do not repeat (`ScheduleDivergedError`). The words
   * of the locks are cleared by the executor. Usually `resetTo` of the arena's buffer.
   */
  reset(): void;
  /** Broken invariants in words, when all actors are done; empty if all hold. */
  check?(): readonly string[];
  /** The same after every step, while the task with that number (from 1) is between two operations. */
  checkStep?(task: number): readonly string[];
  /** Kept up to date by the executor if the machine has one of its own. */
  readonly current?: Current;
  /**
   * Records which cells of shared state each step touches. Without it every step may touch everything, and no two steps of
   * different tasks commute.
   */
  readonly log?: AccessLog;
  /** Check the locking rules; default true. */
  readonly lockdep?: boolean;
  /**
   * True if the code reads the waiter words of locks. An acquire of a lock that is held for WRITE is then a step that
   * queues; otherwise the task is not runnable until the lock is free, which reaches the same states with fewer steps.
   */
  readonly seesWaiters?: boolean;
  /** Names the label of a preemption point in printed schedules. */
  labelOf?(label: number): string;
}

/** Most actors of a case. */
export const MAX_ACTORS = 16;

/** Where a search stops without a verdict, and what counts as getting nowhere. */
export interface ExploreLimits {
  /** Schedules run to their end, default 1,000,000. */
  readonly schedules?: number;
  /** Steps in all, default unbounded. */
  readonly steps?: number;
  /** Steps of one schedule after which it is a livelock, default 10,000. */
  readonly stepsPerSchedule?: number;
  /**
   * How often in one schedule a task's sleep or timeout may end although another task could go on, default 2. After that,
   * time passes for it only when nothing else can happen. Bounds loops that poll; a search that met this bound says so.
   */
  readonly earlyWakes?: number;
  /** Asked every 256 schedules, also while a failure is made simple; true ends the search. */
  readonly shouldStop?: (schedules: number, steps: number) => boolean;
  /** Shrink a failing schedule to the fewest pre-emptions; default true. */
  readonly shrink?: boolean;
  /** Schedules that shrinking may try, default 10,000. */
  readonly shrinkSchedules?: number;
}

/** Limits with every default filled in. */
export type ExploreSettings = Required<ExploreLimits>;

/** Fills in the defaults. RangeError for what makes no sense. */
export function exploreSettings(limits: ExploreLimits): ExploreSettings {
  const settings = {
    schedules: limits.schedules ?? 1_000_000,
    steps: limits.steps ?? Number.POSITIVE_INFINITY,
    stepsPerSchedule: limits.stepsPerSchedule ?? 10_000,
    earlyWakes: limits.earlyWakes ?? 2,
    shouldStop: limits.shouldStop ?? (() => false),
    shrink: limits.shrink ?? true,
    shrinkSchedules: limits.shrinkSchedules ?? 10_000,
  };
  for (const [name, value, least] of [
    ['schedules', settings.schedules, 1],
    ['steps', settings.steps, 1],
    ['stepsPerSchedule', settings.stepsPerSchedule, 1],
    ['earlyWakes', settings.earlyWakes, 0],
    ['shrinkSchedules', settings.shrinkSchedules, 0],
  ] as const) {
    if (!(value >= least)) throw new RangeError(`${name} is ${value}: must be at least ${least}`);
  }
  return settings;
}
