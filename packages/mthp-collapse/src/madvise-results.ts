import { SCAN, type ScanResult } from './results.js';

/**
 * What MADV_COLLAPSE makes of the result of one PMD range (khugepaged spec 13.2): whether it counts, whether the call
 * goes on to the next range, and which errno the last failure becomes.
 */
export interface MadviseRules {
  /** Failures after which the call goes on with the next range. */
  readonly continuesAfter: readonly ScanResult[];
  /** Results that end as EAGAIN. */
  readonly again: readonly ScanResult[];
  /** A range that rounding inwards turns inside out is EINVAL (legacy, v12); merged returns 0 as for an empty one. */
  readonly invertedRangeIsInvalid: boolean;
}

/** Errno of a failed call; 0 stands for success. */
export type MadviseErrno = 0 | 'ENOMEM' | 'EBUSY' | 'EAGAIN' | 'EINVAL';

const CONTINUES_AFTER: readonly ScanResult[] = [
  SCAN.NO_PTE_TABLE,
  SCAN.PTE_NON_PRESENT,
  SCAN.PTE_UFFD_WP,
  SCAN.LACK_REFERENCED_PAGE,
  SCAN.PAGE_NULL,
  SCAN.PAGE_COUNT,
  SCAN.PAGE_LOCK,
  SCAN.PAGE_COMPOUND,
  SCAN.PAGE_LRU,
  SCAN.DEL_PAGE_LRU,
];

const AGAIN: readonly ScanResult[] = [
  SCAN.PAGE_COUNT,
  SCAN.PAGE_LOCK,
  SCAN.PAGE_LRU,
  SCAN.DEL_PAGE_LRU,
  SCAN.PAGE_FILLED,
];

export const MERGED_MADVISE: MadviseRules = {
  continuesAfter: CONTINUES_AFTER,
  again: [...AGAIN, SCAN.PAGE_HAS_PRIVATE, SCAN.PAGE_DIRTY_OR_WRITEBACK],
  invertedRangeIsInvalid: false,
};

/** Legacy to v12: goes on after PMD_NULL but not after PMD_NONE (khugepaged spec 23.12). */
export const LEGACY_MADVISE: MadviseRules = {
  continuesAfter: [
    SCAN.PMD_NULL,
    SCAN.PTE_MAPPED_HUGEPAGE,
    ...CONTINUES_AFTER.filter((result) => result !== SCAN.NO_PTE_TABLE),
  ],
  again: AGAIN,
  invertedRangeIsInvalid: true,
};

/** Does a range with this result count towards "every range is huge now"? */
export function madviseCounts(result: ScanResult): boolean {
  return result === SCAN.SUCCEED || result === SCAN.PMD_MAPPED;
}

/** Does MADV_COLLAPSE go on to the next range after this result? */
export function madviseContinues(result: ScanResult, rules: MadviseRules): boolean {
  return madviseCounts(result) || rules.continuesAfter.includes(result);
}

/** The errno of a call whose last failed range ended with `result`; 0 for a result that counts as success. */
export function madviseErrno(result: ScanResult, rules: MadviseRules): MadviseErrno {
  if (madviseCounts(result)) return 0;
  if (result === SCAN.ALLOC_HUGE_PAGE_FAIL) return 'ENOMEM';
  if (result === SCAN.CGROUP_CHARGE_FAIL || result === SCAN.EXCEED_NONE_PTE) return 'EBUSY';
  return rules.again.includes(result) ? 'EAGAIN' : 'EINVAL';
}
