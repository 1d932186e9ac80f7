/** The kernel's selftests of DAMON as facts (DAMON spec 11.3): what runs, and what must be found. See golden.ts. */

const MIB = 2 ** 20;

/** access_memory_even: of so many regions every second one is in use, all at once. `error`: share of the true bytes. */
export const ACCESS_MEMORY_EVEN = [
  { regions: 2, regionBytes: 10 * MIB, used: 10 * MIB, error: 0.02 },
  { regions: 8, regionBytes: 4 * MIB, used: 16 * MIB, error: 0.05 },
  { regions: 14, regionBytes: 10 * MIB, used: 70 * MIB, error: 0.05 },
] as const;

/** damos_tried_regions.py: regions of which every second one is hot, and how many regions it may find. */
export const TRIED_REGIONS = { regions: 14, regionBytes: 10 * MIB, rounds: 10, min: 14, max: 1_000 } as const;

/**
 * sysfs_update_schemes_tried_regions_wss_estimation.py: two regions in use in turn, 2 s each; the working set is what was
 * accessed at all. It is doubled until it passes.
 */
export const WSS_ESTIMATION = {
  regions: 2,
  msEach: 2_000,
  rounds: 40,
  percentiles: [50, 75],
  acceptedError: 0.2,
  sizes: [10 * MIB, 20 * MIB, 40 * MIB, 80 * MIB, 160 * MIB],
} as const;

/** damon_nr_regions.py: real regions, limits, and limits set while it runs. */
export const NR_REGIONS = [
  { real: 10, min: 20, max: 100, later: { min: 3, max: 7 } },
  { real: 15, min: 3, max: 10, later: { min: 3, max: 7 } },
] as const;
