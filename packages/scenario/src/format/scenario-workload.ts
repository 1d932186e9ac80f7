/** What programs do to memory while a scenario runs, normalised; see scenario.ts for the conventions. */

import type { SourceKey } from './scenario.js';
import type { Span } from './scenario-events.js';
import type { Bound } from './scenario-expect.js';

/** One program's accesses: parts that begin and end at their times. */
export interface WorkloadSpec {
  readonly key: SourceKey;
  readonly name: string;
  /** `exact`: every access through the TLB. `analytic`: expected values, accessed bits drawn when somebody looks. */
  readonly form: 'auto' | 'exact' | 'analytic';
  readonly seed: number | null;
  readonly parts: readonly WorkPartSpec[];
}

/** One pattern over one range, for some time. */
export interface WorkPartSpec {
  readonly key: SourceKey;
  /** `vma` null with start 0: the whole process (masim, record, heat). */
  readonly span: Span;
  readonly source: WorkSource;
  /** Accesses in a second. */
  readonly perSecond: number;
  /** Share of the accesses that write. */
  readonly write: number;
  readonly active: WorkTimes;
}

/** When a part is active, ns: from `start` for `length` (null: to the end), again every `every` (null: once). */
export interface WorkTimes {
  readonly start: number;
  readonly length: number | null;
  readonly every: number | null;
}

export type WorkSource =
  /** Each page of the range with equal chance. */
  | { readonly kind: 'uniform' }
  /** Pages by rank, the chance of rank r being proportional to 1 / r^exponent. `scattered`: ranks go to blocks at random. */
  | { readonly kind: 'zipf'; readonly exponent: number; readonly scattered: boolean }
  /** From `first` in steps of `step` bytes, over and over. */
  | { readonly kind: 'sweep'; readonly first: number; readonly step: number }
  /** The phases of a masim configuration. Absolute path, or beside the scenario file as its path was given. */
  | { readonly kind: 'masim'; readonly file: string }
  /** The snapshots of a damo record, replayed (DAMON spec 8.6). */
  | { readonly kind: 'record'; readonly file: string }
  /** The pages whose accessed bit is set when the run begins, with equal chance: what a capture saw in use. */
  | { readonly kind: 'heat' };

/** Expectations about address translation; of the whole machine if `process` is null. */
export interface TlbExpectation {
  readonly key: SourceKey;
  readonly process: string | null;
  /** Share of the accesses that needed no walk. */
  readonly hitRate: Bound | null;
  readonly walks: Bound | null;
  /** Time lost to address translation, ns. */
  readonly lost: Bound | null;
}
