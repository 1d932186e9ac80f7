/**
 * What differs between kernels, as data (DAMON spec 12). Code reads these fields and never the name, so that a kernel of
 * one's own is `{ ...damon71, name: 'mine', vaddrReusesLastFolio: true }`.
 */
import { DAMON_BASE_ACTIONS } from '@thplab/sysfs-schema';
import { FILTER_TYPES, type FilterType } from './schemes/filter.js';
import type { DamosActionName } from './schemes/scheme.js';

/** One kernel's DAMON. */
export interface DamonProfile {
  readonly name: string;
  readonly summary: string;
  /** Who keeps the number of regions above the minimum (DAMON spec 1.6): splitting once at the start, or each aggregation. */
  readonly minRegionsRule: 'initialOnly' | 'eachAggregation';
  /** The memo of the last split is one for all contexts (DAMON spec 1.7). */
  readonly splitMemoShared: boolean;
  /** Each repetition of the merge pass does the age bookkeeping again (DAMON spec 1.5). */
  readonly agesOnEachMergePass: boolean;
  /** The check of virtual addresses reuses the result of the folio checked last (DAMON spec 1.10). */
  readonly vaddrReusesLastFolio: boolean;
  /** A quota counts as set by its effective size alone, or by any of its fields (DAMON spec 3.5). */
  readonly quotaSetBy: 'effectiveSize' | 'anyField';
  /** A quota is full also when less than the smallest region is left of it. */
  readonly fullBelowMinRegion: boolean;
  /** The resume point is the end of the region, or one beyond it. */
  readonly resumeBeyondEnd: boolean;
  /** A try for which the quota leaves no room counts in nr_tried, with 0 bytes. */
  readonly countsEmptyTries: boolean;
  /** The priority histogram leaves out what core filters reject. */
  readonly histogramAsksCoreFilters: boolean;
  /** Regions cut for quotas and filters are joined again after the scheme was applied (DAMON spec 3.4). */
  readonly joinsCutRegions: boolean;
  /** Charging failed bytes at a rate of their own (fail_charge). */
  readonly failCharge: boolean;
  /** max_nr_snapshots and nr_snapshots. */
  readonly snapshots: boolean;
  /** A context can pause: its kdamond goes on, and neither samples nor applies. */
  readonly pause: boolean;
  /** The `temporal` tuner of goals. */
  readonly temporalTuner: boolean;
  /** Types of filters, and whether a filter may let memory pass (6.14) or only keep it out. */
  readonly filters: { readonly types: readonly FilterType[]; readonly allow: boolean };
  /** Auto-tuning of intervals (6.15). */
  readonly intervalsTuning: boolean;
  readonly goalMetrics: readonly string[];
  readonly actions: readonly DamosActionName[];
  /** What `target_order` does with collapse: nothing, RFC v2's wrapper, or madvise_collapse taught mTHP orders. */
  readonly collapseOrders: 'none' | 'wrapper' | 'madvise';
  /** Numbers of the folders of tried regions run over all schemes, or start anew for each (DAMON spec 6.1). */
  readonly triedRegionNumbers: 'overAllSchemes' | 'eachScheme';
  /** `target_order` 0 of split: RFC v2 takes order 2 instead; the version after it splits to base pages. */
  readonly splitZeroOrder: 'order2' | 'basePages';
}

const BASE_METRICS: readonly string[] = ['user_input', 'some_mem_psi_us', 'node_mem_used_bp', 'node_mem_free_bp'];

/** Linux 6.18. */
export const damon618: DamonProfile = {
  name: 'v6.18',
  summary: 'Linux 6.18: initial regions are split evenly, quotas are set by their effective size',
  minRegionsRule: 'initialOnly',
  splitMemoShared: true,
  agesOnEachMergePass: true,
  vaddrReusesLastFolio: true,
  quotaSetBy: 'effectiveSize',
  fullBelowMinRegion: false,
  resumeBeyondEnd: true,
  countsEmptyTries: true,
  histogramAsksCoreFilters: false,
  joinsCutRegions: false,
  failCharge: false,
  snapshots: false,
  pause: false,
  temporalTuner: false,
  filters: { types: FILTER_TYPES, allow: true },
  intervalsTuning: true,
  goalMetrics: BASE_METRICS,
  actions: DAMON_BASE_ACTIONS,
  collapseOrders: 'none',
  triedRegionNumbers: 'eachScheme',
  splitZeroOrder: 'order2',
};

/** Linux 6.13: filters only reject, intervals are not tuned, no memory is weighed between nodes. */
export const damon613: DamonProfile = {
  ...damon618,
  name: 'v6.13',
  summary: 'Linux 6.13: filters only reject, and intervals are not tuned',
  filters: { types: ['addr', 'target', 'anon', 'memcg', 'young'], allow: false },
  intervalsTuning: false,
  triedRegionNumbers: 'overAllSchemes',
  goalMetrics: ['user_input', 'some_mem_psi_us'],
};

/** Linux 7.1: the minimum of regions is enforced at each aggregation; snapshots, temporal tuner. */
export const damon71: DamonProfile = {
  ...damon618,
  name: 'v7.1',
  summary: 'Linux 7.1: the minimum of regions is enforced at each aggregation; snapshots, temporal tuner',
  minRegionsRule: 'eachAggregation',
  splitMemoShared: false,
  snapshots: true,
  temporalTuner: true,
  goalMetrics: [...BASE_METRICS, 'node_memcg_used_bp', 'node_memcg_free_bp', 'active_mem_bp', 'inactive_mem_bp'],
};

/** The mm tree of mid 2026: collapse, fail_charge, pause, cut regions joined again. */
export const damonMm: DamonProfile = {
  ...damon71,
  name: 'mm-2026',
  summary: 'the mm tree of mid 2026: collapse, fail_charge, pause, cut regions joined again',
  vaddrReusesLastFolio: false,
  quotaSetBy: 'anyField',
  fullBelowMinRegion: true,
  resumeBeyondEnd: false,
  countsEmptyTries: false,
  histogramAsksCoreFilters: true,
  joinsCutRegions: true,
  failCharge: true,
  pause: true,
  goalMetrics: [...damon71.goalMetrics, 'node_eligible_mem_bp'],
  actions: [...DAMON_BASE_ACTIONS, 'collapse'],
};

/** The series "mm/damon: add mTHP collapse and split actions", RFC v2 of 2026-07-02 (DAMON spec 4.3). */
export const damonRfcV2: DamonProfile = {
  ...damonMm,
  name: 'damon-rfc',
  summary: 'RFC v2 of the split action and target_order (2026-07-02)',
  actions: [...damonMm.actions, 'split'],
  collapseOrders: 'wrapper',
};

/** As the reviewers of RFC v2 asked for (DAMON spec 4.4): collapse to mTHP orders by madvise_collapse itself. */
export const damonReviewed: DamonProfile = {
  ...damonRfcV2,
  name: 'damon-reviewed',
  summary: 'RFC v2 as its reviewers asked for: madvise_collapse takes an order; split to base pages is order 0',
  collapseOrders: 'madvise',
  splitZeroOrder: 'basePages',
};

/** All profiles, oldest first. */
export const DAMON_PROFILES: readonly DamonProfile[] = [
  damon613,
  damon618,
  damon71,
  damonMm,
  damonRfcV2,
  damonReviewed,
];
