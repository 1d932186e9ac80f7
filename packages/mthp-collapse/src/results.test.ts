import { describe, expect, it } from 'vitest';
import { LEGACY_MADVISE, MERGED_MADVISE, madviseContinues, madviseErrno } from './madvise-results.js';
import { LEGACY_RESULTS, LEGACY_RESULTS_WITH_PAGE_RO, MERGED_RESULTS, scanResultNumber } from './result-numbering.js';
import {
  SCAN,
  SCAN_RESULT_COUNT,
  type ScanResult,
  type ScanResultName,
  scanResultName,
  scanResultOfText,
  scanResultText,
} from './results.js';

/** The table of khugepaged spec 3: number, name, trace text of the merged version. */
const TABLE = `
 0 FAIL failed
 1 SUCCEED succeeded
 2 NO_PTE_TABLE no_pte_table
 3 PMD_MAPPED page_pmd_mapped
 4 EXCEED_NONE_PTE exceed_none_pte
 5 EXCEED_SWAP_PTE exceed_swap_pte
 6 EXCEED_SHARED_PTE exceed_shared_pte
 7 PTE_NON_PRESENT pte_non_present
 8 PTE_UFFD_WP pte_uffd_wp
 9 PTE_MAPPED_HUGEPAGE pte_mapped_hugepage
10 LACK_REFERENCED_PAGE lack_referenced_page
11 PAGE_NULL page_null
12 SCAN_ABORT scan_aborted
13 PAGE_COUNT not_suitable_page_count
14 PAGE_LRU page_not_in_lru
15 PAGE_LOCK page_locked
16 PAGE_ANON page_not_anon
17 PAGE_LAZYFREE page_lazyfree
18 PAGE_COMPOUND page_compound
19 ANY_PROCESS no_process_for_page
20 VMA_NULL vma_null
21 VMA_CHECK vma_check_failed
22 ADDRESS_RANGE not_suitable_address_range
23 DEL_PAGE_LRU could_not_delete_page_from_lru
24 ALLOC_HUGE_PAGE_FAIL alloc_huge_page_failed
25 CGROUP_CHARGE_FAIL ccgroup_charge_failed
26 TRUNCATED truncated
27 PAGE_HAS_PRIVATE page_has_private
28 STORE_FAILED store_failed
29 COPY_MC copy_poisoned_page
30 PAGE_FILLED page_filled
31 PAGE_DIRTY_OR_WRITEBACK page_dirty_or_writeback`
  .trim()
  .split('\n')
  .map((line) => line.trim().split(' ') as [string, ScanResultName, string]);

const ALL = Object.values(SCAN) as readonly ScanResult[];

describe('result codes', () => {
  it.each(TABLE)('%s is %s, printed %s', (number, name, text) => {
    const result = SCAN[name];
    expect(result).toBe(Number(number));
    expect(scanResultName(result)).toBe(name);
    expect(scanResultText(result)).toBe(text);
    expect(scanResultNumber(result, MERGED_RESULTS)).toBe(result);
  });

  it('are dense, and each has its own text', () => {
    expect([...ALL].sort((a, b) => a - b)).toEqual(ALL.map((_, index) => index));
    expect(ALL).toHaveLength(SCAN_RESULT_COUNT);
    for (const result of ALL) expect(scanResultOfText(scanResultText(result))).toBe(result);
    expect(scanResultOfText('nothing')).toBeUndefined();
  });

  it('of legacy kernels tell two kinds of missing table and number everything behind them one higher', () => {
    expect(LEGACY_RESULTS.slice(0, 5).map(scanResultText)).toEqual([
      'failed',
      'succeeded',
      'pmd_null',
      'pmd_none',
      'page_pmd_mapped',
    ]);
    expect(scanResultNumber(SCAN.EXCEED_SWAP_PTE, LEGACY_RESULTS)).toBe(SCAN.EXCEED_SWAP_PTE + 1);
    expect(() => scanResultNumber(SCAN.NO_PTE_TABLE, LEGACY_RESULTS)).toThrow('NO_PTE_TABLE');
    expect(() => scanResultNumber(SCAN.PAGE_LAZYFREE, LEGACY_RESULTS)).toThrow('PAGE_LAZYFREE');
  });

  it('of 6.13 have PAGE_RO before LACK_REFERENCED_PAGE', () => {
    const at = LEGACY_RESULTS_WITH_PAGE_RO.indexOf(SCAN.PAGE_RO);
    expect(LEGACY_RESULTS_WITH_PAGE_RO[at + 1]).toBe(SCAN.LACK_REFERENCED_PAGE);
    expect(scanResultText(SCAN.PAGE_RO)).toBe('no_writable_page');
  });
});

/** The errno table of khugepaged spec 13.2, by name. */
const ERRNO: Readonly<Record<string, readonly ScanResultName[]>> = {
  ENOMEM: ['ALLOC_HUGE_PAGE_FAIL'],
  EBUSY: ['CGROUP_CHARGE_FAIL', 'EXCEED_NONE_PTE'],
  EAGAIN: [
    'PAGE_COUNT',
    'PAGE_LOCK',
    'PAGE_LRU',
    'DEL_PAGE_LRU',
    'PAGE_FILLED',
    'PAGE_HAS_PRIVATE',
    'PAGE_DIRTY_OR_WRITEBACK',
  ],
};

describe('MADV_COLLAPSE', () => {
  it.each(ALL.map((result) => [scanResultName(result), result] as const))('turns %s into its errno', (name, result) => {
    const expected = Object.keys(ERRNO).find((errno) => ERRNO[errno].includes(name)) ?? 'EINVAL';
    const isSuccess = name === 'SUCCEED' || name === 'PMD_MAPPED';
    expect(madviseErrno(result, MERGED_MADVISE)).toBe(isSuccess ? 0 : expected);
  });

  it('of legacy kernels calls private file pages invalid, not busy', () => {
    expect(madviseErrno(SCAN.PAGE_HAS_PRIVATE, LEGACY_MADVISE)).toBe('EINVAL');
    expect(madviseErrno(SCAN.PAGE_FILLED, LEGACY_MADVISE)).toBe('EAGAIN');
  });

  it('goes on after failures that say nothing about the next range', () => {
    const goesOn = (rules: typeof MERGED_MADVISE): string[] =>
      ALL.filter((result) => madviseContinues(result, rules)).map(scanResultName);
    const always: ScanResultName[] = [
      'SUCCEED',
      'PMD_MAPPED',
      'PTE_NON_PRESENT',
      'PTE_UFFD_WP',
      'LACK_REFERENCED_PAGE',
      'PAGE_NULL',
      'PAGE_COUNT',
      'PAGE_LRU',
      'PAGE_LOCK',
      'PAGE_COMPOUND',
      'DEL_PAGE_LRU',
    ];
    expect(goesOn(MERGED_MADVISE).sort()).toEqual([...always, 'NO_PTE_TABLE'].sort());
    expect(goesOn(LEGACY_MADVISE).sort()).toEqual([...always, 'PTE_MAPPED_HUGEPAGE', 'PMD_NULL'].sort());
  });
});
