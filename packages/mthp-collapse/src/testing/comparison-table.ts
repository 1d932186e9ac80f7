/**
 * The comparison of generations as data (khugepaged spec 15.1): a row per property, a cell per generation, in the spec's words cut
 * short. Tests read it and hold the behaviour of the model against each cell; a cell is never read by the model itself.
 *
 * Where the spec marks a cell as uncertain, the cell is what we decided on (docs/deviations.md).
 */
export const COMPARED = [
  'v6.13',
  'v6.18',
  'rfc-v1',
  'rfc-v2',
  'v4',
  'dev-v1',
  'dev-v2',
  'v12',
  'v15',
  'v17',
  'v18',
  'merged',
] as const;

export type Compared = (typeof COMPARED)[number];

/** A cell for each generation. */
export type Row<Cell> = Readonly<Record<Compared, Cell>>;

function row<Cell>(legacy: Cell, cells: readonly Cell[]): Row<Cell> {
  const names = COMPARED.slice(2);
  if (cells.length !== names.length) throw new RangeError(`a row has ${cells.length} cells; there are ${names.length}`);
  const pairs = names.map((name, i) => [name, cells[i] as Cell] as const);
  return { 'v6.13': legacy, 'v6.18': legacy, ...Object.fromEntries(pairs) } as Row<Cell>;
}

//                                                    rfc-v1     rfc-v2     v4         dev-v1     dev-v2     v12        v15        v17        v18        merged

/** Year and month. */
export const DATE: Row<string> = {
  ...row('', [
    '2025-01',
    '2025-02',
    '2025-04',
    '2024-12',
    '2025-02',
    '2025-10',
    '2026-02',
    '2026-05',
    '2026-05',
    '2026-06',
  ]),
  'v6.13': '2025-01',
  'v6.18': '2025-11',
};

/** Entries that one bit stands for; 0: no bitmap, each window is scanned. */
export const BITMAP_UNIT: Row<number> = row(1, [8, 8, 4, 0, 0, 1, 1, 1, 1, 1]);

export const MIN_ORDER: Row<number> = row(9, [3, 3, 2, 2, 2, 2, 2, 2, 2, 2]);

export const SELECTION: Row<'single' | 'dfs' | 'linear' | 'forward'> = row<'single' | 'dfs' | 'linear' | 'forward'>(
  'single',
  ['dfs', 'dfs', 'dfs', 'linear', 'linear', 'dfs', 'dfs', 'dfs', 'dfs', 'forward'],
);

/** Limit of empty entries below the PMD order, of M at order o in a table of 2^P entries; `refused`: the setting has no meaning. */
export type NoneRule = (max: number, order: number, pmdOrder: number) => number | 'refused';

const scaled: NoneRule = (max, order, pmd) => max >> (pmd - order);
const percent: NoneRule = (max, order, pmd) => {
  const share = Math.floor(((2 ** pmd - 1 - max) * 100) / (2 ** pmd - 1));
  return 2 ** order - Math.floor((share * 2 ** order) / 100);
};
const capped: NoneRule = (max, order, pmd) => Math.min(max, 2 ** (pmd - 1) - 1) >> (pmd - order);
const allOr = (other: number | 'refused'): NoneRule => {
  return (max, order, pmd) => (max === 0 ? 0 : max === 2 ** pmd - 1 ? 2 ** order - 1 : other);
};
const strictScaled: NoneRule = (max, order, pmd) =>
  max === 0 || max === 2 ** pmd - 1 ? scaled(max, order, pmd) : 'refused';

/** null: there is nothing below the PMD order. */
export const NONE_LIMIT: Row<NoneRule | null> = row<NoneRule | null>(null, [
  percent,
  scaled,
  scaled,
  scaled,
  strictScaled,
  capped,
  allOr('refused'),
  allOr('refused'),
  allOr(0),
  allOr(0),
]);

/** Swapped or shared entries that a window of order 4 may have, at max_ptes_swap 64 and max_ptes_shared 256. */
export const SWAP_SHARED_AT_4: Row<readonly [swap: number, shared: number] | null> = row<
  readonly [number, number] | null
>(null, [
  [0, 0],
  [0, 0],
  [0, 0],
  [2, 8],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
]);

/** Empty entries that the scan accepts where more than the PMD order is enabled; at max_ptes_none 64. */
export const SCAN_LIMIT: Row<'M' | 'unlimited' | 511 | 'perOrder'> = row<'M' | 'unlimited' | 511 | 'perOrder'>('M', [
  'unlimited',
  'unlimited',
  'unlimited',
  'perOrder',
  'perOrder',
  511,
  511,
  511,
  511,
  511,
]);

/** An order whose own file says `always` is attempted whatever its occupancy. */
export const GREEDY: Row<boolean> = row(false, [false, true, true, false, false, false, false, false, false, false]);

/** mmap_lock below the PMD order, and whether the anon_vma lock is kept until the table is back. */
export type InstallLock = 'write' | 'read, pte lock' | 'write, anon_vma held' | null;
export const INSTALL_LOCK: Row<InstallLock> = row<InstallLock>(null, [
  'write',
  'write',
  'write',
  'read, pte lock',
  'write, anon_vma held',
  'write, anon_vma held',
  'write, anon_vma held',
  'write, anon_vma held',
  'write, anon_vma held',
  'write, anon_vma held',
]);

/** The thread runs only while the PMD size is enabled. */
export const NEEDS_PMD: Row<boolean> = row(true, [true, false, false, false, false, false, false, false, false, false]);

/** Orders that MADV_COLLAPSE tries. */
export const MADVISE_ORDERS: Row<'9' | 'all'> = row<'9' | 'all'>('9', [
  'all',
  'all',
  'all',
  '9',
  '9',
  '9',
  '9',
  '9',
  '9',
  '9',
]);

/** Result of the table: after a success that a lock failure followed, and where every allocation failed. */
export const TABLE_RESULT: Row<readonly [partial: string, allAllocFail: string]> = row<readonly [string, string]>(
  ['PAGE_LOCK', 'ALLOC_HUGE_PAGE_FAIL'],
  [
    ['SUCCEED', 'FAIL'],
    ['SUCCEED', 'FAIL'],
    ['SUCCEED', 'FAIL'],
    ['PAGE_LOCK', 'ALLOC_HUGE_PAGE_FAIL'],
    ['PAGE_LOCK', 'ALLOC_HUGE_PAGE_FAIL'],
    ['SUCCEED', 'FAIL'],
    ['SUCCEED', 'FAIL'],
    ['SUCCEED', 'FAIL'],
    ['SUCCEED', 'FAIL'],
    ['SUCCEED', 'ALLOC_HUGE_PAGE_FAIL'],
  ],
);

/** What follows a result that speaks of the whole range, such as VMA_CHECK: smaller windows, or the end. */
export const AFTER_FATAL: Row<'down' | 'end'> = row<'down' | 'end'>('end', [
  'down',
  'down',
  'end',
  'down',
  'down',
  'end',
  'end',
  'end',
  'end',
  'end',
]);

/** max_ptes_none and the limits of orders 2 to 8 in v12 (khugepaged spec 15.5). */
export const V12_LIMITS: readonly (readonly [none: number, limits: readonly number[]])[] = [
  [0, [0, 0, 0, 0, 0, 0, 0]],
  [64, [0, 1, 2, 4, 8, 16, 32]],
  [128, [1, 2, 4, 8, 16, 32, 64]],
  [200, [1, 3, 6, 12, 25, 50, 100]],
  [255, [1, 3, 7, 15, 31, 63, 127]],
  [256, [1, 3, 7, 15, 31, 63, 127]],
  [511, [1, 3, 7, 15, 31, 63, 127]],
];

// What the trees under the proposals differ in (khugepaged spec 7.1, 15.7, 15.8, 23.2).

/** Where an armed userfaultfd forbids a hole while mTHP is enabled: the scan gives the table up, or isolate the one window. */
export const UFFD: Row<'scan' | 'isolate'> = row<'scan' | 'isolate'>('scan', [
  'scan',
  'scan',
  'scan',
  'scan',
  'scan',
  'scan',
  'scan',
  'isolate',
  'isolate',
  'isolate',
]);

/** Budget for a table whose first entry ends the scan. */
export const CHARGE: Row<1 | 512> = row<1 | 512>(512, [512, 512, 512, 512, 512, 512, 1, 1, 1, 1]);

/** A range without one writable entry is PAGE_RO. */
export const WRITABLE: Row<boolean> = {
  ...row(false, [true, true, true, true, true, false, false, false, false, false]),
  'v6.13': true,
};

/** khugepaged refuses lazily freed pages. */
export const LAZYFREE: Row<boolean> = row(false, [false, false, false, false, false, false, true, true, true, true]);

/** What is said of a range whose PMD is empty. */
export const NO_TABLE: Row<'PMD_NONE' | 'NO_PTE_TABLE'> = row<'PMD_NONE' | 'NO_PTE_TABLE'>('PMD_NONE', [
  'PMD_NONE',
  'PMD_NONE',
  'PMD_NONE',
  'PMD_NONE',
  'PMD_NONE',
  'PMD_NONE',
  'NO_PTE_TABLE',
  'NO_PTE_TABLE',
  'NO_PTE_TABLE',
  'NO_PTE_TABLE',
]);

/** Per-order statistics of order 4 after an attempt that a hole ended, and of order 9 after a scan that shared pages ended. */
export const STATS: Row<readonly [alloc: 0 | 1, exceedNone: 0 | 1, exceedSharedOfScan: 0 | 1]> = row<
  readonly [0 | 1, 0 | 1, 0 | 1]
>(
  [0, 0, 0],
  [
    [0, 0, 0],
    [0, 0, 0],
    [1, 1, 0],
    [1, 0, 0],
    [1, 0, 0],
    [1, 1, 0],
    [1, 1, 0],
    [1, 1, 1],
    [1, 1, 1],
    [1, 1, 1],
  ],
);
