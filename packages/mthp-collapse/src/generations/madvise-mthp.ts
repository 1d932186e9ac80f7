import { bestEffortNoneLimit } from '../limits.js';
import type { Generation } from './generation.js';
import { merged } from './merged.js';

/**
 * A what-if policy of ours, not a kernel: merged, and where MADV_COLLAPSE cannot have a huge page it goes down the orders that
 * sysfs allows khugepaged in the VMA, as suggested in the review of 2 July 2026 (khugepaged spec 13.3). The call answers as
 * before: 0 only if every PMD range is huge now.
 */
export const madviseMthp: Generation = {
  ...merged,
  name: 'madvise-mthp',
  summary: 'What if: merged, and MADV_COLLAPSE goes down the enabled orders where the PMD order fails',
  madviseOrders: 'pmdThenEnabled',
  noneLimit: bestEffortNoneLimit,
};
