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
  // 11.1 "commit target regions": the source's ranges replace the destination's.
  {
    regions: [
      [3, 8],
      [8, 10],
    ],
    ranges: [[4, 6]],
    result: [[4, 6]],
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
