/**
 * DAMON's part of the arena. Whatever changes while a kdamond runs is here; what only a user changes (patterns, quotas,
 * filters) is plain data beside it.
 *
 *   damonContext ──► damonTarget ──► damonRegion ──► damonRegion …      by address, never overlapping
 *        └────────► damosScheme ──► damosScheme …                       in the order of their numbers
 *
 * Addresses and sizes are in core units: bytes, unless `addrUnit` says otherwise (physical addresses only). Counters that
 * are unsigned long or u64 in the kernel are f64 here.
 */

/** Words that all kdamonds share. */
export const DAMON_SHARED_TABLE = {
  doc: 'What all kdamonds share',
  rows: 'one',
  pooled: false,
  columns: {
    lastNrRegions: { type: 'u32', doc: 'regions at the last split, where kernels keep it for all contexts together' },
  },
} as const;

/** Contexts (`struct damon_ctx`), one for each kdamond. */
export const DAMON_CONTEXT_TABLE = {
  doc: 'DAMON contexts, one for each kdamond (damon_ctx)',
  rows: 'kdamonds',
  pooled: true,
  columns: {
    sampleUs: { type: 'f64', doc: 'sampling interval, µs' },
    aggrUs: { type: 'f64', doc: 'aggregation interval, µs' },
    opsUpdateUs: { type: 'f64', doc: 'interval of updates of the layout, µs' },
    minNrRegions: { type: 'u32', doc: 'lower bound of regions' },
    maxNrRegions: { type: 'u32', doc: 'upper bound of regions' },
    minRegionSize: { type: 'f64', doc: 'smallest region, a power of two' },
    addrUnit: { type: 'f64', doc: 'bytes of one core unit' },
    goalAccessBp: { type: 'u32', doc: 'auto-tuning: share of accesses to be observed, basis points' },
    goalAggrs: { type: 'u32', doc: 'auto-tuning: aggregations between two adjustments; 0: off' },
    goalMinSampleUs: { type: 'f64', doc: 'auto-tuning: shortest sampling interval' },
    goalMaxSampleUs: { type: 'f64', doc: 'auto-tuning: longest sampling interval' },
    aggrSamples: { type: 'f64', doc: 'samples of an aggregation when the attributes were set (aggr_samples)' },
    passedSamples: { type: 'f64', doc: 'sampling intervals passed (passed_sample_intervals)' },
    nextAggregation: { type: 'f64', doc: 'mark of the next aggregation (next_aggregation_sis)' },
    nextOpsUpdate: { type: 'f64', doc: 'mark of the next layout update (next_ops_update_sis)' },
    nextIntervalsTune: { type: 'f64', doc: 'mark of the next auto-tuning (next_intervals_tune_sis)' },
    sizeLimit: { type: 'f64', doc: 'largest region that merging makes' },
    lastNrRegions: { type: 'u32', doc: 'regions at the last split' },
    lastAddress: { type: 'f64', doc: 'address checked last' },
    lastFolioSize: { type: 'f64', doc: 'size of the folio found there' },
    lastAccessed: { type: 'u8', doc: 'what was found there' },
    state: { type: 'u8', doc: '0: not started; 1: runs; 2: has ended' },
    shouldStop: { type: 'u8', doc: '1: it has been asked to end' },
    paused: { type: 'u8', doc: '1: neither samples nor applies schemes (pause)' },
    samplesTaken: { type: 'f64', doc: 'regions checked so far (not in the kernel; for reports)' },
    firstTarget: { type: 'u32', doc: 'first target' },
    lastTarget: { type: 'u32', doc: 'last target' },
    firstScheme: { type: 'u32', doc: 'first scheme' },
    lastScheme: { type: 'u32', doc: 'last scheme' },
  },
} as const;

/** Targets (`struct damon_target`). */
export const DAMON_TARGET_TABLE = {
  doc: 'Monitoring targets (damon_target)',
  rows: 'damonTargets',
  pooled: true,
  columns: {
    mm: { type: 'u32', doc: 'address space; the target keeps its row. 0 for the physical address space' },
    nrRegions: { type: 'u32', doc: 'regions on the list' },
    firstRegion: { type: 'u32', doc: 'lowest region' },
    lastRegion: { type: 'u32', doc: 'highest region' },
    next: { type: 'u32', doc: 'next target' },
    prev: { type: 'u32', doc: 'previous target' },
  },
} as const;

/** Regions (`struct damon_region`). */
export const DAMON_REGION_TABLE = {
  doc: 'Monitoring regions (damon_region)',
  rows: 'damonRegions',
  pooled: true,
  columns: {
    start: { type: 'f64', doc: 'first address' },
    end: { type: 'f64', doc: 'one past the last address' },
    samplingAddress: { type: 'f64', doc: 'address whose page stands for the region in this sample' },
    nrAccesses: { type: 'u32', doc: 'samples that found an access in this aggregation' },
    lastNrAccesses: { type: 'u32', doc: 'the same of the aggregation before' },
    nrAccessesBp: { type: 'u32', doc: 'moving sum of the samples of one aggregation interval, times 10000' },
    age: { type: 'u32', doc: 'aggregations since the access rate changed, or a scheme acted' },
    cut: { type: 'u8', doc: '1: split off from the region before it for a quota or a filter only' },
    next: { type: 'u32', doc: 'next region' },
    prev: { type: 'u32', doc: 'previous region' },
  },
} as const;

/** Schemes (`struct damos`): what changes while they run. */
export const DAMOS_SCHEME_TABLE = {
  doc: 'DAMON-based operation schemes (damos)',
  rows: 'damosSchemes',
  pooled: true,
  columns: {
    next: { type: 'u32', doc: 'next scheme' },
    prev: { type: 'u32', doc: 'previous scheme' },
    nextApply: { type: 'f64', doc: 'mark of the next round (next_apply_sis)' },
    activated: { type: 'u8', doc: '1: the watermarks let it run' },
    coreAllowed: { type: 'u8', doc: '1: a core filter has allowed the region, so operations filters are skipped' },
    lastApplied: { type: 'u32', doc: 'first frame of the folio dealt with last in this round' },
    nrTried: { type: 'f64', doc: 'regions that it was tried on' },
    szTried: { type: 'f64', doc: 'their bytes' },
    nrApplied: { type: 'f64', doc: 'regions in which the action did something' },
    szApplied: { type: 'f64', doc: 'bytes that the action says it dealt with' },
    szOpsFilterPassed: { type: 'f64', doc: 'bytes that the operations filters let pass' },
    qtExceeds: { type: 'f64', doc: 'charge windows that used up their quota' },
    nrSnapshots: { type: 'f64', doc: 'complete walks over the regions of a target' },
    quotaStarted: { type: 'u8', doc: '1: a charge window has begun' },
    windowStartNs: { type: 'f64', doc: 'start of the charge window (charged_from)' },
    chargedSize: { type: 'f64', doc: 'bytes charged in the window' },
    totalChargedSize: { type: 'f64', doc: 'bytes charged in all windows that are over' },
    totalChargedNs: { type: 'f64', doc: 'time that the action took, ns' },
    effectiveSize: { type: 'f64', doc: 'effective quota (esz), bytes; Infinity: none' },
    effectiveBpHigh: { type: 'u32', doc: 'esz_bp, the state of the feedback loop: upper word' },
    effectiveBpLow: { type: 'u32', doc: 'lower word' },
    minScore: { type: 'u32', doc: 'least score that is tried in this round' },
    resumeTarget: { type: 'u32', doc: 'target at which the quota was full (charge_target_from), 0: none' },
    resumeAddress: { type: 'f64', doc: 'address at which it was (charge_addr_from)' },
    lastPsiUs: { type: 'f64', doc: 'memory stall time at the last look, µs' },
  },
} as const;

/** The tables' type. */
export type DamonTables = {
  readonly damonShared: typeof DAMON_SHARED_TABLE;
  readonly damonContext: typeof DAMON_CONTEXT_TABLE;
  readonly damonTarget: typeof DAMON_TARGET_TABLE;
  readonly damonRegion: typeof DAMON_REGION_TABLE;
  readonly damosScheme: typeof DAMOS_SCHEME_TABLE;
};

/** DAMON's tables, to be given to `bootMachine` among `extraTables`. */
export const DAMON_TABLES: DamonTables = {
  damonShared: DAMON_SHARED_TABLE,
  damonContext: DAMON_CONTEXT_TABLE,
  damonTarget: DAMON_TARGET_TABLE,
  damonRegion: DAMON_REGION_TABLE,
  damosScheme: DAMOS_SCHEME_TABLE,
};

/** Limits of DAMON's tables. */
export interface DamonLimits {
  /** Contexts, default 4. */
  readonly kdamonds?: number;
  /** Targets of all contexts, default 64. */
  readonly targets?: number;
  /** Regions of all contexts, default 16384: filters and quotas may split beyond `max_nr_regions` for a while. */
  readonly regions?: number;
  /** Schemes of all contexts, default 64. */
  readonly schemes?: number;
}

/** Sizes of DAMON's tables, to be given to `bootMachine` among `extraSizes`. */
export function damonSizes(limits: DamonLimits = {}): {
  readonly kdamonds: number;
  readonly damonTargets: number;
  readonly damonRegions: number;
  readonly damosSchemes: number;
} {
  return {
    kdamonds: limits.kdamonds ?? 4,
    damonTargets: limits.targets ?? 64,
    damonRegions: limits.regions ?? 16_384,
    damosSchemes: limits.schemes ?? 64,
  };
}
