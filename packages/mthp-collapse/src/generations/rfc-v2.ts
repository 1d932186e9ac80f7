import { UNCLASSIFIED_EFFECTS } from '../classification.js';
import { refusedBelowPmdSharedLimit, refusedBelowPmdSwapLimit, scaledNoneLimit, unlimitedScanNone } from '../limits.js';
import { LEGACY_MADVISE } from '../madvise-results.js';
import { LEGACY_RESULTS_WITH_PAGE_RO } from '../result-numbering.js';
import { SCAN } from '../results.js';
import type { Generation } from './generation.js';

/** Nico Pache's RFC v2 of 11 February 2025 on the tree of its time (khugepaged spec 15.2). */
export const rfcV2: Generation = {
  name: 'rfc-v2',
  summary: 'Nico Pache RFC v2 (February 2025): chunks of 8, greedy where an order is set to always',
  results: LEGACY_RESULTS_WITH_PAGE_RO,

  minOrder: 3,
  madviseOrders: 'allAnon',

  scanCheckOrder: 'swapFirst',
  uffdRule: 'inlineScan',
  scanNoneLimit: unlimitedScanNone,
  lazyfreeRule: false,
  writableRequired: true,
  legacyPmdResults: true,
  pmdMigrationIsMapped: false,

  noneLimit: scaledNoneLimit,
  swapLimit: refusedBelowPmdSwapLimit,
  sharedLimit: refusedBelowPmdSharedLimit,
  warnsOnOtherNone: false,
  chunkOrder: 3,
  chunkRule: 'lastEntry',
  greedyAlways: true,
  pmdOnlyUnconditional: false,
  unmappedCountsAsOccupied: false,
  passVmaToNoneHelper: false,
  noneSettingReadTwice: false,
  walk: 'dfs',
  pushesHalvesAlways: true,
  effects: UNCLASSIFIED_EFFECTS,
  resultRule: 'okOrFail',

  installLock: 'mmapWriteClearPmd',
  anonVmaHeldForMthp: false,
  pmdReinstallBeforePtes: false,
  installWriteDirtyRule: 'alwaysDirty',
  deferredQueueMthp: true,
  memcgDeferredList: false,
  refusedLimitRunsCleanup: false,
  refusedResult: SCAN.FAIL,
  lockContract: 'flag',
  swapsInBelowPmd: false,
  perOrderStats: 'none',
  traceOrder: true,

  progressModel: 'perRange',
  advancesOnDisabled: false,
  traceMmScan: false,
  enterFlagFirst: true,
  enterEligibilityFirst: false,
  tvaBitTest: false,
  hints: false,
  madvise: LEGACY_MADVISE,
};
