/**
 * The queue of collapse hints in the arena (khugepaged spec 17.1): hints, the two requests of every registered address
 * space, and the two lists that the requests stand on.
 *
 *     hintLevel[priority] -> hintRequest (one per registered mm) -> hint, hint, ...   first in, first out
 *
 * A request needs no pool of its own: it is row 2 * slot + priority and lives as long as the slot. All of it belongs to
 * khugepaged_mm_lock, except hints that are on no list yet or no more.
 */

/** Priorities; 0 is the higher (`NR_KHUGEPAGED_PRIORITY_LEVEL`). */
export const HINT_PRIORITIES = 2;

/** One row per hint: a VMA, without a reference on it, and a PMD range. */
export const HINT_TABLE = {
  doc: 'Collapse hints: ranges that somebody wants to be looked at first',
  rows: 'hints',
  pooled: true,
  columns: {
    vma: { type: 'u32', doc: 'the VMA as it was when the hint was made; it may be gone, or another one by now' },
    births: { type: 'u32', doc: 'how often that row had been a VMA then (not in the kernel; for policies that ask)' },
    block: { type: 'u32', doc: 'number of the PMD range: its first page divided by the pages of a table' },
    request: { type: 'u32', doc: 'request whose list it is on' },
    next: { type: 'u32', doc: 'next hint of the request' },
    prev: { type: 'u32', doc: 'previous hint of the request' },
    bucketNext: { type: 'u32', doc: 'next hint with the same hash (only where duplicates are looked for)' },
    addedNs: { type: 'f64', doc: 'when it was made (not in the kernel; for policies that let hints grow old)' },
  },
} as const;

/** Hints of one address space at one priority. */
export const HINT_REQUEST_TABLE = {
  doc: 'Requests for collapse: one per registered address space and priority',
  rows: 'hintRequests',
  pooled: false,
  columns: {
    first: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'its oldest hint' },
    last: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'its newest hint' },
    next: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'next request of the priority' },
    prev: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'previous request of the priority' },
    count: {
      type: 'u32',
      guard: 'khugepaged_mm_lock',
      doc: 'its hints (not in the kernel; for policies with a bound)',
    },
    linked: { type: 'u8', guard: 'khugepaged_mm_lock', doc: '1: it stands on the list of its priority' },
    passedOver: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'number of the drain that leaves it out' },
  },
} as const;

/** One row per priority. */
export const HINT_LEVEL_TABLE = {
  doc: 'Priorities of collapse hints',
  rows: 'hintLevels',
  pooled: false,
  columns: {
    first: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'first request' },
    last: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'last request' },
    queued: { type: 'u32', doc: 'hints that were put on a list (not in the kernel; for reports)' },
    taken: { type: 'u32', doc: 'hints that a drain took off (not in the kernel; for reports)' },
    discarded: { type: 'u32', doc: 'hints that left in another way: exit, too old, too many (not in the kernel)' },
    drains: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'row 0: drains so far (not in the kernel)' },
  },
} as const;

/** Buckets in which duplicates are looked for, where the policy does. */
export const HINT_BUCKET_TABLE = {
  doc: 'Hints by address space and range',
  rows: 'hintBuckets',
  pooled: false,
  columns: { first: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'first hint of the bucket' } },
} as const;

/** The tables' type. */
export type HintTables = {
  readonly hint: typeof HINT_TABLE;
  readonly hintRequest: typeof HINT_REQUEST_TABLE;
  readonly hintLevel: typeof HINT_LEVEL_TABLE;
  readonly hintBucket: typeof HINT_BUCKET_TABLE;
};

/** The tables of the queue; part of KHUGEPAGED_TABLES. */
export const HINT_TABLES: HintTables = {
  hint: HINT_TABLE,
  hintRequest: HINT_REQUEST_TABLE,
  hintLevel: HINT_LEVEL_TABLE,
  hintBucket: HINT_BUCKET_TABLE,
};

/** Sizes of the tables. */
export interface HintSizes {
  readonly hints: number;
  readonly hintRequests: number;
  readonly hintLevels: number;
  readonly hintBuckets: number;
}

/** Sizes for so many slots of address spaces, and hints waiting at once. */
export function hintSizes(mmSlots: number, hints: number): HintSizes {
  return {
    hints,
    hintRequests: HINT_PRIORITIES * (mmSlots + 1),
    hintLevels: HINT_PRIORITIES,
    hintBuckets: 2 ** Math.ceil(Math.log2(Math.max(2, hints))),
  };
}
