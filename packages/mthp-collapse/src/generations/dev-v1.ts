import { LINEAR_EFFECTS } from '../classification.js';
import { scaledNoneLimit, scaledSharedLimit, scaledSwapLimit } from '../limits.js';
import { MIN_MTHP_ORDER } from '../orders.js';
import { DEV_RESULTS } from '../result-numbering.js';
import type { Generation } from './generation.js';
import { legacy613 } from './legacy-6-13.js';

/**
 * Dev Jain's RFC v1 of 16 December 2024 on the tree of its time (khugepaged spec 15.4): each window is scanned with the legacy
 * rules, under three limits shifted down with its order, and installed under the PTE lock. What crashes or hangs a kernel
 * (B3, B4, B6, B13) is not part of it: those are switches for `thplab check`.
 */
export const devV1: Generation = {
  ...legacy613,
  name: 'dev-v1',
  summary: 'Dev Jain RFC v1 (December 2024): linear rescans at falling orders, all three limits scaled',
  results: DEV_RESULTS,

  minOrder: MIN_MTHP_ORDER,

  noneLimit: scaledNoneLimit,
  swapLimit: scaledSwapLimit,
  sharedLimit: scaledSharedLimit,
  walk: 'linearRescan',
  effects: LINEAR_EFFECTS,

  installLock: 'mmapReadPtl',
  deferredQueueMthp: true,
  swapsInBelowPmd: true,
  perOrderStats: 'alloc',
};
