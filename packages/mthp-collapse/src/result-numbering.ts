import { SCAN, type ScanResult, scanResultName } from './results.js';

/**
 * Which result codes a kernel has, in the order of its enumeration: position is the kernel's number. Only the
 * swap-in trace event prints that number (khugepaged spec 3, 14.3); everything else prints the text.
 */
export type ResultNumbering = readonly ScanResult[];

/** Codes of the merged series (khugepaged spec 3, the table): equal to the values of `SCAN`. */
export const MERGED_RESULTS: ResultNumbering = codesUpTo(SCAN.PAGE_DIRTY_OR_WRITEBACK);

/** 6.18: `PMD_NULL` and `PMD_NONE` in place of `NO_PTE_TABLE`; neither LAZYFREE nor DIRTY_OR_WRITEBACK yet. */
export const LEGACY_RESULTS: ResultNumbering = MERGED_RESULTS.flatMap((code) => {
  if (code === SCAN.NO_PTE_TABLE) return [SCAN.PMD_NULL, SCAN.PMD_NONE];
  return code === SCAN.PAGE_LAZYFREE || code === SCAN.PAGE_DIRTY_OR_WRITEBACK ? [] : [code];
});

/** 6.13: as 6.18, with `PAGE_RO` for a range without one writable PTE. */
export const LEGACY_RESULTS_WITH_PAGE_RO: ResultNumbering = LEGACY_RESULTS.flatMap((code) =>
  code === SCAN.LACK_REFERENCED_PAGE ? [SCAN.PAGE_RO, code] : [code],
);

/** Dev Jain's trees: as 6.13, with `PTE_MAPPED` behind `PMD_MAPPED` (khugepaged spec 3, 15.4). */
export const DEV_RESULTS: ResultNumbering = LEGACY_RESULTS_WITH_PAGE_RO.flatMap((code) =>
  code === SCAN.PMD_MAPPED ? [code, SCAN.PTE_MAPPED] : [code],
);

function codesUpTo(last: ScanResult): ScanResult[] {
  return (Object.values(SCAN) as ScanResult[]).filter((code) => code <= last).sort((a, b) => a - b);
}

/**
 * The integer that a kernel with this numbering prints for `result`.
 *
 * @throws RangeError when that kernel has no such code: the caller mixed codes of two generations.
 */
export function scanResultNumber(result: ScanResult, numbering: ResultNumbering): number {
  const number = numbering.indexOf(result);
  if (number < 0) throw new RangeError(`this generation has no result ${scanResultName(result)}`);
  return number;
}
