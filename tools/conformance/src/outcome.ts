/** What one side saw of a case, in a form in which equal means equal. */

/** One process at the end of a case. */
export interface ProcessView {
  /** Base pages that smaps counts as resident in the window. */
  readonly rss: number;
  /** PMD-mapped ranges: their first pages. */
  readonly huge: readonly number[];
  /** Every range, page by page, run-length coded: see `PAGE` in page-letters.ts. */
  readonly pages: string;
  /** Contents of the present pages, as numbers of the writes that made them. */
  readonly contents: string;
}

/** See the head of the file. */
export interface Outcome {
  /** Per step: 0 or what was counted, or the negated errno. */
  readonly results: readonly number[];
  /** Growth of the counters over the whole case, zeros left out. */
  readonly counters: Readonly<Record<string, number>>;
  /** The process and its living children. */
  readonly processes: readonly ProcessView[];
}

/** Counters that both sides keep. Everything here counts the whole machine. */
export const VMSTAT_COMPARED = [
  'thp_fault_alloc',
  'thp_fault_fallback',
  'thp_collapse_alloc',
  'thp_collapse_alloc_failed',
  'thp_file_mapped',
  'thp_split_page',
  'thp_split_page_failed',
  'thp_deferred_split_page',
  'thp_split_pmd',
  'thp_scan_exceed_none_pte',
  'thp_scan_exceed_swap_pte',
  'thp_scan_exceed_share_pte',
  'thp_swpout',
  'thp_swpout_fallback',
] as const;
/** Of hugepages-2048kB/stats. */
export const MTHP_COMPARED = [
  'anon_fault_alloc',
  'nr_anon',
  'nr_anon_partially_mapped',
  'split',
  'split_deferred',
  'swpout_fallback',
] as const;

/** One thing in which two outcomes differ. */
export interface Difference {
  readonly what: string;
  readonly kernel: string;
  readonly model: string;
}

/** All differences; `stepName` says what a step was. */
export function differences(kernel: Outcome, model: Outcome, stepName: (index: number) => string): Difference[] {
  const found: Difference[] = [];
  const compare = (what: string, a: string, b: string): void => {
    if (a !== b) found.push({ what, kernel: a, model: b });
  };
  for (let i = 0; i < Math.max(kernel.results.length, model.results.length); i++) {
    compare(`result of step ${i + 1} (${stepName(i)})`, resultText(kernel.results[i]), resultText(model.results[i]));
  }
  for (const name of new Set([...Object.keys(kernel.counters), ...Object.keys(model.counters)])) {
    compare(name, String(kernel.counters[name] ?? 0), String(model.counters[name] ?? 0));
  }
  compare('processes', String(kernel.processes.length), String(model.processes.length));
  for (const [i, ours] of kernel.processes.entries()) {
    const theirs = model.processes[i];
    if (theirs === undefined) break;
    const who = i === 0 ? '' : ` of child ${i}`;
    compare(`PMD-mapped ranges${who}`, ours.huge.join(' '), theirs.huge.join(' '));
    compare(`rss${who}`, String(ours.rss), String(theirs.rss));
    compare(`pages${who}`, ours.pages, theirs.pages);
    compare(`contents${who}`, ours.contents, theirs.contents);
  }
  return found;
}

const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  11: 'EAGAIN',
  12: 'ENOMEM',
  14: 'EFAULT',
  16: 'EBUSY',
  17: 'EEXIST',
  22: 'EINVAL',
};

/** A step's result in words. */
export function resultText(result: number | undefined): string {
  if (result === undefined) return 'none';
  return result >= 0 ? String(result) : (ERRNO_NAMES[-result] ?? `errno ${-result}`);
}
