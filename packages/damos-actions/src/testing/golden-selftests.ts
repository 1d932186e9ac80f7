/** The kernel's selftests of DAMON as facts (DAMON spec 11.3): what runs, and what must be found. See golden.ts. */

const MIB = 2 ** 20;

/** access_memory_even: of so many regions every second one is in use, all at once. `error`: share of the true bytes. */
export const ACCESS_MEMORY_EVEN = [
  { row: '11.3 access_memory_even', regions: 2, regionBytes: 10 * MIB, used: 10 * MIB, error: 0.02 },
  { row: '11.3 access_memory_even', regions: 8, regionBytes: 4 * MIB, used: 16 * MIB, error: 0.05 },
  { row: '11.3 access_memory_even', regions: 14, regionBytes: 10 * MIB, used: 70 * MIB, error: 0.05 },
] as const;

/** damos_tried_regions.py: regions of which every second one is hot, and how many regions it may find. */
export const TRIED_REGIONS = {
  row: '11.3 damos_tried_regions.py',
  regions: 14,
  regionBytes: 10 * MIB,
  rounds: 10,
  min: 14,
  max: 1_000,
} as const;

/**
 * sysfs_update_schemes_tried_regions_wss_estimation.py: two regions in use in turn, 2 s each; the working set is what was
 * accessed at all. It is doubled until it passes.
 */
export const WSS_ESTIMATION = {
  row: '11.3 wss_estimation.py',
  regions: 2,
  msEach: 2_000,
  rounds: 40,
  percentiles: [50, 75],
  acceptedError: 0.2,
  sizes: [10 * MIB, 20 * MIB, 40 * MIB, 80 * MIB, 160 * MIB],
} as const;

/** damon_nr_regions.py: real regions, limits, and limits set while it runs. */
export const NR_REGIONS = [
  { row: '11.3 damon_nr_regions.py real 10', real: 10, min: 20, max: 100, later: { min: 3, max: 7 } },
  { row: '11.3 damon_nr_regions.py real 15', real: 15, min: 3, max: 10, later: { min: 3, max: 7 } },
] as const;

/** damos_apply_interval.py: two schemes alike but for this interval, the other's is an aggregation's. */
export const APPLY_INTERVAL = {
  row: '11.3 damos_apply_interval.py',
  applyIntervalUs: 10_000,
  seconds: 2,
  ratio: 9,
} as const;

/** damos_quota_goal.py: what the user measures, one after the other. */
export const QUOTA_GOAL = {
  row: '11.3 damos_quota_goal.py',
  targetValue: 10_000,
  values: [0, 15_000, 5_000, 18_000],
  secondsEach: 0.5,
} as const;

/** damos_quota.py: memory of 2 MiB in use all the time. */
export const QUOTA_HELD = {
  row: '11.3 damos_quota.py',
  bytes: MIB,
  windowMs: 100,
  nrAccesses: { min: 5, max: 20 },
  leastAge: 2,
  windows: 20,
  exceededAtLeast: 10,
} as const;

/** sysfs.py: numbers of the actions in the kernel that has collapse (DAMON spec 3.2). */
export const ACTION_NUMBERS = {
  row: '11.3 sysfs.py action numbers',
  willneed: 0,
  cold: 1,
  pageout: 2,
  hugepage: 3,
  nohugepage: 4,
  collapse: 5,
  lru_prio: 6,
  lru_deprio: 7,
  migrate_hot: 8,
  migrate_cold: 9,
  stat: 10,
} as const;
