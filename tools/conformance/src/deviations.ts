/** Differences between the running kernel and the model that are known and explained; docs/conformance.md lists them. */
import type { Case } from './case.js';
import type { Difference } from './outcome.js';

/** One known deviation. */
export interface Deviation {
  /** Short name, as in the docs. */
  readonly id: string;
  /** Why the two differ, and why it stays. */
  readonly reason: string;
  /** True if this difference of this case is an instance of it. */
  explains(given: Case, difference: Difference): boolean;
}

/** Differences of what is mapped, not of what a call returns or a counter says. */
const MAPPED: readonly string[] = ['rss', 'pages', 'contents'];

export const DEVIATIONS: readonly Deviation[] = [
  {
    id: 'fault-around',
    reason:
      'A read of a file page maps up to 16 pages around it that are in the page cache, and read-ahead brings them there. ' +
      'The model reads and maps the one page: how much of a file is mapped changes no collapse of anonymous memory.',
    explains: (given, { what }) =>
      MAPPED.includes(what.replace(/ of child \d+$/, '')) &&
      given.steps.some((step) => step.do === 'map' && step.kind !== undefined && step.kind !== 'anon') &&
      given.steps.some((step) => step.do === 'read'),
  },
];

/** The deviations that explain all differences; undefined if one is left unexplained. */
export function explain(given: Case, differences: readonly Difference[]): readonly Deviation[] | undefined {
  const used = new Set<Deviation>();
  for (const difference of differences) {
    const found = DEVIATIONS.find((deviation) => deviation.explains(given, difference));
    if (found === undefined) return undefined;
    used.add(found);
  }
  return [...used];
}
