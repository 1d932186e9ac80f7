/** Times on a machine that others use, too. */

/** Samples, and runs of which the best is one sample. */
export interface Effort {
  readonly samples: number;
  readonly runs: number;
}

/** Enough for a machine with some other work; a second or two in all. */
export const USUAL_EFFORT: Effort = { samples: 5, runs: 40 };

/**
 * Median of some samples, each the best of several runs, ns: whatever interrupts a run makes it longer, never shorter, and
 * the median forgets what lasted longer than a sample. `run` gives the ns of what it timed.
 */
export function timed(run: () => number, effort: Effort = USUAL_EFFORT): number {
  const samples: number[] = [];
  for (let i = 0; i < effort.samples; i++) {
    let best = Number.POSITIVE_INFINITY;
    for (let n = 0; n < effort.runs; n++) best = Math.min(best, run());
    samples.push(best);
  }
  return median(samples);
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** ns that `work` took. */
export function nsOf(work: () => void): number {
  const begin = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - begin);
}
