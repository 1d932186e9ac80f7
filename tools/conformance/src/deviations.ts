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

export const DEVIATIONS: readonly Deviation[] = [];

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
