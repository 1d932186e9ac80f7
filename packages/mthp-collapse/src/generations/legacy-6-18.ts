import { SINGLE_ATTEMPT_EFFECTS } from '../classification.js';
import { plainNoneLimit, plainScanNoneLimit, pmdOnlySharedLimit, pmdOnlySwapLimit } from '../limits.js';
import { LEGACY_MADVISE } from '../madvise-results.js';
import { LEGACY_RESULTS } from '../result-numbering.js';
import { SCAN } from '../results.js';
import type { Generation } from './generation.js';

/** Linux 6.18: the PMD order only, one attempt per table (khugepaged spec 15.8, 23.4). */
export const legacy618: Generation = {
  name: 'v6.18',
  summary: 'Linux 6.18: PMD order only, one attempt per table',
  results: LEGACY_RESULTS,

  minOrder: 'pmd',
  madviseOrders: 'pmdOnly',

  scanCheckOrder: 'swapFirst',
  uffdRule: 'inlineScan',
  scanNoneLimit: plainScanNoneLimit,
  lazyfreeRule: false,
  writableRequired: false,
  legacyPmdResults: true,
  pmdMigrationIsMapped: true,

  noneLimit: plainNoneLimit,
  swapLimit: pmdOnlySwapLimit,
  sharedLimit: pmdOnlySharedLimit,
  warnsOnOtherNone: false,
  chunkOrder: 0,
  chunkRule: 'entry',
  greedyAlways: false,
  pmdOnlyUnconditional: false,
  // There is no second test after the scan; counting swapped entries makes the walk's test equal to the scan's.
  unmappedCountsAsOccupied: true,
  passVmaToNoneHelper: false,
  noneSettingReadTwice: false,
  walk: 'single',
  pushesHalvesAlways: false,
  effects: SINGLE_ATTEMPT_EFFECTS,
  resultRule: 'own',

  installLock: 'mmapWriteClearPmd',
  anonVmaHeldForMthp: false,
  pmdReinstallBeforePtes: false,
  installWriteDirtyRule: 'alwaysDirty',
  deferredQueueMthp: false,
  memcgDeferredList: false,
  refusedLimitRunsCleanup: false,
  refusedResult: SCAN.FAIL,
  lockContract: 'flag',
  swapsInBelowPmd: false,
  perOrderStats: 'none',
  traceOrder: false,

  progressModel: 'perRange',
  advancesOnDisabled: false,
  traceMmScan: false,
  enterFlagFirst: true,
  enterEligibilityFirst: false,
  tvaBitTest: false,
  hints: false,
  madvise: LEGACY_MADVISE,
};
