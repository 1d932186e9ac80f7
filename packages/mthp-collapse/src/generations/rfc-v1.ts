import { percentOfChunks } from '../chunks.js';
import { percentNoneLimit } from '../limits.js';
import type { Generation } from './generation.js';
import { rfcV2 } from './rfc-v2.js';

/**
 * Nico Pache's RFC v1 of 8 January 2025 (khugepaged spec 15.2): as RFC v2, with a bit for each chunk that is wholly in use,
 * and a threshold in percent. Only its prose is public: the arithmetic of the threshold (`requiredChunks`) and of the limit
 * that goes with it (`noneLimit`) are recollected, so they are plug-ins: `{ ...rfcV1, requiredChunks: mine }`. That it was not
 * greedy yet is our reading.
 */
export const rfcV1: Generation = {
  ...rfcV2,
  name: 'rfc-v1',
  summary: 'Nico Pache RFC v1 (January 2025): full chunks of 8 against a percentage (arithmetic recollected)',
  noneLimit: percentNoneLimit,
  chunkRule: 'full',
  requiredChunks: percentOfChunks,
  greedyAlways: false,
};
