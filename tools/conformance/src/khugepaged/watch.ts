/** What was seen of khugepaged over some wake-ups, on either side. */
import type { ProcessView } from '../outcome.js';

/** After one wake-up. */
export interface WakeView {
  /** Seconds since the one before; the first: since the steps were taken. */
  readonly afterSeconds: number;
  readonly processes: readonly ProcessView[];
  /** Growth of the counters since the steps were begun. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What one side saw. */
export interface WatchOutcome {
  readonly results: readonly number[];
  readonly wakes: readonly WakeView[];
}

/** What to do and how long to watch. */
export interface WatchRequest {
  readonly steps: readonly import('../case.js').Step[];
  readonly ranges: readonly number[];
  readonly wakes: number;
}
