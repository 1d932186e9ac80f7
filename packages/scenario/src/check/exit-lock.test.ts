/** B15, switch by switch: what keeps khugepaged and an exit apart. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCheck, runCheck } from './index.js';

const text = readFileSync(
  join(import.meta.dirname, '../../../../examples/check/b15-exit-against-the-cursor.yaml'),
  'utf8',
);
const VARIANT = '{ exitSkipsScanWait: true, exitIsUnlocked: true }';

/** Verdict and coverage with these switches. */
function search(variant: string): string {
  expect(text).toContain(VARIANT);
  const { verdict, coverage } = runCheck(parseCheck(text.replace(VARIANT, variant)));
  return `${verdict}, ${coverage.kind}`;
}

describe('an exit while khugepaged is in the page tables', () => {
  it('is safe if it waits for khugepaged, also where exit_mmap takes no lock', () => {
    expect(search('{ exitIsUnlocked: true }')).toBe('pass, exhaustive');
  });

  it('is safe if exit_mmap takes mmap_lock, also where it does not wait', () => {
    expect(search('{ exitSkipsScanWait: true }')).toBe('pass, exhaustive');
  });

  it('is not safe with neither', () => {
    expect(search(VARIANT)).toMatch(/^fail/);
  });
});
