import { MERGED_EFFECTS } from '../classification.js';
import { allOrNothingNoneLimit, helperScanNoneLimit, pmdOnlySharedLimit, pmdOnlySwapLimit } from '../limits.js';
import { MERGED_MADVISE } from '../madvise-results.js';
import { MIN_MTHP_ORDER } from '../orders.js';
import { MERGED_RESULTS } from '../result-numbering.js';
import { SCAN } from '../results.js';
import type { Generation } from './generation.js';

/** Nico Pache's v19 as merged in mid 2026, with the fix-ups of July (khugepaged spec 7 to 11, 15.7). */
export const merged: Generation = {
  name: 'merged',
  summary: 'Nico Pache v19 as merged (July 2026): forward walk, all or nothing below the PMD order',
  results: MERGED_RESULTS,

  minOrder: MIN_MTHP_ORDER,
  madviseOrders: 'pmdOnly',

  scanCheckOrder: 'noneFirst',
  uffdRule: 'helper',
  scanNoneLimit: helperScanNoneLimit,
  lazyfreeRule: true,
  writableRequired: false,
  legacyPmdResults: false,
  pmdMigrationIsMapped: true,

  noneLimit: allOrNothingNoneLimit,
  swapLimit: pmdOnlySwapLimit,
  sharedLimit: pmdOnlySharedLimit,
  warnsOnOtherNone: true,
  chunkOrder: 0,
  chunkRule: 'entry',
  greedyAlways: false,
  pmdOnlyUnconditional: false,
  unmappedCountsAsOccupied: true,
  passVmaToNoneHelper: false,
  noneSettingReadTwice: false,
  walk: 'forward',
  pushesHalvesAlways: false,
  effects: MERGED_EFFECTS,
  resultRule: 'okAllocLast',

  installLock: 'mmapWriteClearPmd',
  anonVmaHeldForMthp: true,
  pmdReinstallBeforePtes: true,
  installWriteDirtyRule: 'followsVma',
  deferredQueueMthp: false,
  memcgDeferredList: true,
  refusedLimitRunsCleanup: false,
  refusedResult: SCAN.FAIL,
  lockContract: 'enterUnlocked',
  swapsInBelowPmd: false,
  perOrderStats: 'attemptAndScan',
  traceOrder: true,

  progressModel: 'perPte',
  advancesOnDisabled: true,
  traceMmScan: true,
  enterFlagFirst: false,
  enterEligibilityFirst: false,
  tvaBitTest: false,
  hints: false,
  madvise: MERGED_MADVISE,
  collapsesPmdFolioFiles: true,
};
