/**
 * Which rows of the DAMON specification, sections 1, 2.1, 3.5 to 3.7, 4, 10 and 11, are golden data: every vector, line of a
 * table and edge case there, with the table that has its numbers. Rows are named by section and by the name or number that
 * they have in it. A row with two lines here has a name of its own for each; `SAME_AS` has those whose numbers stand under
 * another row's name. ledger.test.ts fails if a row has no data, if data have no row here, and if no test reads a table.
 */
import { MONITORING_ROWS } from './ledger-monitoring.js';
import { SCHEME_ROWS } from './ledger-schemes.js';

/** Sections that the ledger is about. */
export const SECTIONS: readonly string[] = [
  ...['1.1', '1.2', '1.3', '1.4', '1.5', '1.6', '1.7', '1.8', '1.9', '1.10', '2.1'],
  ...['3.5', '3.6', '3.7', '4.1', '4.2', '4.3', '4.4', '4.5', '4.6', '10', '11.1', '11.2', '11.3'],
];

/** Files of golden data, below packages/. */
export const GOLDEN_FILES: readonly string[] = [
  'damos-actions/src/testing/golden.ts',
  'damos-actions/src/testing/golden-monitoring.ts',
  'damos-actions/src/testing/golden-access.ts',
  'damos-actions/src/testing/golden-schemes.ts',
  'damos-actions/src/testing/golden-quota.ts',
  'damos-actions/src/testing/golden-filters.ts',
  'damos-actions/src/testing/golden-memcg.ts',
  'damos-actions/src/testing/golden-collapse.ts',
  'damos-actions/src/testing/golden-split.ts',
  'damos-actions/src/testing/golden-tlb-actions.ts',
  'damos-actions/src/testing/golden-edge-cases.ts',
  'damos-actions/src/testing/golden-selftests.ts',
  'mm-model/src/testing/golden-tlb.ts',
  'mm-model/src/testing/split-refusals.ts',
  'capture/src/testing/golden-hot-rule.ts',
  'scenario/src/testing/golden-ping-pong.ts',
];

/** Rows, and the names of the tables that have them. */
export const LEDGER: Readonly<Record<string, string>> = { ...MONITORING_ROWS, ...SCHEME_ROWS };

/** Rows of the specification whose numbers are those of another row. */
export const SAME_AS: Readonly<Record<string, string>> = {
  '1.1 conversion through basis points': '11.1 update_monitoring_result 1/1000',
  '1.1 conversion of the age': '11.1 update_monitoring_result 100/10000',
  '1.1 marks after a change': '1.1 change within an aggregation',
  '1.2 c': '1.2 c to e',
  '1.2 d': '1.2 c to e',
  '1.2 e': '1.2 c to e',
  '1.2 f': '1.5 threshold0',
  '1.2 g': '1.2 order of e to j',
  '1.2 h': '1.2 order of e to j',
  '1.2 i': '1.2 order of e to j',
  '1.3 nr_accesses_bp': '11.1 moving sum',
  '1.4 age 0 after an action': '10 #7',
  '1.4 age inherited': '11.1 split_at',
  '1.4 age of merged regions': '11.1 merge_two',
  '1.5 when regions merge': '11.1 merge_regions_of',
  '1.5 merged counters': '11.1 merge_two',
  '1.6 limit NEW': '11.1 apply min regions (10,2,2)',
  '1.6 even split OLD': '11.2 evenly split (5,59,5)',
  '1.7 right part inherits': '11.1 split_at',
  '1.8 three regions': '11.2 three regions',
  '1.8 set_regions': '11.1 set_regions',
  '1.8 regions of the user are kept at start': '1.8 vaddr updates regions of the user',
  '1.10 one AF for all regions in a THP': '10 #14',
  '3.5 reset_interval 0': '10 #6',
  '3.5 first window': '3.5 windows',
  '3.5 tracepoint damos_esz': '3.5 esz 2: consist tuner',
  '3.5 node_memcg_free_bp': '3.5 node_memcg_used_bp',
  '3.6 frequency and age score': '3.6 score of 1/20, age 600',
  '3.7 addr: region inside': '11.1 addr filter 3-5',
  '3.7 addr: region outside': '11.1 addr filter 6-8',
  '3.7 addr: region begins before': '11.1 addr filter 1-4',
  '3.7 addr: region begins inside': '11.1 addr filter 2-8',
  '4.1 hole in the region': '10 #13',
  '4.3 split skips a locked folio': '10 #11 locked',
  '4.5 thp_split_page, split, thp_split_pmd': '4.5 per-size nr_anon',
  '4.5 split_failed, thp_split_page_failed': '4.5 unexpected references',
  '4.5 partially-mapped flag and deferred-split queue': '4.5 partially mapped',
  '11.1 default reject': '3.7 default: none, allow',
  '11.3 damos_split.py': '4.3 damos_split.py',
  '11.3 sysfs.sh, nr_contexts 2': '10 #18',
  '11.3 access_memory': '11.3 wss_estimation.py',
};

/** Rows whose data are in the test itself, as all files of a tree are. */
export const IN_TESTS: readonly { readonly row: string; readonly test: string; readonly name: string }[] = [
  {
    row: '11.3 sysfs.py, every parameter',
    test: 'damos-actions/src/sysfs/every-file.test.ts',
    name: 'every file of a context and its scheme',
  },
  {
    row: '11.3 sysfs.sh, permissions',
    test: 'sysfs-schema/src/damon/damon.test.ts',
    name: 'include every path of a running one, with its mode',
  },
];

/** Rows that the model does not have; `deviation`: words of the entry in docs/deviations.md. */
export const NOT_MODELLED: readonly { readonly row: string; readonly why: string; readonly deviation: string }[] = [
  { row: '1.10 hugetlb', why: 'no hugetlb memory', deviation: '**No hugetlb' },
  { row: '1.10 secondary MMUs', why: 'no guests', deviation: '**mmu notifiers' },
  { row: '1.10 AF of contiguous PTEs', why: 'clearing clears one', deviation: '**Contiguous PTEs.**' },
  { row: '2.1 damon flush on clear', why: 'a what-if without numbers', deviation: '**DAMON never flushes' },
  { row: '3.5 used_hugepage_mem_bp', why: 'proposed, share of what is open', deviation: '**used_hugepage_mem_bp' },
  { row: '4.1 published numbers of a database', why: 'measurements, no rule', deviation: '**What DAMON spec 4.1' },
  { row: '4.1 earlier module', why: 'policy of a module that gave way', deviation: '**What DAMON spec 4.1' },
  { row: '4.2 spe.c', why: 'dropped by RFC v2; the tool counts samples', deviation: '**What DAMON spec 4.1' },
  {
    row: '4.5 not in the page cache any more',
    why: 'the folio lock is held',
    deviation: '**A file folio that is split',
  },
  { row: '11.3 lru_sort.sh, reclaim.sh', why: 'modules of their own', deviation: '**Modules of DAMON' },
];
