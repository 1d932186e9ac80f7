/** The search: one schedule after the other until a strategy has no more, something fails or a limit is reached. */
import { type ExploreCase, type ExploreLimits, type ExploreSettings, exploreSettings } from './case.js';
import type { FailureFound, FailureKind } from './failure.js';
import { type InterleavingRow, interleavingOf } from './interleaving.js';
import { Replay } from './replay.js';
import { ScheduleRunner } from './runner.js';
import { decodeSchedule, encodeSchedule, operationsHash, type Schedule } from './schedule-code.js';
import { type ShrunkSchedule, shrinking } from './shrink.js';
import type { Coverage, Strategy } from './strategy.js';

/** A schedule that breaks the case. */
export interface ExploreFailure {
  readonly kind: FailureKind;
  /** The error's name or the broken lockdep rule. */
  readonly name: string;
  readonly message: string;
  /** Code of the schedule, for `decodeSchedule` and `Replay`. */
  readonly schedule: string;
  readonly preemptions: number;
  /** True if it is proven that no schedule with fewer pre-emptions fails in this way. */
  readonly fewest: boolean;
  /** Pre-emptions of the schedule as it was found. */
  readonly foundPreemptions: number;
  readonly interleaving: readonly InterleavingRow[];
}

/** The outcome of a search. */
export interface ExploreReport {
  /** `pass`: the strategy came to its end without a failure. `limit`: a limit ended it without a verdict. */
  readonly verdict: 'pass' | 'fail' | 'limit';
  /** What was covered; for `fail` and `limit` only up to there. */
  readonly coverage: Coverage;
  /** Set if a task was not let go on because of `ExploreLimits.earlyWakes`: the coverage holds up to that bound. */
  readonly earlyWakes?: number;
  /** Schedules run to their end. */
  readonly schedules: number;
  /** Schedules given up because they could only repeat what was seen. */
  readonly dropped: number;
  /** Steps made in all of them. */
  readonly steps: number;
  readonly failure?: ExploreFailure;
}

const ASK_SCHEDULES = 256;

/** Searches the schedules of a case. A strategy is good for one search. */
export function explore(subject: ExploreCase, strategy: Strategy, limits: ExploreLimits = {}): ExploreReport {
  return toEnd(exploring(subject, strategy, limits));
}

/** How far a search has come. */
export interface ExploreProgress {
  readonly schedules: number;
  readonly steps: number;
}

/**
 * As `explore`, for callers that have other things to do as well: comes back every few hundred schedules, before it asks
 * `shouldStop`.
 */
export function* exploring(
  subject: ExploreCase,
  strategy: Strategy,
  limits: ExploreLimits = {},
): Generator<ExploreProgress, ExploreReport, undefined> {
  const settings = exploreSettings(limits);
  const runner = new ScheduleRunner(subject, settings);
  let schedules = 0;
  let dropped = 0;
  let steps = 0;
  let verdict: ExploreReport['verdict'] = 'pass';
  let failure: ExploreFailure | undefined;
  while (strategy.newSchedule()) {
    const asks = (schedules + dropped) % ASK_SCHEDULES === 0;
    if (asks) yield { schedules, steps };
    if ((asks && settings.shouldStop(schedules, steps)) || schedules >= settings.schedules || steps >= settings.steps) {
      verdict = 'limit';
      break;
    }
    const end = runner.run(strategy);
    steps += runner.trace.count;
    if (end === 'dropped') dropped++;
    else schedules++;
    if (end === 'failed') {
      verdict = 'fail';
      failure = yield* describeFailure(subject, runner, limits, { schedules, steps });
      break;
    }
  }
  const { coverage } = strategy;
  return {
    verdict,
    coverage: verdict === 'pass' ? coverage : { kind: 'sampled', schedules },
    ...(runner.wakesWithheld ? { earlyWakes: settings.earlyWakes } : {}),
    schedules,
    dropped,
    steps,
    ...(failure === undefined ? {} : { failure }),
  };
}

/** Runs the schedule of a code again. ScheduleCodeError, or ScheduleDivergedError if the case is not the one it is of. */
export function replaySchedule(subject: ExploreCase, code: string, limits: ExploreLimits = {}): ExploreReport {
  return explore(subject, new Replay(decodeSchedule(code)), { ...limits, shrink: false });
}

function toEnd<T>(search: Generator<unknown, T, undefined>): T {
  for (;;) {
    const made = search.next();
    if (made.done === true) return made.value;
  }
}

function* describeFailure(
  subject: ExploreCase,
  runner: ScheduleRunner,
  limits: ExploreLimits,
  progress: ExploreProgress,
): Generator<ExploreProgress, ExploreFailure, undefined> {
  const settings = exploreSettings(limits);
  const foundPreemptions = runner.preemptions;
  const found: ShrunkSchedule = {
    choices: runner.trace.choices(),
    failure: runner.failure as FailureFound,
    preemptions: foundPreemptions,
    hash: operationsHash(runner.trace),
    fewest: foundPreemptions === 0,
  };
  const small = settings.shrink ? yield* shrunk(subject, settings, found, progress) : found;
  const schedule: Schedule = { taskCount: subject.actors.length, choices: small.choices, hash: small.hash };
  return {
    kind: small.failure.kind,
    name: small.failure.name,
    message: small.failure.message,
    schedule: encodeSchedule(schedule),
    preemptions: small.preemptions,
    fewest: small.fewest,
    foundPreemptions,
    interleaving: interleavingOf(subject, settings, schedule),
  };
}

function* shrunk(
  subject: ExploreCase,
  settings: ExploreSettings,
  found: ShrunkSchedule,
  progress: ExploreProgress,
): Generator<ExploreProgress, ShrunkSchedule, undefined> {
  const search = shrinking(subject, settings, found);
  for (let stop = false; ; ) {
    const made = search.next(stop);
    if (made.done === true) return made.value;
    yield progress;
    stop = settings.shouldStop(progress.schedules, progress.steps);
  }
}
