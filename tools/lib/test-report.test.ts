import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countTests, withExitCode } from './test-report.mjs';

describe('the counts of a test run', () => {
  let folder: string;
  const counted = (text: string): ReturnType<typeof countTests> => {
    const file = join(folder, 'report.json');
    writeFileSync(file, text);
    return countTests(file);
  };
  const good = { numPassedTests: 5, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1, success: true };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'thplab-report-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are those of the report', () => {
    expect(counted(JSON.stringify(good))).toEqual({ passed: 5, failed: 0, skipped: 2 });
    expect(counted(JSON.stringify({ ...good, numFailedTests: 3, success: false })).failed).toBe(3);
  });

  it('count a file that broke on loading or in a beforeAll', () => {
    const unloaded = { status: 'failed', assertionResults: [] };
    const unprepared = { status: 'failed', assertionResults: [{ status: 'skipped' }, { status: 'skipped' }] };
    const ordinary = { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] };
    const testResults = [unloaded, unprepared, ordinary];
    const report = { ...good, numFailedTests: 1, success: false, testResults };
    expect(counted(JSON.stringify(report)).failed).toBe(3);
  });

  it('count an error outside of every test', () => {
    expect(counted(JSON.stringify({ ...good, success: false })).failed).toBe(1);
  });

  it('count a missing or cut report as failed', () => {
    expect(countTests(join(folder, 'none.json'))).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(counted('{ "numPassedTests": 5').failed).toBe(1);
  });

  it('take a failed step beside the tests for one failed', () => {
    const counts = { passed: 5, failed: 0, skipped: 0 };
    expect(withExitCode(counts, 1).failed).toBe(1);
    expect(withExitCode({ ...counts, failed: 3 }, 1).failed).toBe(3);
    expect(withExitCode(counts, 0).failed).toBe(0);
  });
});
