/**
 * What khugepaged makes of one PMD range, at the default limits. All cases live in one process at the same time, each with a
 * range of its own, because khugepaged does eight ranges a wake-up and wakes every ten seconds.
 */
import { RANGE, type Span, type Step } from '../case.js';
import { advise, collapse, emptied, lock, map, pin, protect, read, uffd, wp, write } from '../cases/build.js';

/** One range. Pages are counted from its start. */
export interface LimitCase {
  readonly name: string;
  /** Before the fork: what is written here is shared with the child until somebody writes it again. */
  readonly before: readonly Step[];
  readonly after?: readonly Step[];
  /** False: not advised with MADV_HUGEPAGE at the end. */
  readonly advised?: boolean;
}

const all = [map(0, RANGE), write(0, RANGE)];
const own = (steps: readonly Step[]): { before: Step[]; after: readonly Step[] } => ({
  before: [map(0, RANGE)],
  after: steps,
});
const huge = [advise('HUGEPAGE', 0, RANGE), write(0, RANGE)];

export const LIMIT_CASES: readonly LimitCase[] = [
  { name: 'full', ...own([write(0, RANGE)]) },
  { name: 'full, not advised', ...own([write(0, RANGE)]), advised: false },
  {
    name: 'full, advised against',
    ...own([write(0, RANGE), advise('HUGEPAGE', 0, RANGE), advise('NOHUGEPAGE', 0, RANGE)]),
    advised: false,
  },
  { name: '1 present', ...own([write(100, 1)]) },
  { name: '1 present, 511 zero pages', ...own([write(0, 1), read(1, 511)]) },
  { name: 'empty table', ...own([write(0, RANGE), ...emptied(0)]) },
  { name: '512 zero pages', ...own([write(0, 1), advise('DONTNEED', 0, 1), read(0, RANGE)]) },
  { name: 'no table', ...own([write(0, RANGE), advise('DONTNEED', 0, RANGE)]) },
  ...[255, 256, 257, 512].map((shared) => ({
    name: `${shared} shared`,
    before: all,
    after: shared === RANGE ? [] : [write(shared, RANGE - shared)],
  })),
  { name: '256 shared, the rest empty', before: [map(0, RANGE), write(0, 256)] },
  { name: '257 shared, the rest empty', before: [map(0, RANGE), write(0, 257)] },
  { name: '64 not present', ...own([write(0, RANGE), advise('GUARD_INSTALL', 0, 64)]) },
  { name: '65 not present', ...own([write(0, RANGE), advise('GUARD_INSTALL', 0, 65)]) },
  {
    name: '1 not present, 255 used',
    ...own([write(0, RANGE), advise('COLD', 0, RANGE), read(0, 255), advise('GUARD_INSTALL', 511, 1)]),
  },
  {
    name: '1 not present, 256 used',
    ...own([write(0, RANGE), advise('COLD', 0, RANGE), read(0, 256), advise('GUARD_INSTALL', 511, 1)]),
  },
  { name: 'none used', ...own([write(0, RANGE), advise('COLD', 0, RANGE)]) },
  { name: '1 used', ...own([write(0, RANGE), advise('COLD', 0, RANGE), read(300, 1)]) },
  { name: '1 present, not used', ...own([write(9, 1), advise('COLD', 0, RANGE)]) },
  { name: 'lazily freed', ...own([write(0, RANGE), advise('FREE', 0, RANGE)]) },
  { name: 'userfaultfd, full', ...own([write(0, RANGE), uffd(0, RANGE, 'wp')]) },
  { name: 'userfaultfd, one hole', ...own([write(0, 511), uffd(0, RANGE, 'wp')]) },
  { name: 'userfaultfd, one page protected', ...own([write(0, RANGE), uffd(0, RANGE, 'wp'), wp(5, 1)]) },
  { name: 'pinned', ...own([write(0, RANGE), pin(5)]) },
  { name: 'mlocked', ...own([write(0, RANGE), lock(0, RANGE)]) },
  { name: 'no access', ...own([write(0, RANGE), protect(0, RANGE, 'none')]) },
  { name: 'read-only', ...own([write(0, RANGE), protect(0, RANGE, 'r')]) },
  { name: 'mergeable', ...own([write(0, RANGE), advise('MERGEABLE', 0, RANGE)]) },
  { name: 'huge page in parts', ...own([...huge, protect(0, 1, 'r'), protect(0, 1, 'rw')]) },
  { name: 'huge page with a hole', ...own([...huge, advise('DONTNEED', 7, 1)]) },
  { name: 'huge already', ...own([write(0, RANGE), collapse(0, RANGE)]) },
];

/** A range between two cases stays unmapped, so that no VMA meets another. */
const SLOT = 2 * RANGE;

/** First page of a case's range. */
export function rangeOfCase(index: number): number {
  return index * SLOT;
}

/** The steps of all cases in one process: those before the fork, the fork, the others, and the advice at the end. */
export function stepsOfAll(cases: readonly LimitCase[]): Step[] {
  const shifted = (steps: readonly Step[], index: number): Step[] =>
    steps.map((step) => ('at' in step ? { ...step, at: (step as Span).at + rangeOfCase(index) } : step) as Step);
  return [
    ...cases.flatMap(({ before }, i) => shifted(before, i)),
    { do: 'fork' },
    ...cases.flatMap(({ after = [] }, i) => shifted(after, i)),
    ...cases.flatMap(({ advised }, i) => (advised === false ? [] : [advise('HUGEPAGE', rangeOfCase(i), RANGE)])),
  ];
}

/**
 * Three address spaces with six ranges each: the process, and two children that have made all pages their own. The
 * advice comes first, so that the children inherit it and are registered in the order of the forks.
 */
export const ORDER_STEPS: readonly Step[] = [
  map(0, 6 * RANGE),
  write(0, 6 * RANGE),
  advise('HUGEPAGE', 0, 6 * RANGE),
  { do: 'fork' },
  { do: 'fork' },
  write(0, 6 * RANGE),
  write(0, 6 * RANGE, 1),
  write(0, 6 * RANGE, 2),
];
