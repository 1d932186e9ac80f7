/** Golden vectors of monitoring (DAMON spec 1.1 to 1.9). See golden.ts. */

type Pair = readonly [start: number, end: number];

/** 1.1: attributes before anybody sets them. */
export const DEFAULTS = [
  { row: '1.1 sample_interval', attribute: 'sampleIntervalUs', value: 5_000 },
  { row: '1.1 aggr_interval', attribute: 'aggrIntervalUs', value: 100_000 },
  { row: '1.1 ops_update_interval', attribute: 'opsUpdateIntervalUs', value: 60_000_000 },
  { row: '1.1 min_nr_regions', attribute: 'minNrRegions', value: 10 },
  { row: '1.1 max_nr_regions', attribute: 'maxNrRegions', value: 1_000 },
  { row: '1.1 addr_unit', attribute: 'addrUnit', value: 1 },
  { row: '1.1 min_region_sz', attribute: 'minRegionSize', value: 4_096 },
  {
    row: '1.1 intervals_goal',
    attribute: 'intervalsGoal',
    value: { accessBp: 0, aggrs: 0, minSampleUs: 0, maxSampleUs: 0 },
  },
] as const;

/** 1.1: the same in the files of a context. */
export const DEFAULT_FILES = [
  { row: '1.1 sample_interval', file: 'monitoring_attrs/intervals/sample_us', value: 5_000 },
  { row: '1.1 aggr_interval', file: 'monitoring_attrs/intervals/aggr_us', value: 100_000 },
  { row: '1.1 ops_update_interval', file: 'monitoring_attrs/intervals/update_us', value: 60_000_000 },
  { row: '1.1 min_nr_regions', file: 'monitoring_attrs/nr_regions/min', value: 10 },
  { row: '1.1 max_nr_regions', file: 'monitoring_attrs/nr_regions/max', value: 1_000 },
  { row: '1.1 addr_unit', file: 'addr_unit', value: 1 },
  { row: '1.1 intervals_goal', file: 'monitoring_attrs/intervals/intervals_goal/access_bp', value: 0 },
  { row: '1.1 intervals_goal', file: 'monitoring_attrs/intervals/intervals_goal/aggrs', value: 0 },
  { row: '1.1 intervals_goal', file: 'monitoring_attrs/intervals/intervals_goal/min_sample_us', value: 0 },
  { row: '1.1 intervals_goal', file: 'monitoring_attrs/intervals/intervals_goal/max_sample_us', value: 0 },
] as const;

/** 1.1: the smallest region of physical addresses by the unit of addresses, pages of 4 KiB. */
export const SMALLEST_REGIONS = [
  { row: '1.1 min_region_sz of paddr', addrUnit: 1, size: 4_096 },
  { row: '1.1 min_region_sz of paddr', addrUnit: 2, size: 2_048 },
  { row: '1.1 min_region_sz of paddr', addrUnit: 4_096, size: 1 },
  { row: '1.1 min_region_sz of paddr', addrUnit: 8_192, size: 1 },
] as const;

/** 1.1: samples of an aggregation; a sampling interval of 0 is as one of 1. */
export const MAX_NR_ACCESSES = [
  { row: '1.1 max_nr_accesses', sample: 5_000, aggr: 100_000, most: 20 },
  { row: '1.1 max_nr_accesses', sample: 3, aggr: 10, most: 3 },
  { row: '1.1 max_nr_accesses, sample 0', sample: 0, aggr: 100, most: 100 },
] as const;

/** 1.1: with a goal for the intervals, and whether it is taken. */
export const SET_INTERVALS_GOALS = [
  { row: '1.1 rejected: 1', sample: 5_000, aggrs: 3, minSample: 5_000, maxSample: 10_000_000, taken: true },
  { row: '1.1 rejected: 1', sample: 4_999, aggrs: 3, minSample: 5_000, maxSample: 10_000_000, taken: false },
  { row: '1.1 rejected: 1', sample: 10_001, aggrs: 3, minSample: 5_000, maxSample: 10_000, taken: false },
  { row: '1.1 rejected: 1', sample: 5_000, aggrs: 3, minSample: 5_000, maxSample: 4_000, taken: false },
  { row: '1.1 rejected: 1', sample: 4_999, aggrs: 0, minSample: 5_000, maxSample: 4_000, taken: true },
] as const;

/** 1.1: a change 5 samples into an aggregation, to one twice as long. */
export const CHANGE_WITHIN_AGGREGATION = {
  row: '1.1 change within an aggregation',
  passed: 5,
  aggr: 200_000,
  before: { nr: 7, last: 10, age: 4 },
  after: { nrAccesses: 0, lastNrAccesses: 20, nrAccessesBp: 200_000, age: 2 },
  nextAggregation: 5 + 40,
  nextOpsUpdate: 5 + 12_000,
} as const;

/** 1.1, 11.1: attributes that are set, and whether they are taken. */
export const SET_ATTRS = [
  { row: '11.1 set_attrs', sample: 5_000, aggr: 100_000, min: 10, max: 1_000, taken: true },
  { row: '11.1 set_attrs min 1', sample: 5_000, aggr: 100_000, min: 1, max: 1_000, taken: false },
  { row: '1.1 rejected: 2', sample: 5_000, aggr: 100_000, min: 2, max: 1_000, taken: false },
  { row: '1.1 rejected: 2', sample: 5_000, aggr: 100_000, min: 3, max: 1_000, taken: true },
  { row: '1.1 rejected: 3', sample: 5_000, aggr: 100_000, min: 11, max: 10, taken: false },
  { row: '1.1 rejected: 3', sample: 5_000, aggr: 100_000, min: 10, max: 10, taken: true },
  { row: '1.1 rejected: 4', sample: 5_001, aggr: 5_000, min: 10, max: 1_000, taken: false },
  { row: '1.1 rejected: 4', sample: 5_000, aggr: 5_000, min: 10, max: 1_000, taken: true },
  { row: '11.1 set_attrs max 9', sample: 5_000, aggr: 100_000, min: 10, max: 9, taken: false },
  { row: '11.1 set_attrs aggr 4999', sample: 5_000, aggr: 4_999, min: 10, max: 1_000, taken: false },
] as const;

/** 1.1, 11.1: min_region_sz at the start and at a commit: a power of two. */
export const MIN_REGION_SIZES = [
  { row: '11.1 commit min_region_sz 4096', size: 4_096, taken: true },
  { row: '11.1 commit min_region_sz 4095', size: 4_095, taken: false },
  { row: '1.1 min_region_sz a power of two', size: 12_288, taken: false },
  { row: '1.1 min_region_sz a power of two', size: 0, taken: false },
  { row: '1.1 min_region_sz a power of two', size: 1, taken: true },
] as const;

/** 1.1: units of addresses. */
export const ADDR_UNITS = [
  { row: '1.1 addr_unit 0', addrUnit: 0, taken: false },
  { row: '1.1 addr_unit 0', addrUnit: 1, taken: true },
] as const;

/** 1.1: what a change of the intervals does not do while one of them is 0. */
export const CHANGE_FROM_ZERO = {
  row: '1.1 change with an interval of 0',
  from: { sample: 0, aggr: 1_000 },
  to: { sample: 0, aggr: 10_000 },
  kept: { nr: 15, age: 20 },
} as const;

/** 1.4: ages before and after the merge pass. */
export const AGES = [
  { row: '1.4 age 1', age: 5, nr: 10, last: 7, threshold: 2, after: 0 },
  { row: '1.4 age 3', age: 5, nr: 10, last: 8, threshold: 2, after: 6 },
  { row: '1.4 age 2', age: 5, nr: 0, last: 1, threshold: 2, after: 0 },
  { row: '1.4 age 2', age: 5, nr: 1, last: 0, threshold: 2, after: 0 },
  { row: '1.4 age 3', age: 5, nr: 0, last: 0, threshold: 0, after: 6 },
] as const;

/** 1.6: the size limit of older kernels: no rounding, and the smallest region at least. */
export const SIZE_LIMITS_BEFORE_71 = [
  { row: '1.6 size limit OLD', size: 10, minSize: 1, minNr: 3, limit: 3 },
  { row: '1.6 size limit OLD', size: 10, minSize: 2, minNr: 3, limit: 3 },
  { row: '1.6 size limit OLD', size: 10, minSize: 4, minNr: 10, limit: 4 },
] as const;

/** 1.7: where a region of 1000 can be cut. */
export const CUTS = { row: '1.7 cuts', size: 1_000, at: [100, 200, 300, 400, 500, 600, 700, 800, 900] } as const;

/** 1.8: holes of one size; the earlier ones count. */
export const EQUAL_HOLES = {
  row: '1.8 ties',
  vmas: [
    [0, 10],
    [20, 30],
    [40, 50],
    [60, 70],
  ] satisfies Pair[],
  result: [
    [0, 10],
    [20, 30],
    [40, 70],
  ] satisfies Pair[],
} as const;

/** 1.8: too few holes. */
export const TOO_FEW_HOLES: readonly { row: string; vmas: Pair[] }[] = [
  { row: '1.8 no VMA', vmas: [] },
  { row: '1.8 single VMA', vmas: [[10, 20]] },
  {
    row: '1.8 one hole',
    vmas: [
      [10, 20],
      [20, 30],
      [40, 50],
    ],
  },
];

/** 1.9: observed share of accesses under a goal of 4 %, and what the intervals are multiplied by. */
export const INTERVALS_TUNING = {
  goalBp: 400,
  factors: [
    { row: '1.9 observed 0%', observedPercent: 0, factor: 2 },
    { row: '1.9 observed 1%', observedPercent: 1, factor: 1.75 },
    { row: '1.9 observed 2%', observedPercent: 2, factor: 1.5 },
    { row: '1.9 observed 4%', observedPercent: 4, factor: 1 },
    { row: '1.9 observed 5%', observedPercent: 5, factor: 0.875 },
    { row: '1.9 observed 6%', observedPercent: 6, factor: 0.75 },
    { row: '1.9 observed 8%', observedPercent: 8, factor: 0.5 },
    { row: '1.9 observed 8%', observedPercent: 50, factor: 0.5 },
  ],
} as const;

/**
 * 1.2: one turn of the loop in which everything is due, in its order. A request does nothing, or doubles the aggregation: the
 * marks were read before, so the turn ends it nevertheless; but a scheme is asked for its mark later, and is not due any more.
 */
export const LOOP_ORDER = [
  {
    row: '1.2 order of e to j',
    request: 'do nothing',
    aggrIntervalUs: 100_000,
    aggregation: 20,
    labels: [
      'sampled',
      'request',
      'damos_before_apply',
      'damos_stat_after_apply_interval',
      'damon_monitor_intervals_tune',
      'damon_aggregated',
      'aggregated',
    ],
  },
  {
    row: '1.2 a',
    request: 'double the aggregation',
    aggrIntervalUs: 200_000,
    aggregation: 20,
    labels: ['sampled', 'request', 'damon_monitor_intervals_tune', 'damon_aggregated', 'aggregated'],
  },
] as const;

/** 1.2 b: watermarks that no free memory is below, and then all is. */
export const LOOP_REST = {
  row: '1.2 b',
  watermarks: { metric: 'free_mem_rate', intervalUs: 500_000, high: 500, mid: 400, low: 0 },
  restedSeconds: 0.9,
  samplesWhileResting: 0,
  later: { high: 1_000, mid: 1_000 },
  awakeSeconds: 1,
  samplesAtLeast: 50,
} as const;

/** 1.2 c to e: one region of one page, samples of 5 ms; when the page is used, and what the region counts at a time. */
export const LOOP_SAMPLES = {
  row: '1.2 c to e',
  sampleUs: 5_000,
  /** ms; the page is made old at 0, 5, 10, ... and looked at 5 ms later. */
  usedAtMs: [1, 12, 13],
  seen: [
    { atMs: 4.9, samples: 0, nr: 0 },
    { atMs: 5.1, samples: 1, nr: 1 },
    { atMs: 10.1, samples: 2, nr: 1 },
    { atMs: 15.1, samples: 3, nr: 2 },
    { atMs: 20.1, samples: 4, nr: 2 },
  ],
} as const;

/** 1.2 j: a process unmaps its last pages; vaddr follows at the next update, and not before. */
export const LOOP_UPDATE = { row: '1.2 j', updateUs: 1_000_000, atMs: [900, 1_100], follows: [false, true] } as const;

/** 1.3: each address of a region is as likely as any other. */
export const SAMPLING = {
  row: '1.3 sampling address',
  region: [1_000, 1_010],
  draws: 10_000,
  least: 880,
  most: 1_120,
} as const;

/** 1.3: schemes match by the moving sum; a scheme for 5 samples. */
export const MATCHING = [
  { row: '1.3 matching by nr_accesses_bp', nr: 1, bp: 59_999, wanted: 5, tried: 1 },
  { row: '1.3 matching by nr_accesses_bp', nr: 5, bp: 60_000, wanted: 5, tried: 0 },
  { row: '1.3 matching by nr_accesses_bp', nr: 5, bp: 49_999, wanted: 5, tried: 0 },
] as const;

/** 1.3: aggregations after each of which the moving sum is the count. */
export const MOVING_SUM_ENDS = {
  row: '1.3 moving sum at the end of an aggregation',
  aggregations: 20,
  samples: 20,
} as const;

/** 1.5: two pages, one used in all 20 samples of 5 ms, the other until some time: they join if they differ by 20/10. */
export const MERGE_THRESHOLD = [
  { row: '1.5 threshold0', usedUntilMs: 89, nrs: [19], sizes: [2] },
  { row: '1.5 threshold0', usedUntilMs: 84, nrs: [20, 17], sizes: [1, 1] },
] as const;

/** 1.5: regions of 10 bytes that touch; at most 3 may be left, so the threshold 1 becomes 2, then 4. */
export const MERGE_REPEATED = {
  row: '1.5 threshold doubled',
  threshold: 1,
  limit: 1_000,
  maxNrRegions: 3,
  nrs: [0, 4, 10, 14],
  merged: [
    [0, 20],
    [20, 40],
  ] satisfies Pair[],
} as const;

/** 1.5: regions that do not touch stay, however many; the passes have thresholds 1, 2, 4, 8, 16 and 32. */
export const AGES_OF_PASSES = [
  { row: '1.5 age in the first pass only', agesOnEachMergePass: false, regions: 6, age: 1 },
  { row: '1.5 age in each pass', agesOnEachMergePass: true, regions: 6, age: 6 },
] as const;

/** 1.7: a region of 10000 is cut at each pass; the pass before found one region. */
export const SPLIT_PASSES = {
  row: '1.7 pieces',
  size: 10_000,
  maxNrRegions: 12,
  before: 1,
  // Three pieces, two, two; then there are more than half of the maximum.
  counts: [3, 6, 12, 12],
} as const;

/** 1.7: a pass of one context over one region, then one of another context. */
export const SPLIT_MEMO = [
  { row: '1.7 memo OLD: static', profile: 'v6.18', counts: [2, 3] },
  { row: '1.7 memo NEW', profile: 'v7.1', counts: [2, 2] },
] as const;

/** 1.7: sizes of a region that is twice the smallest one, which is not cut, and of one larger by one step. */
export const SPLIT_SMALL = [
  { row: '1.7 not below twice the smallest', size: 20, minSize: 10, most: 1 },
  { row: '1.7 not below twice the smallest', size: 30, minSize: 10, most: 2 },
] as const;

/** 1.8: bounds of the three ranges, and of regions fitted to ranges. */
export const ALIGNED_LAYOUT = {
  row: '1.8 bounds aligned',
  minSize: 4,
  vmas: [
    [8, 13],
    [33, 42],
    [81, 90],
  ] satisfies Pair[],
  three: [
    [8, 16],
    [36, 44],
    [84, 92],
  ] satisfies Pair[],
  region: [10, 20] satisfies Pair,
  range: [5, 27] satisfies Pair,
  fitted: [4, 28] satisfies Pair,
} as const;

/** 1.8: counters of a region that is stretched. */
export const SURVIVOR = {
  row: '1.8 statistics of survivors',
  region: [10, 20] satisfies Pair,
  counters: { nr: 7, age: 3 },
  range: [5, 40] satisfies Pair,
} as const;

/** 1.8: a process with three VMAs, a region of the user's in the first one, and an update. */
export const LAYOUT_RULES = [
  { row: '1.8 vaddr updates regions of the user', operations: 'vaddr', updated: true },
  { row: '1.8 fvaddr never updates', operations: 'fvaddr', updated: false },
] as const;

/** 1.6 OLD: three VMAs of 512 pages, at least 12 regions. */
export const INITIAL_SPLIT = { row: '1.6 initial split OLD', minNrRegions: 12, regions: 12, pagesOfEach: 128 } as const;

/** 1.8: nodes of 1024 pages and 2048 pages; the first and last page of the default target. */
export const LARGEST_NODE = { row: '1.8 paddr default', nodePages: [1_024, 2_048], range: [1_024, 3_072] } as const;

/** 1.9: the sampling interval between its bounds, aggregations of 20 samples. */
export const TUNED = {
  row: '1.9 bounds and ratio',
  minSampleUs: 5_000,
  maxSampleUs: 8_000,
  steps: [
    { nr: 0, sampleUs: 8_000, aggrUs: 160_000 },
    { nr: 20, sampleUs: 5_000, aggrUs: 100_000 },
  ],
} as const;

/** 1.9: a kdamond that tunes every 3 aggregations, of memory that nobody uses. */
export const TUNING_RUN = {
  row: '1.9 every aggrs aggregations',
  goal: { accessBp: 400, aggrs: 3, minSampleUs: 5_000, maxSampleUs: 20_000 },
  before: { seconds: 0.29, sampleUs: 5_000 },
  after: { seconds: 5, sampleUs: 20_000, aggrUs: 400_000 },
  traced: [10_000, 20_000],
} as const;
