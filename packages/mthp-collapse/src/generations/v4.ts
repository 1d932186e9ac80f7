import { V4_EFFECTS } from '../classification.js';
import { pmdOnlyScanNone } from '../limits.js';
import { MIN_MTHP_ORDER } from '../orders.js';
import type { Generation } from './generation.js';
import { rfcV2 } from './rfc-v2.js';

/**
 * Nico Pache's v4 of April 2025 (khugepaged spec 15.3): as RFC v2 with chunks of 4, whose bits are one chunk off, and
 * a first classification of results. The choice of stopping after LACK_REFERENCED_PAGE is v4's own.
 */
export const v4: Generation = {
  ...rfcV2,
  name: 'v4',
  summary: 'Nico Pache v4 (April 2025): chunks of 4 with bits one chunk off, first classification of results',
  minOrder: MIN_MTHP_ORDER,
  scanNoneLimit: pmdOnlyScanNone,
  chunkOrder: 2,
  chunkRule: 'precedingChunk',
  pmdOnlyUnconditional: true,
  effects: V4_EFFECTS,
  deferredQueueMthp: false,
  perOrderStats: 'attempt',
};
