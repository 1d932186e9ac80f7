import { V12_EFFECTS } from '../classification.js';
import {
  inlineScanNoneLimit,
  refusedBelowPmdSharedLimit,
  refusedBelowPmdSwapLimit,
  strictBeforeUffdNoneLimit,
} from '../limits.js';
import { SCAN } from '../results.js';
import type { Generation } from './generation.js';
import { v17 } from './v17.js';

/**
 * Nico Pache's v15 of 25 February 2026 (khugepaged spec 15.6): as v17, with the userfaultfd test inside the scan, a
 * limit that reads its setting twice, and a flag for the state of mmap_lock.
 */
export const v15: Generation = {
  ...v17,
  name: 'v15',
  summary: 'Nico Pache v15 (February 2026): depth first, max_ptes_none 0 or the ceiling, else the table is left',
  results: v17.results.filter((result) => result !== SCAN.INVALID_PTES_NONE),
  uffdRule: 'inlineScan',
  scanNoneLimit: inlineScanNoneLimit,
  noneLimit: strictBeforeUffdNoneLimit,
  swapLimit: refusedBelowPmdSwapLimit,
  sharedLimit: refusedBelowPmdSharedLimit,
  noneSettingReadTwice: true,
  effects: V12_EFFECTS,
  refusedResult: SCAN.FAIL,
  lockContract: 'flag',
  perOrderStats: 'attempt',
  enterEligibilityFirst: false,
};
