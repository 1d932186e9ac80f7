/** `hints` as the schema puts it out; see draft.ts. */
import type { DraftPages } from './draft.js';
import type { Interval } from './units.js';

type Maybe<T> = T | undefined;

export type DraftPriority = 'high' | 'low';

export interface DraftHints {
  policy?: Maybe<string>;
  limit?: Maybe<number>;
  whenFull?: Maybe<'error' | 'drop'>;
  hot?: Maybe<DraftPages[]>;
  producers?: Maybe<DraftProducer[]>;
}

export interface DraftProducer {
  heat?: Maybe<{
    kdamond?: Maybe<string>;
    above?: Maybe<number>;
    urgent?: Maybe<number>;
    every?: Maybe<number>;
  }>;
  faults?: Maybe<DraftDensity>;
  tlb?: Maybe<DraftDensity>;
  aging?: Maybe<{
    process?: Maybe<string>;
    every?: Maybe<number>;
    generations?: Maybe<number>;
    priority?: Maybe<DraftPriority>;
  }>;
}

export interface DraftDensity {
  process?: Maybe<string>;
  count: number;
  within: number;
  priority?: Maybe<DraftPriority>;
}

export interface DraftHintEvent extends DraftPages {
  priority?: Maybe<DraftPriority>;
  maxOrder?: Maybe<number>;
}

export interface DraftHintsExpect {
  hot50?: Maybe<Interval>;
  hot90?: Maybe<Interval>;
  hot99?: Maybe<Interval>;
  hotHuge?: Maybe<Interval>;
  cold?: Maybe<Interval>;
  queued?: Maybe<Interval>;
  refused?: Maybe<Interval>;
  served?: Maybe<Interval>;
  succeeded?: Maybe<Interval>;
  dropped?: Maybe<Interval>;
  waiting?: Maybe<Interval>;
  contended?: Maybe<Interval>;
  longestWait?: Maybe<Interval>;
  starved?: Maybe<Interval>;
  inversions?: Maybe<Interval>;
  reasons?: Maybe<Record<string, Interval>>;
}
