/**
 * What the result of an attempt means for the rest of the table, per generation: the matrix of khugepaged spec 15.10 as data.
 * L: smaller windows of the same region; N: next region; S: stop; T: failed without classification, which is L; -: the
 * generation has no such result.
 */
export const MATRIX_COLUMNS = ['rfc-v2', 'v12', 'v15', 'v17', 'v18', 'merged'] as const;

export const CLASSIFICATION_MATRIX: readonly (readonly [results: string, effects: string])[] = [
  ['SUCCEED', 'N N N N N N'],
  ['PTE_MAPPED_HUGEPAGE', 'T N N N N N'],
  ['ALLOC_HUGE_PAGE_FAIL', 'T L L L L L'],
  ['LACK_REFERENCED_PAGE EXCEED_NONE_PTE EXCEED_SWAP_PTE EXCEED_SHARED_PTE', 'T L L L L L'],
  ['PAGE_LOCK PAGE_COUNT PAGE_NULL DEL_PAGE_LRU', 'T L L L L L'],
  ['PTE_NON_PRESENT PTE_UFFD_WP', 'T L L L L L'],
  ['PAGE_LRU', 'T L L S S S'],
  ['PAGE_LAZYFREE', '- - S L L L'],
  ['CGROUP_CHARGE_FAIL', 'T S S S S S'],
  ['COPY_MC VMA_NULL VMA_CHECK ADDRESS_RANGE ANY_PROCESS PAGE_ANON PMD_MAPPED SCAN_ABORT FAIL', 'T S S S S S'],
  ['NO_PTE_TABLE', '- - S S S S'],
  ['PMD_NULL PMD_NONE', 'T S - - - -'],
  ['INVALID_PTES_NONE', '- - - S - -'],
];

/** Generations that the matrix has no column for, and whose column is theirs. */
export const SAME_COLUMN: Readonly<Record<string, (typeof MATRIX_COLUMNS)[number]>> = {
  'rfc-v1': 'rfc-v2',
  'hints-rfc': 'merged',
  'madvise-mthp': 'merged',
};

/** Generations with a list of their own, not in the matrix: v4 (15.3), Dev Jain's (15.4: go down), one window per table (15.8). */
export const OWN_LISTS: readonly string[] = ['v4', 'dev-v1', 'dev-v2', 'v6.13', 'v6.18'];
