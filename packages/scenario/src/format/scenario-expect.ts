/** Expectations of a normalised scenario; see scenario.ts for the conventions. */
import type { Run, SourceKey } from './scenario.js';
import type { MonitoringExpectation, SchemeExpectation } from './scenario-damon.js';
import type { HintsExpectation } from './scenario-hints.js';
import type { TlbExpectation } from './scenario-workload.js';

/** Both ends belong to the interval; null = open. An exact value has min = max. */
export interface Bound {
  readonly min: number | null;
  readonly max: number | null;
}

export interface CounterExpectation {
  readonly key: SourceKey;
  /** vmstat: a name such as `thp_collapse_alloc`. sysfs: an absolute path. */
  readonly source: 'vmstat' | 'sysfs';
  readonly name: string;
  /** Numeric value, or the text a read prints (without the newline). */
  readonly value: Bound | string;
}

export interface CoverageExpectation {
  readonly key: SourceKey;
  readonly process: string | null;
  readonly vma: string | null;
  /** What 100 % is: all the bytes of the VMAs, or their resident bytes. */
  readonly of: 'size' | 'resident';
  /** Share that is PMD-mapped; null = not checked. */
  readonly huge: Bound | null;
  /** Share that is mapped by folios of this size in bytes (whole and naturally aligned). */
  readonly sizes: readonly { readonly size: number; readonly share: Bound }[];
}

export interface MemoryExpectation {
  readonly key: SourceKey;
  /** null: the whole machine. */
  readonly process: string | null;
  readonly vma: string | null;
  /** Bounds in bytes. */
  readonly rss: Bound | null;
  readonly anonHuge: Bound | null;
  readonly swap: Bound | null;
  /** Free memory of the machine. */
  readonly free: Bound | null;
}

export interface OutcomeExpectation {
  readonly key: SourceKey;
  readonly process: string;
  /** null: `first` counts blocks from address 0. */
  readonly vma: string | null;
  /** Blocks of the VMA; block 0 is its first whole one. */
  readonly blocks: readonly Run[];
  /** Any of these is right. */
  readonly outcomes: readonly Outcome[];
}

/**
 * What became of a block: collapsed to folios of `size` bytes (null: of any size), or the kernel's reason why not as its
 * trace events print it (`exceed_none_pte`), or `not_scanned` if nothing ever looked at it.
 */
export type Outcome =
  | { readonly kind: 'collapsed'; readonly size: number | null }
  | { readonly kind: 'result'; readonly result: string };

export interface StallExpectation {
  readonly key: SourceKey;
  readonly process: string | null;
  /** Bounds in ns on the time a fault takes. */
  readonly worst: Bound | null;
  readonly p99: Bound | null;
  readonly median: Bound | null;
}

export interface TimeExpectation {
  readonly key: SourceKey;
  /** Virtual time at which the run ended, ns. */
  readonly end: Bound | null;
  /** CPU time of khugepaged, ns. */
  readonly khugepagedCpu: Bound | null;
  /** The same as a share of the run, 0..1. */
  readonly khugepagedShare: Bound | null;
}

/** Invariants of the machine are always checked in addition. */
export interface Expectations {
  readonly counters: readonly CounterExpectation[];
  readonly coverage: readonly CoverageExpectation[];
  readonly memory: readonly MemoryExpectation[];
  readonly outcomes: readonly OutcomeExpectation[];
  readonly stalls: readonly StallExpectation[];
  readonly schemes: readonly SchemeExpectation[];
  readonly monitoring: readonly MonitoringExpectation[];
  readonly tlb: readonly TlbExpectation[];
  readonly hints: HintsExpectation | null;
  readonly time: TimeExpectation | null;
}
