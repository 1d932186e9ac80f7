/**
 * Golden data of DAMON spec 4.1, 4.3, 4.4: what collapse does to the memory of a process, and what it says it did. Pages are
 * counted from the start of a block of 2 MiB. See golden.ts.
 */
import type { DamosActionName } from '../schemes/scheme.js';

export const HUGE = 2 ** 21;
const PAGE = 4_096;

/** From a page on, so many pages. */
export type Pages = readonly [first: number, pages: number];

/** Memory of a process, and one action on it. */
export interface ActionCase {
  readonly row: string;
  readonly says: string;
  readonly profile: 'mm-2026' | 'damon-rfc' | 'damon-reviewed';
  /** `transparent_hugepage`, default `madvise`. */
  readonly thp?: 'never';
  /** Which kernel's MADV_COLLAPSE, default the present one's. */
  readonly generation?: 'legacy-6.18';
  readonly vmas: readonly Pages[];
  /**
   * What is mapped; a folio of order 9 is mapped by its PMD. Default order 0: base pages. `faulted`: by faults just now, so
   * that pages are still on their way to the LRU.
   */
  readonly mapped: readonly { readonly pages: Pages; readonly order?: number; readonly faulted?: true }[];
  /** Memory that is advised against huge pages first. */
  readonly nohugepage?: Pages;
  /** A page that is pinned. */
  readonly pinned?: number;
  readonly action: DamosActionName;
  readonly targetOrder?: number;
  readonly regions: readonly Pages[];
  /** The only memory that an address filter lets pass. */
  readonly filter?: Pages;
  /** The smallest region, pages; default: so large that no region is cut. */
  readonly minRegion?: number;
  /** Default 1. */
  readonly rounds?: number;
  /** Counters afterwards. */
  readonly stats: {
    readonly nrTried?: number;
    readonly szTried?: number;
    readonly nrApplied: number;
    readonly szApplied: number;
    readonly szOpsFilterPassed?: number;
  };
  /** Anonymous folios afterwards, by order from 2 on; an order that is not named has none. */
  readonly folios: Readonly<Record<number, number>>;
}

const TWO_BLOCKS_OF_PAGES = { vmas: [[0, 1_024]], mapped: [{ pages: [0, 1_024] }] } as const;

/** 4.1: collapse as MADV_COLLAPSE does it, all or nothing. */
export const COLLAPSE_CASES: readonly ActionCase[] = [
  {
    row: '4.1 switch and max_ptes_none do not count',
    says: 'huge pages although none are enabled, of one page and of 512',
    profile: 'mm-2026',
    thp: 'never',
    vmas: [[0, 1_024]],
    mapped: [{ pages: [0, 1] }, { pages: [512, 512] }],
    action: 'collapse',
    regions: [[0, 1_024]],
    stats: { nrTried: 1, szTried: 2 * HUGE, nrApplied: 1, szApplied: 2 * HUGE, szOpsFilterPassed: 0 },
    folios: { 9: 2 },
  },
  {
    row: '4.1 blocks that are huge already count',
    says: 'one of three blocks is left to do, and all count',
    profile: 'mm-2026',
    vmas: [[0, 1_536]],
    mapped: [{ pages: [0, 1_024], order: 9 }, { pages: [1_024, 512] }],
    action: 'collapse',
    regions: [[0, 1_536]],
    stats: { nrApplied: 1, szApplied: 3 * HUGE },
    folios: { 9: 3 },
  },
  {
    row: '4.1 range shrunk inward',
    says: 'of four blocks touched the two whole ones are collapsed, and the whole length counts',
    profile: 'mm-2026',
    vmas: [[0, 2_048]],
    mapped: [{ pages: [0, 2_048] }],
    action: 'collapse',
    regions: [[1, 2_046]],
    stats: { nrApplied: 1, szApplied: 2_046 * PAGE },
    folios: { 9: 2 },
  },
  {
    row: '4.1 VM_NOHUGEPAGE',
    says: 'memory advised against huge pages has none',
    profile: 'mm-2026',
    ...TWO_BLOCKS_OF_PAGES,
    nohugepage: [0, 1_024],
    action: 'collapse',
    regions: [[0, 1_024]],
    stats: { nrTried: 1, nrApplied: 0, szApplied: 0 },
    folios: {},
  },
  {
    row: '4.1 PMD order only',
    says: 'aligned 64 KiB do not become a folio of 64 KiB',
    profile: 'mm-2026',
    generation: 'legacy-6.18',
    ...TWO_BLOCKS_OF_PAGES,
    action: 'collapse',
    regions: [[16, 16]],
    stats: { nrTried: 1, nrApplied: 0, szApplied: 0 },
    folios: {},
  },
  {
    row: '4.1 no whole block',
    says: 'a region on both sides of a boundary, with no whole block, counts as applied and changes nothing',
    profile: 'mm-2026',
    generation: 'legacy-6.18',
    ...TWO_BLOCKS_OF_PAGES,
    action: 'collapse',
    regions: [[256, 512]],
    stats: { nrTried: 1, szTried: HUGE, nrApplied: 1, szApplied: HUGE },
    folios: {},
  },
  {
    row: '4.1 inside a block',
    says: 'a region strictly inside a block is invalid, and applies nothing',
    profile: 'mm-2026',
    generation: 'legacy-6.18',
    ...TWO_BLOCKS_OF_PAGES,
    action: 'collapse',
    regions: [[16, 256]],
    stats: { nrTried: 1, szTried: 256 * PAGE, nrApplied: 0, szApplied: 0 },
    folios: {},
  },
  {
    row: '4.1 one failing block',
    says: 'one pinned page: nothing is applied although the blocks before and behind it are huge',
    profile: 'mm-2026',
    vmas: [[0, 1_536]],
    mapped: [{ pages: [0, 1_536] }],
    pinned: 600,
    action: 'collapse',
    regions: [[0, 1_536]],
    stats: { nrTried: 1, szTried: 3 * HUGE, nrApplied: 0, szApplied: 0 },
    folios: { 9: 2 },
  },
  {
    row: '10 #13',
    says: 'collapse over a hole applies nothing, but huge pages appear',
    profile: 'mm-2026',
    vmas: [
      [0, 512],
      [1_024, 512],
    ],
    mapped: [{ pages: [0, 512] }, { pages: [1_024, 512] }],
    action: 'collapse',
    regions: [[0, 1_536]],
    stats: { nrTried: 1, szTried: 3 * HUGE, nrApplied: 0, szApplied: 0 },
    folios: { 9: 2 },
  },
];

/** 4.1: what MADV_COLLAPSE of one block answers. */
export const COLLAPSE_ERRORS = [
  { row: '4.1 allocation failure', obstacle: 'no huge page', errno: 'ENOMEM' },
  { row: '4.1 memcg charge failure', obstacle: 'memcg full', errno: 'EBUSY' },
  { row: '4.1 transient page state', obstacle: 'pinned page', errno: 'EAGAIN' },
  { row: '4.1 other failures', obstacle: 'no page table', errno: 'EINVAL' },
] as const;

/** 4.3 and 4.4: collapse with a target_order. */
export const COLLAPSE_ORDER_CASES: readonly ActionCase[] = [
  {
    row: '4.3 collapse to the PMD order',
    says: 'each block by itself, aligned outwards; all count as passed',
    profile: 'damon-rfc',
    vmas: [[0, 1_536]],
    mapped: [{ pages: [0, 1_536] }],
    pinned: 600,
    action: 'collapse',
    targetOrder: 9,
    regions: [[1, 1_534]],
    stats: { nrApplied: 1, szApplied: 2 * HUGE, szOpsFilterPassed: 3 * HUGE },
    folios: { 9: 2 },
  },
  {
    row: '4.3 collapse of what is huge',
    says: 'a second round applies the same: blocks that a PMD maps count',
    profile: 'damon-rfc',
    vmas: [[0, 1_536]],
    mapped: [{ pages: [0, 1_024] }, { pages: [1_024, 512], order: 9 }],
    action: 'collapse',
    targetOrder: 9,
    regions: [[0, 1_536]],
    rounds: 2,
    stats: { nrTried: 2, nrApplied: 2, szApplied: 6 * HUGE, szOpsFilterPassed: 6 * HUGE },
    folios: { 9: 3 },
  },
  {
    row: '4.3 collapse overrides max_ptes_none',
    says: 'one page is enough for a huge one, and THP=never does not count',
    profile: 'damon-rfc',
    thp: 'never',
    vmas: [[0, 512]],
    mapped: [{ pages: [7, 1] }],
    action: 'collapse',
    targetOrder: 9,
    regions: [[0, 512]],
    stats: { nrApplied: 1, szApplied: HUGE, szOpsFilterPassed: HUGE },
    folios: { 9: 1 },
  },
  {
    row: '4.3 collapse drains the LRU batches',
    says: 'pages that faults have just made are no obstacle',
    profile: 'damon-rfc',
    thp: 'never',
    vmas: [[0, 512]],
    mapped: [{ pages: [0, 20], faulted: true }],
    action: 'collapse',
    targetOrder: 9,
    regions: [[0, 512]],
    stats: { nrApplied: 1, szApplied: HUGE, szOpsFilterPassed: HUGE },
    folios: { 9: 1 },
  },
  {
    row: '4.3 collapse with order 0',
    says: 'the plain madvise: all or nothing, and nothing passes filters',
    profile: 'damon-rfc',
    vmas: [[0, 1_536]],
    mapped: [{ pages: [0, 1_536] }],
    pinned: 600,
    action: 'collapse',
    targetOrder: 0,
    regions: [[0, 1_536]],
    stats: { nrApplied: 0, szApplied: 0, szOpsFilterPassed: 0 },
    folios: { 9: 2 },
  },
  {
    row: '4.4 collapse to mTHP orders',
    says: 'as the reviewers asked for: folios of that order, and windows without a page are left alone',
    profile: 'damon-reviewed',
    vmas: [[0, 1_024]],
    mapped: [{ pages: [0, 512] }],
    action: 'collapse',
    targetOrder: 4,
    regions: [[0, 1_024]],
    stats: { nrApplied: 1, szApplied: HUGE, szOpsFilterPassed: 2 * HUGE },
    folios: { 4: 32 },
  },
];

/** 4.1: what the auto-tuning module asks for; the goal's own metric is not modelled. Bytes of its first window. */
export const MODULE_SCHEME = {
  row: '4.1 auto-tuning module',
  minSize: HUGE,
  minAge: 50,
  quota: { ms: 10, bytes: 128 * 2 ** 20, resetIntervalMs: 1_000, goalTuner: 'temporal' },
  weights: { size: 0, nrAccesses: 1, age: 1 },
  goalBp: 1_000,
  firstWindow: 40 * 2 ** 20,
} as const;
