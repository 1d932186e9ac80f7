/** Collapse hints, normalised; see scenario.ts for the conventions, docs/hints.md for what they are. */
import type { PagePattern, SourceKey } from './scenario.js';
import type { Span } from './scenario-events.js';
import type { Bound } from './scenario-expect.js';

/** 0 is the higher. */
export type HintPriority = 0 | 1;

/** The queue of hints, who fills it, and what it is good for. */
export interface HintsSpec {
  readonly key: SourceKey;
  /** Name of a policy, perhaps with fields of its own (`fair:rotateAfter=4`); null: that of the kernel. */
  readonly policy: string | null;
  /** Hints that can wait at once. */
  readonly limit: number;
  readonly whenFull: 'error' | 'drop';
  /** What the work is meant for; empty: what the access events and the workloads touch. */
  readonly hot: readonly HotSpec[];
  readonly producers: readonly ProducerSpec[];
}

export interface HotSpec {
  readonly key: SourceKey;
  readonly span: Span;
  readonly pages: PagePattern;
}

export type ProducerSpec =
  /** Regions that a kdamond found accessed in at least `above` of the samples; from `urgent` on of high priority. */
  | {
      readonly kind: 'heat';
      readonly key: SourceKey;
      /** null: the first. */
      readonly kdamond: string | null;
      readonly above: number;
      readonly urgent: number;
      readonly every: number;
    }
  /** `count` page faults, or walks of the page table after a miss of the TLB, in one PMD range within a time. */
  | {
      readonly kind: 'faults' | 'tlb';
      readonly key: SourceKey;
      /** null: all. */
      readonly process: string | null;
      readonly count: number;
      readonly within: number;
      readonly priority: HintPriority;
    }
  /** PMD ranges found young in so many aging scans one after the other. */
  | {
      readonly kind: 'aging';
      readonly key: SourceKey;
      readonly process: string | null;
      readonly every: number;
      readonly generations: number;
      readonly priority: HintPriority;
    };

/** Expectations about hints. A time that never came is later than any. */
export interface HintsExpectation {
  readonly key: SourceKey;
  readonly hot50: Bound | null;
  readonly hot90: Bound | null;
  readonly hot99: Bound | null;
  readonly hotHuge: Bound | null;
  readonly cold: Bound | null;
  readonly queued: Bound | null;
  readonly refused: Bound | null;
  readonly served: Bound | null;
  readonly succeeded: Bound | null;
  readonly dropped: Bound | null;
  readonly waiting: Bound | null;
  readonly contended: Bound | null;
  readonly longestWait: Bound | null;
  readonly starved: Bound | null;
  readonly inversions: Bound | null;
  /** By reason: why hints were refused, dropped, or what looking at their ranges gave. */
  readonly reasons: Readonly<Record<string, Bound>>;
}
