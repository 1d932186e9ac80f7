/**
 * Golden data of filters (DAMON spec 3.7, and 10 #8 to #10). Pages are counted from the start of a block of 2 MiB; memory of
 * the cases: 512 base pages, then one huge page, all of a process, and 16 pages of a file that nobody maps. See golden.ts.
 */

type Pair = readonly [start: number, end: number];

const PAGE = 4_096;
const HUGE = 2 ** 21;

/** A core filter; an address range in pages, first and one past the last. */
export type CoreFilterData = { readonly matching: boolean; readonly allow: boolean } & (
  | { readonly type: 'addr'; readonly pages: Pair }
  | { readonly type: 'target'; readonly index: number }
);
export type OpsFilterData = { readonly matching: boolean; readonly allow: boolean } & (
  | { readonly type: 'anon' | 'active' | 'unmapped' | 'young' }
  | { readonly type: 'hugepage_size'; readonly min: number; readonly max: number }
);

const ANON = { type: 'anon', matching: true } as const;
const UNMAPPED = { type: 'unmapped', matching: true } as const;
const SIZE_2M = { type: 'hugepage_size', matching: true, min: HUGE, max: HUGE } as const;

/** 3.7: the scheme is stat on the process's memory as one region; bytes tried and bytes that passed in one round. */
export const FILTER_CASES: readonly {
  readonly row: string;
  readonly core?: readonly CoreFilterData[];
  readonly ops?: readonly OpsFilterData[];
  readonly tried: number;
  readonly passed: number;
}[] = [
  {
    row: '10 #8',
    core: [{ type: 'addr', matching: true, allow: true, pages: [2_048, 4_096] }],
    tried: 0,
    passed: 0,
  },
  { row: '10 #9', core: [{ type: 'addr', matching: true, allow: false, pages: [0, 1_024] }], tried: 0, passed: 0 },
  {
    row: '10 #10',
    ops: [
      { ...ANON, allow: false },
      { ...UNMAPPED, allow: true },
    ],
    tried: 2 * HUGE,
    passed: 0,
  },
  {
    row: '3.7 the first that fires decides',
    ops: [
      { ...SIZE_2M, allow: true },
      { ...ANON, allow: false },
    ],
    tried: 2 * HUGE,
    passed: HUGE,
  },
  {
    row: '3.7 later filters are not evaluated',
    ops: [
      { ...ANON, allow: false },
      { ...SIZE_2M, allow: true },
    ],
    tried: 2 * HUGE,
    passed: 0,
  },
  {
    row: '3.7 matching N',
    ops: [{ type: 'hugepage_size', matching: false, allow: false, min: HUGE, max: HUGE }],
    tried: 2 * HUGE,
    passed: HUGE,
  },
  {
    row: '3.7 a core filter that allows skips the ops filters',
    core: [{ type: 'target', matching: true, allow: true, index: 0 }],
    ops: [{ ...ANON, allow: false }],
    tried: 2 * HUGE,
    passed: 2 * HUGE,
  },
  {
    row: '3.7 the final word is of the ops filters',
    core: [{ type: 'addr', matching: true, allow: true, pages: [128, 384] }],
    ops: [{ ...SIZE_2M, allow: true }],
    tried: 2 * HUGE,
    passed: HUGE + 256 * PAGE,
  },
  {
    row: '3.7 rejected by the core is not tried',
    core: [{ type: 'addr', matching: true, allow: true, pages: [128, 384] }],
    tried: 256 * PAGE,
    passed: 0,
  },
  {
    row: '3.7 rejected by the core is not tried',
    core: [{ type: 'addr', matching: true, allow: false, pages: [128, 384] }],
    ops: [{ ...ANON, allow: true }],
    tried: 768 * PAGE,
    passed: 768 * PAGE,
  },
  {
    row: '3.7 rejected by ops filters is tried',
    ops: [{ ...SIZE_2M, allow: false }],
    tried: 2 * HUGE,
    passed: HUGE,
  },
  { row: '3.7 target', core: [{ type: 'target', matching: true, allow: false, index: 0 }], tried: 0, passed: 0 },
  { row: '3.7 target', core: [{ type: 'target', matching: true, allow: false, index: 1 }], tried: 2 * HUGE, passed: 0 },
  {
    row: '3.7 target',
    core: [{ type: 'target', matching: false, allow: false, index: 0 }],
    tried: 2 * HUGE,
    passed: 0,
  },
  {
    row: '3.7 hugepage_size',
    ops: [{ type: 'hugepage_size', matching: true, allow: true, min: PAGE, max: HUGE }],
    tried: 2 * HUGE,
    passed: 2 * HUGE,
  },
  {
    row: '3.7 hugepage_size',
    ops: [{ type: 'hugepage_size', matching: true, allow: true, min: PAGE + 1, max: HUGE - 1 }],
    tried: 2 * HUGE,
    passed: 0,
  },
  { row: '3.7 hugepage_size', ops: [{ ...SIZE_2M, allow: true }], tried: 2 * HUGE, passed: HUGE },
  { row: '3.7 anon', ops: [{ ...ANON, allow: true }], tried: 2 * HUGE, passed: 2 * HUGE },
  { row: '3.7 active', ops: [{ type: 'active', matching: true, allow: true }], tried: 2 * HUGE, passed: 0 },
  { row: '3.7 unmapped', ops: [{ ...UNMAPPED, allow: true }], tried: 2 * HUGE, passed: 0 },
];

/** 3.7: the same on physical memory, all of it as one region; bytes that passed in one round. */
export const PHYSICAL_FILTER_CASES: readonly {
  readonly row: string;
  readonly ops: readonly OpsFilterData[];
  readonly passed: number;
}[] = [
  { row: '3.7 anon', ops: [{ ...ANON, allow: true }], passed: 2 * HUGE },
  { row: '3.7 anon', ops: [{ ...ANON, allow: false }], passed: 16 * PAGE },
  { row: '3.7 active', ops: [{ type: 'active', matching: true, allow: true }], passed: 0 },
  { row: '3.7 unmapped', ops: [{ ...UNMAPPED, allow: true }], passed: 16 * PAGE },
  { row: '3.7 hugepage_size', ops: [{ ...SIZE_2M, allow: true }], passed: HUGE },
  { row: '3.7 hugepage_size', ops: [{ ...SIZE_2M, allow: false }], passed: HUGE + 16 * PAGE },
];

/** 3.7: what a filter that rejects young folios lets pass, first and when it has aged them all. */
export const YOUNG_FILTER = {
  row: '3.7 young',
  ops: [{ type: 'young', matching: true, allow: false }],
  firstPassesLess: 2 * HUGE,
  secondPasses: 2 * HUGE,
} as const;

/** 3.7: an ops filter that lets nothing pass; advice of madvise does not ask it, stat and migration do. */
export const OPS_FILTERS_BY_ACTION = [
  { row: '3.7 madvise actions ignore ops filters', action: 'cold', applied: 2 * HUGE, passed: 0 },
  { row: '3.7 madvise actions ignore ops filters', action: 'hugepage', applied: 2 * HUGE, passed: 0 },
  { row: '3.7 migration asks ops filters', action: 'migrate_cold', applied: 0, passed: 0 },
] as const;

/** 3.7: what is done with memory that no filter speaks about. Filters by their `allow`. */
export const DEFAULT_REJECT = [
  { row: '3.7 default: none, none', core: [], ops: [], coreReject: false, opsReject: false },
  { row: '3.7 default: ends with allow, none', core: [true], ops: [], coreReject: true, opsReject: false },
  { row: '3.7 default: ends with allow, none', core: [false, true], ops: [], coreReject: true, opsReject: false },
  { row: '3.7 default: ends with reject, none', core: [false], ops: [], coreReject: false, opsReject: false },
  { row: '3.7 default: ends with reject, none', core: [true, false], ops: [], coreReject: false, opsReject: false },
  { row: '3.7 default: ends with reject, allow', core: [false], ops: [true], coreReject: false, opsReject: true },
  { row: '3.7 default: ends with allow, allow', core: [true], ops: [true], coreReject: false, opsReject: true },
  { row: '3.7 default: none, allow', core: [], ops: [true], coreReject: false, opsReject: true },
] as const;

/** 11.1: an address filter [2, 6), matching, reject; `parts`: what is left of the region. */
export const ADDR_FILTER = {
  range: [2, 6],
  cases: [
    { row: '11.1 addr filter 3-5', region: [3, 5], matched: true, parts: [[3, 5]] },
    { row: '11.1 addr filter 1-2', region: [1, 2], matched: false, parts: [[1, 2]] },
    { row: '11.1 addr filter 6-8', region: [6, 8], matched: false, parts: [[6, 8]] },
    {
      row: '11.1 addr filter 1-4',
      region: [1, 4],
      matched: false,
      parts: [
        [1, 2],
        [2, 4],
      ],
    },
    {
      row: '11.1 addr filter 2-8',
      region: [2, 8],
      matched: true,
      parts: [
        [2, 6],
        [6, 8],
      ],
    },
  ] satisfies { row: string; region: Pair; matched: boolean; parts: Pair[] }[],
} as const;

/** 3.7: bounds of an address filter are aligned down to the smallest region. */
export const ADDR_FILTER_BOUNDS = [
  { row: '3.7 addr bounds aligned down', minSize: 10, range: [19, 39], region: [10, 30], matched: true },
  { row: '3.7 addr bounds aligned down', minSize: 10, range: [19, 39], region: [30, 40], matched: false },
  { row: '3.7 addr bounds aligned down', minSize: 10, range: [21, 29], region: [20, 30], matched: false },
] as const;

/** 3.4, 3.7: a filter that lets [30, 60) of [0, 100) pass: what is tried, and the regions afterwards. */
export const ADDR_FILTER_ROUND = {
  row: '3.7 addr cuts',
  region: [0, 100],
  range: [30, 60],
  nrTried: 1,
  szTried: 30,
  after: {
    'v6.18': [
      [0, 30],
      [30, 60],
      [60, 100],
    ],
    'mm-2026': [[0, 100]],
  },
} as const;

/** 3.7: filters written to the three directories, and the order they are installed in, core layer and ops layer. */
export const INSTALLATION_ORDER = {
  row: '3.7 installation order',
  written: [
    { directory: 'filters', type: 'young' },
    { directory: 'filters', type: 'addr' },
    { directory: 'ops_filters', type: 'anon' },
    { directory: 'core_filters', type: 'target' },
  ],
  core: ['target', 'addr'],
  ops: ['anon', 'young'],
} as const;

/** What no filter may be. */
export const REFUSED_FILTERS = [
  { row: '3.7 addr ends before it starts', core: { type: 'addr', matching: true, allow: true, pages: [2, 1] } },
  { row: '3.7 hugepage_size ends before it starts', ops: { ...SIZE_2M, allow: true, min: 2, max: 1 } },
] as const;
