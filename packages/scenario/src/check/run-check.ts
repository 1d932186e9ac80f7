/** Searching a case for a schedule that breaks it. */
import {
  DepthFirst,
  type ExploreProgress,
  type ExploreReport,
  exploring,
  Pct,
  RandomWalk,
  replaySchedule,
  type Strategy,
} from '@thplab/sync';
import type { CheckCase, SearchSpec } from './format/check-case.js';
import { type SubjectOptions, subjectOf } from './subject.js';

/** Bugs that need so many ordering constraints are what PCT aims at. */
const PCT_DEPTH = 3;

/** How a case is searched. */
export interface CheckOptions extends SubjectOptions {
  /** Instead of what the file says. */
  readonly search?: Partial<SearchSpec>;
  /** Follow this schedule only. */
  readonly replay?: string;
  /** Asked now and then; true ends the search. */
  readonly shouldStop?: (schedules: number, steps: number) => boolean;
}

/** The outcome, with what was searched. */
export interface CheckReport extends ExploreReport {
  readonly name: string;
  readonly search: SearchSpec;
  readonly actors: readonly string[];
  /** The variant was left out. */
  readonly fixed: boolean;
}

/** Searches a case. Errors: ScenarioError for a file that cannot be built; ScheduleCodeError, ScheduleDivergedError. */
export function runCheck(check: CheckCase, options: CheckOptions = {}): CheckReport {
  const search = checking(check, options);
  for (;;) {
    const made = search.next();
    if (made.done === true) return made.value;
  }
}

/** As `runCheck`, for callers that have other things to do as well: comes back every few hundred schedules. */
export function* checking(
  check: CheckCase,
  options: CheckOptions = {},
): Generator<ExploreProgress, CheckReport, undefined> {
  const search: SearchSpec = { ...check.search, ...options.search };
  const { subject } = subjectOf(check, options);
  const limits = {
    schedules: search.maxSchedules,
    ...(options.shouldStop === undefined ? {} : { shouldStop: options.shouldStop }),
  };
  const report =
    options.replay === undefined
      ? yield* exploring(subject, strategyOf(search, options.reduction ?? true), limits)
      : replaySchedule(subject, options.replay, limits);
  const { name, actors } = check;
  return { ...report, name, search, actors: actors.map((actor) => actor.name), fixed: options.fixed ?? false };
}

function strategyOf(search: SearchSpec, reduction: boolean): Strategy {
  switch (search.strategy) {
    case 'dfs':
      return new DepthFirst({ reduction, ...(search.preemptions === null ? {} : { preemptions: search.preemptions }) });
    case 'pct':
      return new Pct(search.seed, PCT_DEPTH, search.maxSchedules);
    case 'random':
      return new RandomWalk(search.seed, search.maxSchedules);
  }
}
