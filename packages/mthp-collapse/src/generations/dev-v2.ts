import { pmdOnlySharedLimit, pmdOnlySwapLimit, strictScaledNoneLimit } from '../limits.js';
import { devV1 } from './dev-v1.js';
import type { Generation } from './generation.js';

/**
 * Dev Jain's v2 of 11 February 2025 (khugepaged spec 15.4): as v1 with mmap_lock for writing, and below the PMD order nothing
 * but all or nothing: max_ptes_none 0 or the ceiling, no swapped and no shared entries. Only its cover and that policy were
 * found; steps that they do not speak of are v1's, and the anon_vma lock is kept as later series learned to.
 */
export const devV2: Generation = {
  ...devV1,
  name: 'dev-v2',
  summary: 'Dev Jain v2 (February 2025): as his v1, mTHP only at max_ptes_none 0 or the ceiling',

  noneLimit: strictScaledNoneLimit,
  swapLimit: pmdOnlySwapLimit,
  sharedLimit: pmdOnlySharedLimit,

  installLock: 'mmapWriteClearPmd',
  anonVmaHeldForMthp: true,
  deferredQueueMthp: false,
  swapsInBelowPmd: false,
};
