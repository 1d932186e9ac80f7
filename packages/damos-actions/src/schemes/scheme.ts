/** What a user says about a scheme (DAMON spec 3.1), with the defaults of sysfs, and what is refused. */
import type { MemcgId } from '@thplab/mm-model';
import { U32_MAX } from '../arithmetic.js';
import { DamonError } from '../errors.js';
import type { CoreFilter, OpsFilter } from './filter.js';

/** Actions by their sysfs keywords. */
export const DAMOS_ACTIONS = [
  'willneed',
  'cold',
  'pageout',
  'hugepage',
  'nohugepage',
  'collapse',
  'split',
  'lru_prio',
  'lru_deprio',
  'migrate_hot',
  'migrate_cold',
  'stat',
] as const;
export type DamosActionName = (typeof DAMOS_ACTIONS)[number];

/** A closed range, [min, max]. */
export interface ClosedRange {
  readonly min: number;
  readonly max: number;
}

/** Regions that a scheme is for. Sizes in core units, accesses in samples of an aggregation, age in aggregations. */
export interface AccessPattern {
  readonly size: ClosedRange;
  readonly nrAccesses: ClosedRange;
  readonly age: ClosedRange;
}

/** Relative weights of the priority of regions under a quota. */
export interface QuotaWeights {
  /** In the ABI, without effect. */
  readonly size: number;
  readonly nrAccesses: number;
  readonly age: number;
}

/** What a quota goal measures (DAMON spec 3.5). */
export const QUOTA_GOAL_METRICS = [
  'user_input',
  'some_mem_psi_us',
  'node_mem_used_bp',
  'node_mem_free_bp',
  'node_memcg_used_bp',
  'node_memcg_free_bp',
  'active_mem_bp',
  'inactive_mem_bp',
  'node_eligible_mem_bp',
] as const;
export type QuotaGoalMetric = (typeof QUOTA_GOAL_METRICS)[number];

/** One goal of a quota. */
export interface QuotaGoal {
  readonly metric: QuotaGoalMetric;
  readonly targetValue: number;
  /** For `user_input`: what the user measured last. */
  readonly currentValue?: number;
  /** For metrics of a node. */
  readonly nid?: number;
  /** For metrics of a memory cgroup. */
  readonly memcg?: MemcgId;
}

/** How much a scheme may do in a charge window. 0: no such limit. */
export interface Quota {
  readonly ms: number;
  readonly bytes: number;
  readonly resetIntervalMs: number;
  readonly weights: QuotaWeights;
  readonly goals: readonly QuotaGoal[];
  readonly goalTuner: 'consist' | 'temporal';
  /** Rate at which bytes that the action failed on are charged, numerator and denominator; denominator 0: in full. */
  readonly failChargeNum: number;
  readonly failChargeDenom: number;
}

/** When a scheme runs at all, by the permille of free memory (DAMON spec 3.8). */
export interface Watermarks {
  readonly metric: 'none' | 'free_mem_rate';
  readonly intervalUs: number;
  readonly high: number;
  readonly mid: number;
  readonly low: number;
}

/** A node to move pages to, and its share of them. */
export interface MigrationDest {
  readonly nid: number;
  readonly weight: number;
}

/** See the head of the file. */
export interface Scheme {
  readonly action: DamosActionName;
  readonly pattern: AccessPattern;
  /** Time between two rounds, µs; 0: the aggregation interval. */
  readonly applyIntervalUs: number;
  readonly quota: Quota;
  readonly watermarks: Watermarks;
  readonly coreFilters: readonly CoreFilter[];
  readonly opsFilters: readonly OpsFilter[];
  /** Walks over all regions after which the scheme rests; 0: no limit. */
  readonly maxNrSnapshots: number;
  /** migrate_hot and migrate_cold: the node to move to; -1: none. */
  readonly targetNid: number;
  /** The same: nodes and their shares of the pages, in place of `targetNid`. */
  readonly dests: readonly MigrationDest[];
  /** Order of the folios that collapse and split make (DAMON spec 4.3). */
  readonly targetOrder: number;
}

/** What of a scheme has to be said; all else has sysfs's default. */
export type SchemeInput = { readonly action: DamosActionName; readonly pattern: AccessPattern } & Partial<
  Omit<Scheme, 'quota' | 'watermarks'>
> & {
    readonly quota?: Partial<Omit<Quota, 'weights'>> & { readonly weights?: Partial<QuotaWeights> };
    readonly watermarks?: Partial<Watermarks>;
  };

/** A pattern that every region fits. */
export const ANY_PATTERN: AccessPattern = {
  size: { min: 0, max: Number.POSITIVE_INFINITY },
  nrAccesses: { min: 0, max: U32_MAX },
  age: { min: 0, max: U32_MAX },
};

/** The pattern that sysfs starts with: everything 0, so no region fits. */
export const ZERO_PATTERN: AccessPattern = {
  size: { min: 0, max: 0 },
  nrAccesses: { min: 0, max: 0 },
  age: { min: 0, max: 0 },
};

const NO_QUOTA: Quota = {
  ms: 0,
  bytes: 0,
  resetIntervalMs: 0,
  weights: { size: 0, nrAccesses: 0, age: 0 },
  goals: [],
  goalTuner: 'consist',
  failChargeNum: 0,
  failChargeDenom: 0,
};

const NO_WATERMARKS: Watermarks = { metric: 'none', intervalUs: 0, high: 0, mid: 0, low: 0 };

/** Fills in the defaults. */
export function completeScheme(input: SchemeInput): Scheme {
  return {
    applyIntervalUs: 0,
    coreFilters: [],
    opsFilters: [],
    maxNrSnapshots: 0,
    targetNid: -1,
    dests: [],
    targetOrder: 0,
    ...input,
    quota: { ...NO_QUOTA, ...input.quota, weights: { ...NO_QUOTA.weights, ...input.quota?.weights } },
    watermarks: { ...NO_WATERMARKS, ...input.watermarks },
  };
}

/** Refuses patterns and filters that no kernel takes. Errors: DamonError EINVAL. */
export function validateScheme(scheme: Scheme): void {
  for (const [name, { min, max }] of Object.entries(scheme.pattern) as [string, ClosedRange][]) {
    if (min < 0 || Number.isNaN(max)) throw new DamonError('EINVAL', `${name} ${min} to ${max} is no range`);
  }
  for (const filter of scheme.coreFilters) {
    if (filter.type === 'addr' && filter.end < filter.start) {
      throw new DamonError('EINVAL', `address filter ${filter.start} to ${filter.end} ends before it starts`);
    }
  }
  for (const filter of scheme.opsFilters) {
    if (filter.type === 'hugepage_size' && filter.max < filter.min) {
      throw new DamonError('EINVAL', `hugepage_size filter ${filter.min} to ${filter.max} ends before it starts`);
    }
  }
}
