/** What a PMD entry allows: `check_pmd_state` and `find_pmd_or_thp_or_none` (khugepaged spec 2.3). */
import { findPmd, type Machine, type MmId, NO_PMD, PMD, type PmdRef, pmdType, type Vpn } from '@thplab/mm-model';
import type { Generation } from './generations/generation.js';
import { SCAN, type ScanResult } from './results.js';

/** SUCCEED if the PMD leads to a PTE table, else why it does not. */
export function checkPmdState(m: Machine, generation: Generation, pmd: PmdRef): ScanResult {
  const legacy = generation.legacyPmdResults;
  if (pmd === NO_PMD) return legacy ? SCAN.PMD_NULL : SCAN.NO_PTE_TABLE;
  switch (pmdType(m.directory.entry[pmd])) {
    case PMD.table:
      return SCAN.SUCCEED;
    case PMD.huge:
      return SCAN.PMD_MAPPED;
    case PMD.migration:
      if (generation.pmdMigrationIsMapped) return SCAN.PMD_MAPPED;
      return noTable(generation);
    case PMD.none:
      return legacy ? SCAN.PMD_NONE : SCAN.NO_PTE_TABLE;
    default:
      return noTable(generation);
  }
}

/** The PMD that was found before is still the one of the page and in a good state (`check_pmd_still_valid`). */
export function checkPmdStillValid(m: Machine, generation: Generation, mm: MmId, page: Vpn, pmd: PmdRef): ScanResult {
  const now = findPmd(m, mm, page);
  const state = checkPmdState(m, generation, now);
  if (state !== SCAN.SUCCEED) return state;
  return now === pmd ? SCAN.SUCCEED : SCAN.FAIL;
}

/** The result for a table that is gone, is bad, or could not be mapped. */
export function noTable(generation: Generation): ScanResult {
  return generation.legacyPmdResults ? SCAN.PMD_NULL : SCAN.NO_PTE_TABLE;
}
