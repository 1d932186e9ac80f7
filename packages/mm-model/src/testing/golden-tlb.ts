/**
 * Golden data of TLBs (DAMON spec 2.1); `row` is the section with the name that the row has there. Tests read the numbers
 * from here.
 */

/** Reach: entries of the last level, times the size of a page. */
export const TLB_REACH = [
  { row: '2.1 reach Kunpeng 920, 4K', core: 'kunpeng920', entries: 2_048, pageKiB: 4, reachMiB: 8 },
  { row: '2.1 reach Kunpeng 920, 16K', core: 'kunpeng920', entries: 2_048, pageKiB: 16, reachMiB: 32 },
  { row: '2.1 reach Kunpeng 920, 64K', core: 'kunpeng920', entries: 2_048, pageKiB: 64, reachMiB: 128 },
  { row: '2.1 reach Kunpeng 920, 2M', core: 'kunpeng920', entries: 2_048, pageKiB: 2_048, reachMiB: 4_096 },
  { row: '2.1 reach Graviton3 / Altra, 4K', core: 'neoverse', entries: 2_048, pageKiB: 4, reachMiB: 8 },
  { row: '2.1 reach Graviton3 / Altra, 2M', core: 'neoverse', entries: 2_048, pageKiB: 2_048, reachMiB: 4_096 },
  { row: '2.1 reach Skylake, 4K', core: 'skylake', entries: 1_536, pageKiB: 4, reachMiB: 6 },
  { row: '2.1 reach Skylake, 2M', core: 'skylake', entries: 1_536, pageKiB: 2_048, reachMiB: 3_072 },
  { row: '2.1 reach Zen4, 4K', core: 'zen4', entries: 3_072, pageKiB: 4, reachMiB: 12 },
  { row: '2.1 reach Zen4, 2M', core: 'zen4', entries: 3_072, pageKiB: 2_048, reachMiB: 6_144 },
] as const;

/** Entries of the first level. */
export const TLB_FIRST_LEVEL = [{ row: '2.1 L1D of Kunpeng 920', core: 'kunpeng920', entries: 48 }] as const;

/** The analytic form: chance that a sampling interval sees an access, by accesses a second; samples of 20 at the highest. */
export const ANALYTIC = {
  capacity: 2_048,
  intervalSeconds: 0.005,
  accessesPerSecond: [1e5, 1e6, 1e7],
  samples: 20,
  rows: [
    { row: '2.1 16 MiB in THP', entries: 8, seen: [0, 0, 0], samples: 0 },
    { row: '2.1 256 MiB in THP', entries: 128, seen: [0, 0, 0], samples: 0 },
    { row: '2.1 4 GiB in THP', entries: 2_048, seen: [0, 0, 0], samples: 0 },
    { row: '2.1 4.49 GiB in THP', entries: 2_300, seen: [0.024, 0.212, 0.908], samples: 18.2 },
    { row: '2.1 8 GiB in THP', entries: 4_096, seen: [0.059, 0.457, 0.998], samples: 20 },
    { row: '2.1 16 GiB in THP', entries: 8_192, seen: [0.045, 0.367, 0.99], samples: 19.8 },
    { row: '2.1 256 MiB in 16K mTHP', entries: 16_384, seen: [0.026, 0.234, 0.931], samples: 18.6 },
    { row: '2.1 512 MiB in 4K', entries: 131_072, seen: [0.004, 0.037, 0.313], samples: 6.3 },
  ],
} as const;

/** A cyclic sweep under LRU: share of accesses that miss. */
export const CYCLIC_SWEEP = {
  row: '2.1 cyclic sweep under LRU',
  capacity: 2_048,
  entries: [2_047, 2_048, 2_049, 100_000],
  misses: [0, 0, 1, 1],
  /** The same entry by entry, with a small TLB. */
  exact: { capacity: 64, entries: [63, 64, 65, 200], misses: [0, 0, 1, 1] },
} as const;

/** Pages used at random through a TLB of 2048 entries: the exact form misses as 1 - C/N, this far off at most. */
export const RANDOM_USE = [
  { row: '2.1 random use, LRU', pages: 1_024, replacement: 'lru', miss: 0, off: 0.02 },
  { row: '2.1 random use, LRU', pages: 3_000, replacement: 'lru', miss: 1 - 2_048 / 3_000, off: 0.02 },
  { row: '2.1 random use, LRU', pages: 12_000, replacement: 'lru', miss: 1 - 2_048 / 12_000, off: 0.02 },
  {
    row: '2.1 random use, random replacement',
    pages: 3_000,
    replacement: 'random',
    miss: 1 - 2_048 / 3_000,
    off: 0.02,
  },
] as const;

/** An access to a page: what is known of it before, what the access comes to, and its bits afterwards. */
export const TLB_ACCESSES = [
  {
    row: '2.1 miss',
    cached: false,
    young: false,
    dirty: false,
    write: false,
    result: 'walk',
    after: { young: true, dirty: false },
  },
  {
    row: '2.1 miss, store',
    cached: false,
    young: false,
    dirty: false,
    write: true,
    result: 'walk',
    after: { young: true, dirty: true },
  },
  {
    row: '2.1 hit',
    cached: true,
    young: false,
    dirty: true,
    write: false,
    result: 'hit',
    after: { young: false, dirty: true },
  },
  {
    row: '2.1 hit, store',
    cached: true,
    young: false,
    dirty: true,
    write: true,
    result: 'hit',
    after: { young: false, dirty: true },
  },
  {
    row: '2.1 store that hits a clean entry',
    cached: true,
    young: false,
    dirty: false,
    write: true,
    result: 'walk',
    after: { young: true, dirty: true },
  },
] as const;

/** What happens to a page that the TLB knows, and what the next access comes to. */
export const TLB_INVALIDATION = [
  { row: '2.1 munmap', operation: 'munmap', next: 'fault' },
  { row: '2.1 mprotect', operation: 'mprotect', next: 'walk' },
  { row: '2.1 migration', operation: 'migration', next: 'walk' },
  { row: '2.1 split', operation: 'split', next: 'walk' },
  { row: '2.1 swap-out', operation: 'swap-out', next: 'fault' },
  { row: '2.1 explicit flush', operation: 'explicit flush', next: 'walk' },
  { row: '2.1 clearing the accessed bit', operation: 'clear', next: 'hit' },
] as const;

/** A switch to another process and back, by how many address spaces a processor keeps apart. */
export const CONTEXT_SWITCH = [
  { row: '2.1 context switch without ASID', asids: 0, next: 'walk' },
  { row: '2.1 context switch, too few ASIDs', asids: 1, next: 'walk' },
  { row: '2.1 context switch with ASIDs', asids: 2, next: 'hit' },
] as const;
