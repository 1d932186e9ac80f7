/** Golden data of quotas (DAMON spec 3.5, the charge of 3.4, 10 #5 and #6). Bytes, ms. See golden.ts. */
import type { QuotaGoalMetric } from '../schemes/scheme.js';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const NONE = Number.POSITIVE_INFINITY;

/**
 * Effective quotas, window by window. A step opens a window at `atMs`; before it, bytes are charged in the window that ends,
 * the action's total time is set, and the goal reads `current` of its 10000. `traced`: what damos_esz told, which is of
 * changes after the first window.
 */
export const EFFECTIVE_QUOTAS: readonly {
  readonly row: string;
  readonly quota: {
    readonly ms?: number;
    readonly bytes?: number;
    readonly goalTuner?: 'consist' | 'temporal';
    readonly hasGoal?: boolean;
  };
  readonly steps: readonly {
    readonly atMs: number;
    readonly charged?: number;
    readonly totalNs?: number;
    readonly current?: number;
    readonly esz: number;
  }[];
  readonly traced: readonly number[];
}[] = [
  {
    row: '3.5 esz 1: bytes alone',
    quota: { bytes: 5 * MIB },
    steps: [
      { atMs: 1_000, esz: 5 * MIB },
      { atMs: 2_000, charged: 5 * MIB, esz: 5 * MIB },
    ],
    traced: [],
  },
  {
    row: '3.5 esz 2: consist tuner',
    quota: { hasGoal: true },
    steps: [
      { atMs: 1_000, current: 0, esz: 2 },
      { atMs: 2_000, current: 0, esz: 4 },
      { atMs: 3_000, current: 0, esz: 8 },
      { atMs: 4_000, current: 10_000, esz: 8 },
      { atMs: 5_000, current: 15_000, esz: 4 },
      { atMs: 6_000, current: 20_000, esz: 1 },
      { atMs: 7_000, current: 20_000, esz: 1 },
    ],
    traced: [4, 8, 4, 1],
  },
  {
    row: '3.5 esz 2: temporal tuner',
    quota: { hasGoal: true, goalTuner: 'temporal', bytes: MIB },
    steps: [
      { atMs: 1_000, current: 9_999, esz: MIB },
      { atMs: 2_000, current: 10_000, esz: 0 },
      { atMs: 3_000, current: 9_999, esz: MIB },
    ],
    traced: [0, MIB],
  },
  {
    row: '3.5 esz 2: temporal tuner without bytes',
    quota: { hasGoal: true, goalTuner: 'temporal' },
    steps: [
      { atMs: 1_000, current: 9_999, esz: NONE },
      { atMs: 2_000, current: 10_001, esz: 0 },
    ],
    traced: [0],
  },
  {
    row: '3.5 esz 3: throughput',
    quota: { ms: 10 },
    steps: [
      // Before anything was charged: 4 MiB per ms.
      { atMs: 1_000, esz: 40 * MIB },
      // 8 MiB in 4 ms.
      { atMs: 2_000, charged: 8 * MIB, totalNs: 4_000_000, esz: 20 * MIB },
      // 12 MiB in 24 ms.
      { atMs: 3_000, charged: 4 * MIB, totalNs: 24_000_000, esz: 5 * MIB },
    ],
    traced: [20 * MIB, 5 * MIB],
  },
  {
    row: '3.5 esz 3: at least the smallest region',
    quota: { ms: 10 },
    steps: [
      { atMs: 1_000, esz: 40 * MIB },
      { atMs: 2_000, charged: 8 * MIB, totalNs: 1e18, esz: 4 * KIB },
    ],
    traced: [4 * KIB],
  },
  {
    row: '3.5 esz 3: the smaller of goals and time',
    quota: { ms: 1, hasGoal: true },
    steps: [
      { atMs: 1_000, current: 0, esz: 2 },
      { atMs: 2_000, current: 10_000, esz: 2 },
    ],
    traced: [],
  },
  {
    row: '3.5 esz 4: the smaller of bytes and time',
    quota: { ms: 10, bytes: MIB },
    steps: [
      { atMs: 1_000, esz: MIB },
      { atMs: 2_000, charged: KIB * 40, totalNs: 1_000_000, esz: 400 * KIB },
    ],
    traced: [400 * KIB],
  },
  {
    row: '3.5 esz 4: the smaller of bytes and goals',
    quota: { bytes: 5, hasGoal: true },
    steps: [
      { atMs: 1_000, current: 0, esz: 2 },
      { atMs: 2_000, current: 0, esz: 4 },
      { atMs: 3_000, current: 0, esz: 5 },
    ],
    traced: [4, 5],
  },
];

/** When a quota is full; the smallest region is 4 KiB. */
export const QUOTA_FULL = [
  { row: '3.5 full', profile: 'v6.18', esz: MIB, charged: MIB, full: true },
  { row: '3.5 full', profile: 'v6.18', esz: MIB, charged: MIB - 1, full: false },
  { row: '3.5 full', profile: 'v7.1', esz: MIB, charged: MIB - 1, full: false },
  { row: '3.5 full', profile: 'mm-2026', esz: MIB, charged: MIB, full: true },
  { row: '3.5 full NEW', profile: 'mm-2026', esz: MIB, charged: MIB - 1, full: true },
  { row: '3.5 full NEW', profile: 'mm-2026', esz: MIB, charged: MIB - 4 * KIB + 1, full: true },
  { row: '3.5 full NEW', profile: 'mm-2026', esz: MIB, charged: MIB - 4 * KIB, full: false },
] as const;

/** A goal that is met and the temporal tuner: the effective quota is 0. Bytes tried of 1 MiB in a round. */
export const QUOTA_SET = [
  { row: '3.5 quota set OLD', profile: 'v7.1', tried: MIB },
  { row: '3.5 quota set NEW', profile: 'mm-2026', tried: 0 },
] as const;

/** Windows: rounds at times, over regions of 3 MiB and 1 MiB, with a quota of 1 MiB; counters after each round. */
export const QUOTA_WINDOWS = [
  {
    row: '10 #6',
    resetMs: 0,
    rounds: [
      { atMs: 100, szTried: MIB, qtExceeds: 0 },
      { atMs: 200, szTried: 2 * MIB, qtExceeds: 1 },
      { atMs: 201, szTried: 3 * MIB, qtExceeds: 2 },
    ],
  },
  {
    row: '3.5 windows',
    resetMs: 1_000,
    rounds: [
      { atMs: 100, szTried: MIB, qtExceeds: 0 },
      { atMs: 200, szTried: MIB, qtExceeds: 0 },
      { atMs: 1_099, szTried: MIB, qtExceeds: 0 },
      { atMs: 1_100, szTried: 2 * MIB, qtExceeds: 1 },
      // Windows start when they are opened, not every second.
      { atMs: 2_500, szTried: 3 * MIB, qtExceeds: 2 },
      { atMs: 3_499, szTried: 3 * MIB, qtExceeds: 2 },
    ],
  },
] as const;

/** 10 #5: a quota below the smallest region. */
export const QUOTA_BELOW_REGION = [
  { row: '10 #5', profile: 'v6.18', bytes: 4_095, nrTried: 1, szTried: 0 },
  { row: '10 #5', profile: 'v7.1', bytes: 4_095, nrTried: 1, szTried: 0 },
  { row: '10 #5', profile: 'mm-2026', bytes: 4_095, nrTried: 0, szTried: 0 },
] as const;

/** The golden quota scenario: 2 MiB regions; rounds every 100 ms, windows of 1 s. */
export const QUOTA_SCENARIO = {
  row: '3.5 golden quota scenario',
  regions: 10,
  regionBytes: 2 * MIB,
  quotaBytes: 5 * MIB,
  resetMs: 1_000,
  roundMs: 100,
  firstRound: { nrTried: 3, szTried: 5 * MIB, resume: 5 * MIB },
  /** Where the kernel resumes one byte beyond the end: after the first round, and with a page lost at each of four resumptions. */
  beyondEnd: { first: 5 * MIB + 1, last: 5 * MIB + 16_385 },
  /** Bytes tried at the end of each window. */
  windows: [5 * MIB, 10 * MIB, 15 * MIB, 20 * MIB],
} as const;

/** The golden priority example: sizes by score, a quota, and the least score that it has room for. */
export const PRIORITY = {
  row: '3.5 golden priority example',
  sizes: [
    { score: 79, bytes: 4 * MIB },
    { score: 50, bytes: 8 * MIB },
    { score: 20, bytes: 16 * MIB },
  ],
  effectiveSize: 6 * MIB,
  minScore: 50,
} as const;

/** The same as a round of lru_deprio: regions in address order, whose coldness is that. */
export const PRIORITY_ROUND = {
  row: '3.5 golden priority example, a round',
  samples: 20,
  weights: { nrAccesses: 1, age: 1 },
  regions: [
    { bytes: 16 * MIB, nr: 20, age: 640, score: 20 },
    { bytes: 8 * MIB, nr: 10, age: 0, score: 50 },
    { bytes: 4 * MIB, nr: 0, age: 100, score: 79 },
  ],
  quotaBytes: 6 * MIB,
  minScore: 50,
  nrTried: 1,
  szTried: 6 * MIB,
  triedRange: [16 * MIB, 22 * MIB],
} as const;

/** The same regions; a core filter rejects the coldest, a quota has room for just that. Bytes tried of the others. */
export const PRIORITY_AND_FILTER = [
  { row: '3.5 cut-off OLD: core filters do not count', profile: 'v7.1', quotaBytes: 4 * MIB, minScore: 79, tried: 0 },
  { row: '3.5 cut-off NEW: core filters count', profile: 'mm-2026', quotaBytes: 4 * MIB, minScore: 50, tried: 4 * MIB },
] as const;

/** Charged for what failed. */
export const FAIL_CHARGE = [
  {
    row: '11.1 fail charge',
    size: 1_000 * MIB,
    applied: 700 * MIB,
    num: 1,
    denom: 1_024,
    charged: 700 * MIB + 300 * KIB,
  },
  {
    row: '3.4 fail charge without a rate',
    size: 1_000 * MIB,
    applied: 700 * MIB,
    num: 1,
    denom: 0,
    charged: 1_000 * MIB,
  },
  { row: '3.4 fail charge of more than tried', size: 4, applied: 5, num: 1, denom: 1_024, charged: 4 },
] as const;

/** Goals of a node of 1024 pages. */
export const NODE_GOALS: readonly {
  readonly row: string;
  readonly metric: QuotaGoalMetric;
  readonly nid: number;
  readonly freePages: number;
  readonly reads: number;
}[] = [
  { row: '3.5 node_mem_used_bp', metric: 'node_mem_used_bp', nid: 0, freePages: 768, reads: 2_500 },
  { row: '3.5 node_mem_free_bp', metric: 'node_mem_free_bp', nid: 0, freePages: 768, reads: 7_500 },
  { row: '3.5 node_mem_free_bp', metric: 'node_mem_free_bp', nid: 0, freePages: 1_023, reads: 9_990 },
  { row: '3.5 node_mem_used_bp, invalid node', metric: 'node_mem_used_bp', nid: 7, freePages: 768, reads: 0 },
  { row: '3.5 node_mem_free_bp, invalid node', metric: 'node_mem_free_bp', nid: 7, freePages: 768, reads: 10_000 },
];

/** Total stall time at each look, and what the goal reads. */
export const PSI_GOAL = {
  row: '3.5 some_mem_psi_us',
  totals: [700, 1_000, 1_000],
  reads: [700, 300, 0],
} as const;

/** Pages on the LRU lists, how many of them on the active one. */
export const LRU_GOALS = [
  { row: '3.5 inactive_mem_bp', metric: 'inactive_mem_bp', pages: 400, active: 0, reads: 10_000 },
  { row: '3.5 inactive_mem_bp', metric: 'inactive_mem_bp', pages: 400, active: 100, reads: 7_500 },
  { row: '3.5 active_mem_bp', metric: 'active_mem_bp', pages: 400, active: 100, reads: 2_500 },
] as const;

/**
 * Four quarters of a node by their samples; the scheme is for those with one at least, and a core filter rejects the first
 * eighth.
 */
export const ELIGIBLE_GOAL = {
  row: '3.5 node_eligible_mem_bp',
  nodePages: 1_024,
  nrs: [5, 0, 20, 0],
  least: 1,
  rejectedPages: 128,
  reads: 1_250 + 2_500,
} as const;

/** Goals as current and target value, and the score: the highest, without those whose target is 0. */
export const GOAL_SCORES = [
  { row: '3.5 user_input', goals: [[37, 100]], score: 3_700n },
  {
    row: '3.5 goal score',
    goals: [
      [50, 100],
      [3, 4],
      [9, 0],
    ],
    score: 7_500n,
  },
  { row: '3.5 goal score', goals: [[250, 100]], score: 25_000n },
  { row: '3.5 goal score', goals: [[9, 0]], score: 0n },
] as const;
