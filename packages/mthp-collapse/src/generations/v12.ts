import { V12_EFFECTS } from '../classification.js';
import {
  cappedScaledNoneLimit,
  inlineScanNoneLimit,
  refusedBelowPmdSharedLimit,
  refusedBelowPmdSwapLimit,
} from '../limits.js';
import { LEGACY_MADVISE } from '../madvise-results.js';
import { MIN_MTHP_ORDER } from '../orders.js';
import { LEGACY_RESULTS } from '../result-numbering.js';
import { SCAN } from '../results.js';
import type { Generation } from './generation.js';

/** Nico Pache's v12 of October 2025, all 15 patches, on the tree of its time (khugepaged spec 15.5, 23.2 to 23.4). */
export const v12: Generation = {
  name: 'v12',
  summary: 'Nico Pache v12 (October 2025): depth first, limit scaled with the order and capped below half',
  results: LEGACY_RESULTS,

  minOrder: MIN_MTHP_ORDER,
  madviseOrders: 'pmdOnly',

  scanCheckOrder: 'swapFirst',
  uffdRule: 'inlineScan',
  scanNoneLimit: inlineScanNoneLimit,
  lazyfreeRule: false,
  writableRequired: false,
  legacyPmdResults: true,
  pmdMigrationIsMapped: true,

  noneLimit: cappedScaledNoneLimit,
  swapLimit: refusedBelowPmdSwapLimit,
  sharedLimit: refusedBelowPmdSharedLimit,
  warnsOnOtherNone: false,
  chunkOrder: 0,
  chunkRule: 'entry',
  greedyAlways: false,
  pmdOnlyUnconditional: false,
  unmappedCountsAsOccupied: false,
  passVmaToNoneHelper: false,
  noneSettingReadTwice: false,
  walk: 'dfs',
  pushesHalvesAlways: true,
  effects: V12_EFFECTS,
  resultRule: 'okOrFail',

  installLock: 'mmapWriteClearPmd',
  anonVmaHeldForMthp: true,
  pmdReinstallBeforePtes: false,
  installWriteDirtyRule: 'alwaysDirty',
  deferredQueueMthp: false,
  memcgDeferredList: false,
  refusedLimitRunsCleanup: false,
  refusedResult: SCAN.FAIL,
  lockContract: 'flag',
  swapsInBelowPmd: false,
  perOrderStats: 'attempt',
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
