/** The row that judging an expectation gives. */
import { type Bound, formatBound } from '../format/index.js';
import type { ExpectationResult } from '../report/result.js';

/** A judged expectation; the time is added by `judge`. */
export type Judged = Omit<ExpectationResult, 'atNs'>;

/** True if a value lies in the interval. */
export function within(value: number, bound: Bound): boolean {
  return (bound.min === null || value >= bound.min) && (bound.max === null || value <= bound.max);
}

/** The row for a number. */
export function judgeNumber(
  key: string,
  what: string,
  bound: Bound,
  actual: number,
  format: (value: number) => string,
): Judged {
  return { key, what, expected: formatBound(bound, format), actual: format(actual), ok: within(actual, bound) };
}
