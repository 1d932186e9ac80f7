/**
 * Golden vectors: numbers that the DAMON specification gives, one table per rule. Tests read them from the golden-*.ts files
 * and hold no numbers of their own; `row` is the section with the name or number that the row has there, and ledger.ts lists
 * all of them. This file has the kernel's unit tests as facts (DAMON spec 11.1, 11.2).
 */
import type { AddressRange } from '../monitor/regions.js';

type Pair = readonly [start: number, end: number];

/** Pairs as ranges. */
export function ranges(pairs: readonly Pair[]): AddressRange[] {
  return pairs.map(([start, end]) => ({ start, end }));
}

/** 11.1 "new region" and "reset aggregated". */
export const NEW_REGION = { row: '11.1 new region', range: [1, 2] satisfies Pair, nr: 0, age: 0 } as const;
export const RESET_AGGREGATED = {
  row: '11.1 reset aggregated',
  regions: [
    [100, 200],
    [200, 300],
    [400, 500],
  ] satisfies Pair[],
  nrs: [20, 30, 40],
} as const;

/** 11.1 "nr_accesses to bp": the interval ratio is kept in 32 bits. */
export const ACCESSES_TO_BP_OVERFLOW = {
  row: '11.1 nr_accesses to bp',
  nr: 123,
  sample: 10,
  aggr: 10 * 2 ** 32,
  bp: 0,
} as const;

/** 11.1 update_monitoring_result: one region, three changes in a row, all from the same old attributes. */
export const UPDATE_RESULT = {
  from: { sample: 10, aggr: 1_000 },
  start: { nr: 15, age: 20 },
  steps: [
    { row: '11.1 update_monitoring_result 100/10000', sample: 100, aggr: 10_000, nr: 15, age: 2 },
    { row: '11.1 update_monitoring_result 1/1000', sample: 1, aggr: 1_000, nr: 150, age: 2 },
    { row: '11.1 update_monitoring_result 1/100', sample: 1, aggr: 100, nr: 150, age: 20 },
  ],
} as const;

/** 1.3, 11.1: the moving sum. */
export const MOVING_SUM = {
  row: '11.1 moving sum',
  start: 50_000,
  last: 50_000,
  window: 10,
  added: [10_000, 0, 10_000, 0, 0, 0, 10_000, 0, 0, 0],
  sums: [55_000, 50_000, 55_000, 50_000, 45_000, 40_000, 45_000, 40_000, 35_000, 30_000],
} as const;

/** 11.1 split_at. */
export const SPLIT_AT = {
  row: '11.1 split_at',
  region: [0, 100],
  at: 25,
  nr: 42,
  last: 15,
  bp: 420_000,
  age: 10,
} as const;

/** 11.1 merge_two. */
export const MERGE_TWO = {
  row: '11.1 merge_two',
  left: { range: [0, 100], nr: 10, last: 3, age: 9 },
  right: { range: [100, 300], nr: 20, last: 7, age: 21 },
  merged: { range: [0, 300], nr: 16, last: 3, bp: 160_000, age: 17 },
} as const;

/** 11.1 merge_regions_of. */
export const MERGE_REGIONS_OF = {
  row: '11.1 merge_regions_of',
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
  { row: '11.1 split_regions_of [0,22)', regions: [[0, 22]] satisfies Pair[], pieces: 2, minSize: 1, most: 2 },
  { row: '11.1 split_regions_of [0,220)', regions: [[0, 220]] satisfies Pair[], pieces: 4, minSize: 1, most: 4 },
  {
    row: '11.1 split_regions_of three regions',
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
export const SET_REGIONS: readonly { row: string; regions: Pair[]; ranges: Pair[]; result: Pair[] }[] = [
  {
    row: '11.1 set_regions',
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
    row: '11.2 apply ranges 45-55',
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
    row: '11.2 apply ranges 56-57',
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
    row: '11.2 apply ranges 61-63',
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
    row: '11.2 apply ranges 30-32',
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
export const COMMIT_TARGET_REGIONS: readonly { row: string; regions: Pair[]; source: Pair[]; result: Pair[] }[] = [
  {
    row: '11.1 commit target regions',
    regions: [
      [3, 8],
      [8, 10],
    ],
    source: [[4, 6]],
    result: [[4, 6]],
  },
  {
    row: '11.1 commit target regions, empty source',
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
  row: '11.2 three regions',
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

/** 11.2 evenly split; no result: refused. */
export const EVENLY_SPLIT: readonly { row: string; range: Pair; pieces: number; result?: Pair[] }[] = [
  { row: '11.2 evenly split (0,100,0)', range: [0, 100], pieces: 0 },
  {
    row: '11.2 evenly split (0,100,10)',
    range: [0, 100],
    pieces: 10,
    result: Array.from({ length: 10 }, (_, i): Pair => [i * 10, i * 10 + 10]),
  },
  {
    row: '11.2 evenly split (5,59,5)',
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
  { row: '11.2 evenly split (4,6,1)', range: [4, 6], pieces: 1, result: [[4, 6]] },
  {
    row: '11.2 evenly split (0,3,2)',
    range: [0, 3],
    pieces: 2,
    result: [
      [0, 1],
      [1, 3],
    ],
  },
  { row: '11.2 evenly split (5,6,2)', range: [5, 6], pieces: 2 },
];

/** 1.6, 11.1 apply min regions. */
export const APPLY_MIN_REGIONS = [
  { row: '11.1 apply min regions (10,1,10)', size: 10, minSize: 1, minNr: 10, limit: 1, count: 10 },
  { row: '11.1 apply min regions (10,1,15)', size: 10, minSize: 1, minNr: 15, limit: 1, count: 10 },
  { row: '11.1 apply min regions (10,2,2)', size: 10, minSize: 2, minNr: 2, limit: 6, count: 2 },
  { row: '11.1 apply min regions (10,2,10)', size: 10, minSize: 2, minNr: 10, limit: 2, count: 5 },
] as const;
