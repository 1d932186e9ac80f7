/** Actors and pages for cases that are made in tests: what any two actors do to each other. */

/** May be unmapped or handed to userfaultfd by the other one. */
const MAY = 'may: [sigsegv, userfault]';
export const ACTORS: readonly string[] = [
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
  'mlock: { pages: 5 }',
  'munlock: { page: 2 }',
  'fork-write: { page: 1 }',
  'exit: {}',
  'gup-fast: { page: 2 }',
  'pin: { page: 2 }',
  'rmap-walk: { page: 2 }',
  'swap-out: { page: 5 }',
  'split: { page: 1 }',
  'uffd-register: {}',
  'uffd-move: { page: 1, pages: 2, by: 2, holes: true }',
  'sysfs-write: { path: khugepaged/max_ptes_none, value: 0 }',
];

export const PAGES: Readonly<Record<string, string>> = {
  'base pages and holes': '{ bitmap: "0b1111_0110" }',
  'base pages and swap': '[{ pages: 0-5 }, { pages: 6-7, state: swap }]',
  'a folio of order 2': '[{ pages: 0-3, order: 2 }, { pages: 4-6 }]',
  'locked pages': '{ bitmap: "0b1111_0110" }, flags: mlocked',
};

/** The text of a case of one process with these pages. `search` as in a file. */
export function caseText(pages: string, actors: readonly string[], search: object = {}): string {
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
