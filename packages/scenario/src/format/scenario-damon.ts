/** DAMON in a normalised scenario; see scenario.ts for the conventions. Units are DAMON's own: µs, samples, aggregations. */
import type { MonitoringAttributes, OperationsId, QuotaGoal, SchemeInput } from '@thplab/damos-actions';
import type { SourceKey } from './scenario.js';
import type { Bound } from './scenario-expect.js';

/** All of DAMON that a scenario sets up. */
export interface DamonSpec {
  readonly key: SourceKey;
  /** Name of DAMON's profile; null: the one of the machine's kernel. */
  readonly profile: string | null;
  /** What stands between DAMOS and khugepaged (damon/ping-pong/designs.ts); null: nothing. */
  readonly pingPong: string | null;
  /** A damo document that is still to be read (`withDamoDocument`): a path as `snapshot` has it. */
  readonly file: string | null;
  /** Pids of a damo document to names of processes. */
  readonly pids: Readonly<Record<string, string>>;
  /** In the order of their numbers. */
  readonly kdamonds: readonly KdamondSpec[];
}

/** One kdamond with its only context. */
export interface KdamondSpec {
  readonly key: SourceKey;
  readonly name: string;
  readonly operations: OperationsId;
  readonly attributes: MonitoringAttributes;
  /** It neither samples nor applies until somebody writes N to its file and commits. */
  readonly pause: boolean;
  readonly targets: readonly DamonTargetSpec[];
  readonly schemes: readonly SchemeSpec[];
  /** When `on` is written to its state, ns. */
  readonly start: number;
  /** When `off` is; null: never. */
  readonly stop: number | null;
  /** Of sampling addresses and splits; null: from the scenario's seed. */
  readonly seed: number | null;
  /** How its access checks take locks: page by page as the kernel does, or once for all regions. */
  readonly locks: 'kernel' | 'batch';
}

export interface DamonTargetSpec {
  readonly key: SourceKey;
  /** Null for physical addresses. */
  readonly process: string | null;
  /** Regions to start with; empty: those that the operations find. */
  readonly ranges: readonly DamonRange[];
}

/** A range of addresses; with `vma` null `start` is an absolute (or physical) address, else the offset in the VMA. */
export interface DamonRange {
  readonly process: string | null;
  readonly vma: string | null;
  readonly start: number;
  readonly length: number;
}

export interface SchemeSpec {
  readonly key: SourceKey;
  readonly name: string;
  /** All but its filters and goals. */
  readonly config: Omit<SchemeInput, 'coreFilters' | 'opsFilters' | 'quota'> & {
    readonly quota?: Omit<NonNullable<SchemeInput['quota']>, 'goals'>;
  };
  readonly goals: readonly DamonGoalSpec[];
  /** In the order of their installation. */
  readonly filters: readonly DamonFilterSpec[];
}

/** A goal of a quota; memory cgroups have a path. */
export type DamonGoalSpec = Omit<QuotaGoal, 'memcg'> & { readonly memcg?: string };

export type DamonFilterSpec = {
  readonly key: SourceKey;
  readonly matching: boolean;
  readonly allow: boolean;
} & (
  | { readonly type: 'anon' | 'active' | 'young' | 'unmapped' }
  | { readonly type: 'memcg'; readonly memcg: string }
  | { readonly type: 'hugepage_size'; readonly min: number; readonly max: number }
  | { readonly type: 'addr'; readonly range: DamonRange }
  | { readonly type: 'target'; readonly index: number }
);

/** Statistics of one scheme, as the kernel counts them. */
export interface SchemeExpectation {
  readonly key: SourceKey;
  readonly scheme: string;
  readonly tried: Bound | null;
  readonly sizeTried: Bound | null;
  readonly applied: Bound | null;
  readonly sizeApplied: Bound | null;
  readonly sizePassed: Bound | null;
  readonly quotaExceeds: Bound | null;
  readonly snapshots: Bound | null;
}

/** What a context saw in its last whole aggregation. */
export interface MonitoringExpectation {
  readonly key: SourceKey;
  /** Null: all kdamonds together. */
  readonly kdamond: string | null;
  readonly process: string | null;
  readonly vma: string | null;
  /** Share of the samples from which on a region is hot; null: any access. */
  readonly above: number | null;
  /** Bytes in hot regions. */
  readonly hot: Bound | null;
  readonly regions: Bound | null;
  /** Bytes in all regions. */
  readonly monitored: Bound | null;
}
