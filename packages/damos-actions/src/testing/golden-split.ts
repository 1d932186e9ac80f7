/** Golden data of DAMON spec 4.3: what split does, its consequences, and target_order. See golden-collapse.ts. */
import { type ActionCase, HUGE } from './golden-collapse.js';

const PAGE = 4_096;
const ONE_BLOCK = { vmas: [[0, 512]], mapped: [{ pages: [0, 512], order: 9 }] } as const;

/** 4.3: split, and its consequences. */
export const SPLIT_CASES: readonly ActionCase[] = [
  {
    row: '4.3 (a)',
    says: 'of a region that is not aligned applies more than its size',
    profile: 'damon-rfc',
    vmas: [[0, 1_024]],
    mapped: [{ pages: [0, 1_024], order: 9 }],
    action: 'split',
    targetOrder: 2,
    regions: [[511, 2]],
    stats: { nrApplied: 1, szTried: 2 * PAGE, szApplied: 2 * HUGE, szOpsFilterPassed: 2 * HUGE },
    folios: { 2: 256 },
  },
  {
    row: '4.3 (b)',
    says: 'of two regions that share a huge page: the first splits, the second finds a small folio',
    profile: 'damon-rfc',
    ...ONE_BLOCK,
    action: 'split',
    targetOrder: 2,
    regions: [
      [0, 128],
      [256, 128],
    ],
    stats: { nrTried: 2, nrApplied: 1, szApplied: HUGE, szOpsFilterPassed: 2 * HUGE },
    folios: { 2: 128 },
  },
  {
    row: '4.3 (c)',
    says: 'folios at other offsets of the block stay, and the block counts in full although the folio was small',
    profile: 'damon-rfc',
    vmas: [[0, 512]],
    mapped: [
      { pages: [0, 16], order: 4 },
      { pages: [16, 16], order: 4 },
    ],
    action: 'split',
    targetOrder: 2,
    regions: [[0, 512]],
    stats: { nrApplied: 1, szApplied: HUGE },
    folios: { 4: 1, 2: 4 },
  },
  {
    row: '4.3 (d) start not mapped',
    says: 'a block whose start is not mapped is skipped',
    profile: 'damon-rfc',
    vmas: [[256, 256]],
    mapped: [{ pages: [256, 256], order: 8 }],
    action: 'split',
    targetOrder: 2,
    regions: [[256, 256]],
    stats: { nrTried: 1, nrApplied: 0, szApplied: 0, szOpsFilterPassed: HUGE },
    folios: { 8: 1 },
  },
  {
    row: '4.3 (d) start in another VMA',
    says: 'a block that starts in another VMA is skipped where that one has base pages',
    profile: 'damon-rfc',
    vmas: [[0, 512]],
    nohugepage: [0, 256],
    mapped: [{ pages: [0, 256] }, { pages: [256, 256], order: 8 }],
    action: 'split',
    targetOrder: 2,
    regions: [[256, 256]],
    stats: { nrTried: 1, nrApplied: 0, szApplied: 0, szOpsFilterPassed: HUGE },
    folios: { 8: 1 },
  },
  {
    row: '4.3 (e)',
    says: 'further rounds apply nothing, and go on trying',
    profile: 'damon-rfc',
    vmas: [[0, 1_024]],
    mapped: [{ pages: [0, 1_024], order: 9 }],
    action: 'split',
    targetOrder: 2,
    regions: [[0, 1_024]],
    rounds: 5,
    stats: { nrTried: 5, szTried: 10 * HUGE, nrApplied: 1, szApplied: 2 * HUGE, szOpsFilterPassed: 10 * HUGE },
    folios: { 2: 256 },
  },
  {
    row: '4.3 (f)',
    says: 'reaches beyond an address filter by 2 MiB - 4 KiB on each side',
    profile: 'damon-rfc',
    vmas: [[0, 1_536]],
    mapped: [{ pages: [0, 1_536], order: 9 }],
    action: 'split',
    targetOrder: 2,
    regions: [[0, 1_536]],
    filter: [511, 514],
    minRegion: 1,
    stats: { szTried: 514 * PAGE, nrApplied: 3, szApplied: 3 * HUGE },
    folios: { 2: 384 },
  },
  {
    row: '4.3 split to order 2 by default',
    says: 'target_order 0 is taken as 2 in RFC v2',
    profile: 'damon-rfc',
    ...ONE_BLOCK,
    action: 'split',
    targetOrder: 0,
    regions: [[0, 512]],
    stats: { nrApplied: 1, szApplied: HUGE },
    folios: { 2: 128 },
  },
  {
    row: '4.3 damos_split.py',
    says: 'target_order 0 of the version after RFC v2: 32 huge pages become base pages',
    profile: 'damon-reviewed',
    vmas: [[0, 16_384]],
    mapped: [{ pages: [0, 16_384], order: 9 }],
    action: 'split',
    targetOrder: 0,
    regions: [[0, 16_384]],
    stats: { nrApplied: 1, szApplied: 32 * HUGE },
    folios: {},
  },
  {
    row: '2.3 S4-anon',
    says: 'one of 128 huge pages, by an address filter; the others stay, and what the filter rejects is not tried',
    profile: 'damon-rfc',
    vmas: [[0, 65_536]],
    mapped: [{ pages: [0, 65_536], order: 9 }],
    action: 'split',
    targetOrder: 2,
    regions: [[0, 65_536]],
    filter: [32_768, 512],
    minRegion: 512,
    rounds: 5,
    stats: { nrTried: 5, szTried: 5 * HUGE, nrApplied: 1, szApplied: HUGE },
    folios: { 9: 127, 2: 128 },
  },
];

/** 2.3 VM: split to 16 KiB, and collapse back. */
export const SPLIT_AND_BACK = {
  row: '2.3 VM',
  blocks: 33,
  afterSplit: { 9: 0, 2: 4_224 },
  appliedBack: 69_206_016,
  afterCollapse: { 9: 33, 2: 0 },
} as const;

/** 4.3: blocks of 2 MiB that a range touches. */
export const BLOCKS_TOUCHED = [
  { row: '4.3 blocks of [0x200000,0x400000)', start: 0x200000, end: 0x400000, blocks: 1 },
  { row: '4.3 blocks of [0x1ff000,0x201000)', start: 0x1ff000, end: 0x201000, blocks: 2 },
  { row: '4.3 blocks of [0x200000,0x401000)', start: 0x200000, end: 0x401000, blocks: 2 },
  { row: '4.3 blocks of [0x280000,0x300000)', start: 0x280000, end: 0x300000, blocks: 1 },
] as const;

/** 4.3: what the file target_order takes; 10 #12. */
export const TARGET_ORDER_FILE = {
  row: '4.3 target_order file',
  mode: 0o600,
  shows: '0',
  writes: [
    { row: '4.3 target_order 0', value: 0, result: 'ok' },
    { row: '10 #12', value: 1, result: 'EINVAL' },
    { row: '4.3 target_order 2', value: 2, result: 'ok' },
    { row: '4.3 target_order 9', value: 9, result: 'ok' },
    { row: '4.3 target_order above 9', value: 10, result: 'EINVAL' },
    { row: '4.3 target_order above 9', value: 14, result: 'EINVAL' },
  ],
} as const;

/** 4.3: the order that a scheme is made with; `warned`: it is not the one that was given. */
export const TARGET_ORDERS = [
  {
    row: '4.3 collapse keeps 0 and the PMD order',
    profile: 'damon-rfc',
    action: 'collapse',
    given: 0,
    used: 0,
    warned: false,
  },
  {
    row: '4.3 collapse keeps 0 and the PMD order',
    profile: 'damon-rfc',
    action: 'collapse',
    given: 9,
    used: 9,
    warned: false,
  },
  {
    row: '4.3 collapse resets other orders',
    profile: 'damon-rfc',
    action: 'collapse',
    given: 2,
    used: 0,
    warned: true,
  },
  {
    row: '4.3 collapse resets other orders',
    profile: 'damon-rfc',
    action: 'collapse',
    given: 8,
    used: 0,
    warned: true,
  },
  {
    row: '4.4 collapse keeps all orders',
    profile: 'damon-reviewed',
    action: 'collapse',
    given: 4,
    used: 4,
    warned: false,
  },
  {
    row: '4.4 collapse keeps all orders',
    profile: 'damon-reviewed',
    action: 'collapse',
    given: 9,
    used: 9,
    warned: false,
  },
  {
    row: '4.3 split keeps orders below the PMD order',
    profile: 'damon-rfc',
    action: 'split',
    given: 2,
    used: 2,
    warned: false,
  },
  {
    row: '4.3 split keeps orders below the PMD order',
    profile: 'damon-rfc',
    action: 'split',
    given: 8,
    used: 8,
    warned: false,
  },
  { row: '4.3 split takes 2 for 0', profile: 'damon-rfc', action: 'split', given: 0, used: 2, warned: true },
  {
    row: '4.3 split takes 2 for the PMD order',
    profile: 'damon-rfc',
    action: 'split',
    given: 9,
    used: 2,
    warned: true,
  },
  { row: '4.3 split keeps 0 after v2', profile: 'damon-reviewed', action: 'split', given: 0, used: 0, warned: false },
] as const;

/** 4.3, 4.5: a huge page of one process that is passed over; `failed`: counted as thp_split_page_failed. */
export const SPLIT_ERRORS = [
  { row: '10 #11 locked', name: 'locked by somebody', flag: 'LOCKED', reference: false, order: 2, failed: 0 },
  { row: '10 #11 pinned', name: 'referenced by somebody', flag: undefined, reference: true, order: 2, failed: 1 },
  {
    row: '4.3 split under writeback',
    name: 'under writeback',
    flag: 'WRITEBACK',
    reference: false,
    order: 2,
    failed: 0,
  },
  {
    row: '4.3 split in the swap cache',
    name: 'in the swap cache, to an order above 0',
    flag: 'SWAPCACHE',
    reference: false,
    order: 2,
    failed: 0,
  },
] as const;

/** 4.3: what is at the start of a block and how much split says it applied. */
export const SPLIT_MEMORY = [
  { row: '4.3 split of tmpfs', memory: 'shmem, huge', applied: HUGE },
  { row: '4.3 split of a file', memory: 'file, huge', applied: HUGE },
  { row: '4.3 split of base pages', memory: 'shmem, base pages', applied: 0 },
  { row: '4.5 huge zero folio', memory: 'huge zero page', applied: 0 },
] as const;
