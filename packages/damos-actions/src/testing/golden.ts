/**
 * Golden vectors of DAMON's monitoring: numbers that the specification gives, one table per rule, with its section. Tests read them from
 * here and hold no numbers of their own.
 */
import type { AddressRange } from '../monitor/regions.js';

type Pair = readonly [start: number, end: number];

/** Pairs as ranges. */
export function ranges(pairs: readonly Pair[]): AddressRange[] {
  return pairs.map(([start, end]) => ({ start, end }));
}

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
  { addrUnit: 1, size: 4_096 },
  { addrUnit: 2, size: 2_048 },
  { addrUnit: 4_096, size: 1 },
  { addrUnit: 8_192, size: 1 },
] as const;

/** 1.1: samples of an aggregation; a sampling interval of 0 is as one of 1. */
export const MAX_NR_ACCESSES = [
  { sample: 5_000, aggr: 100_000, most: 20 },
  { sample: 3, aggr: 10, most: 3 },
  { sample: 0, aggr: 100, most: 100 },
] as const;

/** 1.1: with a goal for the intervals, and whether it is taken. */
export const SET_INTERVALS_GOALS = [
  { sample: 5_000, aggrs: 3, minSample: 5_000, maxSample: 10_000_000, taken: true },
  { sample: 4_999, aggrs: 3, minSample: 5_000, maxSample: 10_000_000, taken: false },
  { sample: 10_001, aggrs: 3, minSample: 5_000, maxSample: 10_000, taken: false },
  { sample: 5_000, aggrs: 3, minSample: 5_000, maxSample: 4_000, taken: false },
  { sample: 4_999, aggrs: 0, minSample: 5_000, maxSample: 4_000, taken: true },
] as const;

/** 1.1: a change 5 samples into an aggregation, to one twice as long. */
export const CHANGE_WITHIN_AGGREGATION = {
  passed: 5,
  aggr: 200_000,
  before: { nr: 7, last: 10, age: 4 },
  after: { nrAccesses: 0, lastNrAccesses: 20, nrAccessesBp: 200_000, age: 2 },
  nextAggregation: 5 + 40,
  nextOpsUpdate: 5 + 12_000,
} as const;

/** 1.4: ages before and after the merge pass. */
export const AGES = [
  { age: 5, nr: 10, last: 7, threshold: 2, after: 0 },
  { age: 5, nr: 10, last: 8, threshold: 2, after: 6 },
  { age: 5, nr: 0, last: 1, threshold: 2, after: 0 },
  { age: 5, nr: 1, last: 0, threshold: 2, after: 0 },
  { age: 5, nr: 0, last: 0, threshold: 0, after: 6 },
] as const;

/** 1.6: the size limit of older kernels: no rounding, and the smallest region at least. */
export const SIZE_LIMITS_BEFORE_71 = [
  { size: 10, minSize: 1, minNr: 3, limit: 3 },
  { size: 10, minSize: 2, minNr: 3, limit: 3 },
  { size: 10, minSize: 4, minNr: 10, limit: 4 },
] as const;

/** 1.7: where a region of 1000 can be cut. */
export const CUTS = { size: 1_000, at: [100, 200, 300, 400, 500, 600, 700, 800, 900] } as const;

/** 11.1 "new region" and "reset aggregated". */
export const NEW_REGION = { range: [1, 2] satisfies Pair, nr: 0, age: 0 } as const;
export const RESET_AGGREGATED = {
  regions: [
    [100, 200],
    [200, 300],
    [400, 500],
  ] satisfies Pair[],
  nrs: [20, 30, 40],
} as const;

/** 1.1, 11.1: attributes that are set, and whether they are taken. */
export const SET_ATTRS = [
  { sample: 5_000, aggr: 100_000, min: 10, max: 1_000, taken: true },
  { sample: 5_000, aggr: 100_000, min: 1, max: 1_000, taken: false },
  { sample: 5_000, aggr: 100_000, min: 2, max: 1_000, taken: false },
  { sample: 5_000, aggr: 100_000, min: 10, max: 9, taken: false },
  { sample: 5_000, aggr: 4_999, min: 10, max: 1_000, taken: false },
] as const;

/** 11.1: min_region_sz at commit. */
export const MIN_REGION_SIZES = [
  { size: 4_096, taken: true },
  { size: 4_095, taken: false },
] as const;

/** 11.1 "nr_accesses to bp": the interval ratio is kept in 32 bits. */
export const ACCESSES_TO_BP_OVERFLOW = { nr: 123, sample: 10, aggr: 10 * 2 ** 32, bp: 0 } as const;

/** 11.1 update_monitoring_result: one region, three changes in a row, all from the same old attributes. */
export const UPDATE_RESULT = {
  from: { sample: 10, aggr: 1_000 },
  start: { nr: 15, age: 20 },
  steps: [
    { sample: 100, aggr: 10_000, nr: 15, age: 2 },
    { sample: 1, aggr: 1_000, nr: 150, age: 2 },
    { sample: 1, aggr: 100, nr: 150, age: 20 },
  ],
} as const;

/** 1.3, 11.1: the moving sum. */
export const MOVING_SUM = {
  start: 50_000,
  last: 50_000,
  window: 10,
  added: [10_000, 0, 10_000, 0, 0, 0, 10_000, 0, 0, 0],
  sums: [55_000, 50_000, 55_000, 50_000, 45_000, 40_000, 45_000, 40_000, 35_000, 30_000],
} as const;

/** 11.1 split_at. */
export const SPLIT_AT = { region: [0, 100], at: 25, nr: 42, last: 15, bp: 420_000, age: 10 } as const;

/** 11.1 merge_two. */
export const MERGE_TWO = {
  left: { range: [0, 100], nr: 10, age: 9 },
  right: { range: [100, 300], nr: 20, age: 21 },
  merged: { range: [0, 300], nr: 16, bp: 160_000, age: 17 },
} as const;

/** 11.1 merge_regions_of. */
export const MERGE_REGIONS_OF = {
  threshold: 9,
  limit: 9_999,
  starts: [0, 100, 114, 122, 130, 156, 170, 184, 230],
  ends: [100, 112, 122, 130, 156, 170, 184, 230, 10_170],
  nrs: [0, 0, 10, 10, 20, 30, 1, 2, 5],
  merged: [
    [0, 112],
    [114, 130],
    [130, 156],
    [156, 170],
    [170, 230],
    [230, 10_170],
  ] satisfies Pair[],
} as const;

/** 11.1 split_regions_of: the most regions there may be. */
export const SPLIT_REGIONS_OF = [
  { regions: [[0, 22]] satisfies Pair[], pieces: 2, minSize: 1, most: 2 },
  { regions: [[0, 220]] satisfies Pair[], pieces: 4, minSize: 1, most: 4 },
  {
    regions: [
      [0, 220],
      [300, 400],
      [500, 700],
    ] satisfies Pair[],
    pieces: 4,
    minSize: 5,
    most: 12,
  },
] as const;

/** 11.1 and 11.2: regions fitted to new ranges. */
const EIGHT = [
  [10, 20],
  [20, 30],
  [50, 55],
  [55, 57],
  [57, 59],
  [70, 80],
  [80, 90],
  [90, 100],
] satisfies Pair[];
export const SET_REGIONS: readonly { regions: Pair[]; ranges: Pair[]; result: Pair[] }[] = [
  {
    regions: [
      [4, 16],
      [24, 32],
    ],
    ranges: [[8, 28]],
    result: [
      [8, 16],
      [16, 24],
      [24, 28],
    ],
  },
  {
    regions: EIGHT,
    ranges: [
      [5, 27],
      [45, 55],
      [73, 104],
    ],
    result: [
      [5, 20],
      [20, 27],
      [45, 55],
      [73, 80],
      [80, 90],
      [90, 104],
    ],
  },
  {
    regions: EIGHT,
    ranges: [
      [5, 27],
      [56, 57],
      [65, 104],
    ],
    result: [
      [5, 20],
      [20, 27],
      [56, 57],
      [65, 80],
      [80, 90],
      [90, 104],
    ],
  },
  {
    regions: EIGHT,
    ranges: [
      [5, 27],
      [61, 63],
      [65, 104],
    ],
    result: [
      [5, 20],
      [20, 27],
      [61, 63],
      [65, 80],
      [80, 90],
      [90, 104],
    ],
  },
  {
    regions: EIGHT,
    ranges: [
      [5, 7],
      [30, 32],
      [65, 68],
    ],
    result: [
      [5, 7],
      [30, 32],
      [65, 68],
    ],
  },
];

/** 11.1 "commit target regions": regions that run, those committed, and what runs then. No regions say nothing. */
export const COMMIT_TARGET_REGIONS: readonly { regions: Pair[]; source: Pair[]; result: Pair[] }[] = [
  {
    regions: [
      [3, 8],
      [8, 10],
    ],
    source: [[4, 6]],
    result: [[4, 6]],
  },
  {
    regions: [
      [3, 8],
      [8, 10],
    ],
    source: [],
    result: [
      [3, 8],
      [8, 10],
    ],
  },
];

/** 11.2: VMAs and the three ranges they make. */
export const THREE_REGIONS = {
  vmas: [
    [10, 20],
    [20, 25],
    [200, 210],
    [210, 220],
    [300, 305],
    [307, 330],
  ] satisfies Pair[],
  result: [
    [10, 25],
    [200, 220],
    [300, 330],
  ] satisfies Pair[],
} as const;

/** 1.8: holes of one size; the earlier ones count. */
export const EQUAL_HOLES = {
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

/** 10 #4, 1.8: too few holes. */
export const TOO_FEW_HOLES: readonly Pair[][] = [
  [],
  [[10, 20]],
  [
    [10, 20],
    [20, 30],
    [40, 50],
  ],
];

/** 11.2 evenly split; no result: refused. */
export const EVENLY_SPLIT: readonly { range: Pair; pieces: number; result?: Pair[] }[] = [
  { range: [0, 100], pieces: 0 },
  { range: [0, 100], pieces: 10, result: Array.from({ length: 10 }, (_, i): Pair => [i * 10, i * 10 + 10]) },
  {
    range: [5, 59],
    pieces: 5,
    result: [
      [5, 15],
      [15, 25],
      [25, 35],
      [35, 45],
      [45, 59],
    ],
  },
  { range: [4, 6], pieces: 1, result: [[4, 6]] },
  {
    range: [0, 3],
    pieces: 2,
    result: [
      [0, 1],
      [1, 3],
    ],
  },
  { range: [5, 6], pieces: 2 },
];

/** 1.6, 11.1 apply min regions. */
export const APPLY_MIN_REGIONS = [
  { size: 10, minSize: 1, minNr: 10, limit: 1, count: 10 },
  { size: 10, minSize: 1, minNr: 15, limit: 1, count: 10 },
  { size: 10, minSize: 2, minNr: 2, limit: 6, count: 2 },
  { size: 10, minSize: 2, minNr: 10, limit: 2, count: 5 },
] as const;

/** 1.9: observed share of accesses under a goal of 4 %, and what the intervals are multiplied by. */
export const INTERVALS_TUNING = {
  goalBp: 400,
  factors: [
    { observedPercent: 0, factor: 2 },
    { observedPercent: 1, factor: 1.75 },
    { observedPercent: 2, factor: 1.5 },
    { observedPercent: 4, factor: 1 },
    { observedPercent: 5, factor: 0.875 },
    { observedPercent: 6, factor: 0.75 },
    { observedPercent: 8, factor: 0.5 },
    { observedPercent: 50, factor: 0.5 },
  ],
} as const;

/** 1.10, granularity of accessed bits: pages that look used when one page of 2 MiB is. */
export const ACCESS_GRANULARITY = [
  { mapping: 'pages', seen: 1 },
  // Mapped by entries: each page has a bit of its own, and the folio's idle flag stays set unless others clear it.
  { mapping: 'mthp', seen: 1 },
  { mapping: 'pmd', seen: 512 },
  { mapping: 'split-pmd', seen: 1 },
] as const;
