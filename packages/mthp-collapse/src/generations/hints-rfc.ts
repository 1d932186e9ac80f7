import type { Generation } from './generation.js';
import { merged } from './merged.js';

/**
 * Luka Bai's framework for collapse hints of 31 May 2026, laid over the merged code (khugepaged spec 17). It was posted on
 * the v18-time tree; what it adds, a queue that khugepaged serves before its round, is the same on both.
 */
export const hintsRfc: Generation = {
  ...merged,
  name: 'hints-rfc',
  summary: 'Luka Bai, RFC (May 2026): merged, with a queue of collapse hints that is served before the round',
  hints: true,
};
