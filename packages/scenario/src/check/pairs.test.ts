/**
 * Any two actors of the library together, on the merged kernel: nothing may break. Each pair gets some schedules of PCT in
 * the plain test run; with THPLAB_CHECK=full all of them, up to a limit.
 */
import { describe, expect, it } from 'vitest';
import { parseCheck, runCheck } from './index.js';

/** May be unmapped or handed to userfaultfd by the other one. */
const MAY = 'may: [sigsegv, userfault]';
const ACTORS: readonly string[] = [
  'khugepaged: {}',
  'collapse-range: {}',
  'madvise: { advice: collapse }',
  'madvise: { advice: dontneed, pages: 4 }',
  'madvise: { advice: pageout, pages: 2 }',
  'madvise: { advice: nohugepage }',
  `fault-read: { page: 6, ${MAY} }`,
  `fault-write: { page: 1, ${MAY} }`,
  'munmap: { page: 4 }',
  'mremap: { by: 16 }',
  'mprotect: { prot: "r--" }',
  'fork-write: { page: 1 }',
  'exit: {}',
  'gup-fast: { page: 2 }',
  'pin: { page: 2 }',
  'rmap-walk: { page: 2 }',
  'swap-out: { page: 5 }',
  'split: { page: 1 }',
  'uffd-register: {}',
  'sysfs-write: { path: khugepaged/max_ptes_none, value: 0 }',
];

const PAGES: Readonly<Record<string, string>> = {
  'base pages and holes': '{ bitmap: "0b1111_0110" }',
  'base pages and swap': '[{ pages: 0-5 }, { pages: 6-7, state: swap }]',
  'a folio of order 2': '[{ pages: 0-3, order: 2 }, { pages: 4-6 }]',
};

const search = process.env.THPLAB_CHECK === 'full' ? { maxSchedules: 2000 } : { strategy: 'pct', maxSchedules: 4 };

function text(pages: string, actors: readonly string[]): string {
  return `format: thplab/check@1
name: pair
machine: { swap: 24 }
sysfs:
  hugepages-16kB/enabled: always
  khugepaged/max_ptes_none: 7
  khugepaged/max_ptes_swap: 7
processes:
  - name: app
    vmas:
      - { name: heap, size: 32K, advice: hugepage, populate: ${pages} }
actors:
${actors.map((actor) => `  - ${actor}`).join('\n')}
search: ${JSON.stringify(search)}
`;
}

describe.each(Object.keys(PAGES))('two actors on %s', (what) => {
  it.each(ACTORS)('%s and any other break nothing', { timeout: 600_000 }, (first) => {
    const broken = ACTORS.slice(ACTORS.indexOf(first) + 1).flatMap((second) => {
      const { failure } = runCheck(parseCheck(text(PAGES[what] as string, [first, second])));
      return failure === undefined ? [] : [`${second}: ${failure.message} (${failure.schedule})`];
    });
    expect(broken).toEqual([]);
  });
});
