/**
 * Any two actors of the library together, on the merged kernel: nothing may break. Each pair gets some schedules of PCT in
 * the plain test run; with THPLAB_CHECK=full all of them, up to a limit.
 */
import { describe, expect, it } from 'vitest';
import { ACTORS, caseText, PAGES } from '../testing/check-pairs.js';
import { parseCheck, runCheck } from './index.js';

const search = process.env.THPLAB_CHECK === 'full' ? { maxSchedules: 2000 } : { strategy: 'pct', maxSchedules: 4 };

describe.each(Object.keys(PAGES))('two actors on %s', (what) => {
  it.each(ACTORS)('%s and any other break nothing', { timeout: 600_000 }, (first) => {
    const broken = ACTORS.slice(ACTORS.indexOf(first) + 1).flatMap((second) => {
      const { failure } = runCheck(parseCheck(caseText(PAGES[what] as string, [first, second], search)));
      return failure === undefined ? [] : [`${second}: ${failure.message} (${failure.schedule})`];
    });
    expect(broken).toEqual([]);
  });
});
