import type { Generation } from './generation.js';
import { merged } from './merged.js';

/**
 * Nico Pache's v18 of 22 May 2026 with its fix-up of 25 May (khugepaged spec 15.7). It attempts the same windows in
 * the same order as merged; what the table reports and how an mTHP is installed differ.
 */
export const v18: Generation = {
  ...merged,
  name: 'v18',
  summary: 'Nico Pache v18 (May 2026) with its fix-up: depth first, all or nothing below the PMD order',
  walk: 'dfs',
  unmappedCountsAsOccupied: false,
  resultRule: 'okOrFail',
  pmdReinstallBeforePtes: false,
  memcgDeferredList: false,
  collapsesPmdFolioFiles: false,
};

/** v18 before the fix-up: the choice looks at a VMA that may be gone (khugepaged spec 19, B1). */
export const v18AsPosted: Generation = { ...v18, name: 'v18-as-posted', passVmaToNoneHelper: true };
