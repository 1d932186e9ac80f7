import { strictNoneLimit } from '../limits.js';
import { MERGED_RESULTS } from '../result-numbering.js';
import { SCAN } from '../results.js';
import type { Generation } from './generation.js';
import { v18 } from './v18.js';

/**
 * Nico Pache's v17 of 11 May 2026 (khugepaged spec 15.7): as v18, but max_ptes_none must be 0 or the ceiling, else the
 * walk ends with what it has, and halves are visited although no lower order is enabled.
 */
export const v17: Generation = {
  ...v18,
  name: 'v17',
  summary: 'Nico Pache v17 (May 2026): depth first, max_ptes_none 0 or the ceiling, else no mTHP',
  results: [...MERGED_RESULTS, SCAN.INVALID_PTES_NONE],
  noneLimit: strictNoneLimit,
  pushesHalvesAlways: true,
  refusedResult: SCAN.INVALID_PTES_NONE,
  enterEligibilityFirst: true,
};
