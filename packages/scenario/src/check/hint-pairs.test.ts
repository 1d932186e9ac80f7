/** A hint, khugepaged, and any other actor of the library together, on the kernel with hints: nothing may break or leak. */
import { describe, expect, it } from 'vitest';
import { ACTORS, caseText, PAGES } from '../testing/check-pairs.js';
import { parseCheck, runCheck } from './index.js';

const full = process.env.THPLAB_CHECK === 'full';
const search = full ? { maxSchedules: 5000 } : { strategy: 'pct', maxSchedules: 8 };

/** The kernel has one khugepaged. */
const others = ACTORS.filter((actor) => actor !== 'khugepaged: {}');

describe('a hint and khugepaged beside another actor', () => {
  it.each([...others, 'map-anew: {}', 'hint-add: { page: 1, priority: 1 }'])(
    '%s: nothing breaks',
    { timeout: 600_000 },
    (other) => {
      const actors = ['hint-add: {}', 'khugepaged: {}', other];
      const text = caseText(PAGES['base pages and holes'] as string, actors, search);
      const check = parseCheck(text.replace('{ swap: 24 }', '{ swap: 24, kernel: hints-rfc }'));
      expect(check.machine.kernel).toBe('hints-rfc');
      const { failure } = runCheck(check);
      expect(failure === undefined ? '' : `${failure.message} (${failure.schedule})`).toBe('');
    },
  );
});
