// The counts of a test run, from vitest's own JSON report: the one place that reads it.

import { readFileSync } from 'node:fs';

/** @typedef {{ passed: number, failed: number, skipped: number }} TestCounts */

/**
 * Counts a run. A test file that failed without a failed test (it broke on loading, or in a beforeAll) counts as one failed,
 * and so does a missing or cut report.
 * @param {string} file path of the report
 * @returns {TestCounts}
 */
export function countTests(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  /** @type {{ status: string, assertionResults: { status: string }[] }[]} */
  const files = report.testResults ?? [];
  const broken = files.filter(
    (file) => file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'),
  );
  const failed = (report.numFailedTests ?? 0) + broken.length;
  return {
    passed: report.numPassedTests ?? 0,
    // `success` is false also for an error outside of every test, such as an unhandled rejection.
    failed: failed === 0 && report.success !== true ? 1 : failed,
    skipped: (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0),
  };
}

/**
 * The counts with the exit code of the whole run taken in: a step that failed beside the tests counts as one failed.
 * @param {TestCounts} counts
 * @param {number} exitCode
 * @returns {TestCounts}
 */
export function withExitCode(counts, exitCode) {
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
