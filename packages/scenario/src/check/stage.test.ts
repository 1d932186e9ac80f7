/** Cases whose machine, processes or actors are out of the ordinary. */
import { describe, expect, it } from 'vitest';
import { parseCheck, runCheck } from './index.js';

const ACTORS = ['collapse-range: {}', 'mremap: { by: 16 }', 'rmap-walk: { page: 1 }'];

/** What a few schedules of a case find: a VMA with these facts, and these actors. */
function search(vma: string, actors: readonly string[] = ACTORS, strategy = 'pct'): string {
  const { failure } = runCheck(
    parseCheck(`format: thplab/check@1
name: a case
machine: { swap: 24, pages: 128 }
sysfs:
  hugepages-16kB/enabled: always
  khugepaged/max_ptes_none: 7
  khugepaged/max_ptes_swap: 7
processes:
  - name: app
    vmas:
      - { name: heap, size: 32K, advice: hugepage, ${vma} }
      - { name: next, size: 32K, advice: hugepage, populate: { pages: 0-6 } }
actors:
${actors.map((actor) => `  - ${actor}`).join('\n')}
search: { strategy: ${strategy}, maxSchedules: 60 }
`),
  );
  return failure?.message ?? 'passes';
}

describe('a case', () => {
  it.each([
    ['held by somebody else', 'populate: [{ pages: 0-3, locked: 1 }, { pages: 4-5, pinned: 1 }]'],
    ['of shared memory, which a collapse takes out of the page tables', 'kind: shmem, populate: full'],
    ['of a file', 'kind: file, populate: { bitmap: "0b1111_0110" }'],
    ['of a private file', 'kind: file, flags: private, populate: full'],
  ])('may have pages %s', (_, vma) => {
    expect(search(vma)).toBe('passes');
  });

  it.each(['dax', 'special'])('may have pages of kind %s, at which khugepaged never looks', (kind) => {
    const vma = `kind: ${kind}, populate: full`;
    expect(search(vma, ['khugepaged: {}', 'mremap: { by: 16 }', 'rmap-walk: { page: 1 }'])).toBe('passes');
    expect(() => search(vma)).toThrow('khugepaged never looks at "heap": it maps a device, or is special');
  });

  it('may pin many pages that are written to one by one', () => {
    expect(search('populate: { pages: 0-2, state: zero }', ['pin: { pages: 6 }', 'collapse-range: {}'], 'dfs')).toBe(
      'passes',
    );
  });

  it('may move pages to a place beside them that they overlap', () => {
    const actors = ['uffd-move: { page: 1, pages: 5, by: -1, holes: true }', 'collapse-range: {}'];
    expect(search('uffd: wp, populate: { pages: 1-6 }', actors, 'dfs')).toBe('passes');
  });

  it('may read a page through a reference while its process writes to it', () => {
    const actors = ['gup-fast: { page: 4, write: false }', 'fault-write: { page: 4 }'];
    expect(search('populate: full', actors, 'dfs')).toBe('passes');
  });

  it('may register a file with userfaultfd whose pages are in memory, but not mapped', () => {
    const actors = ['collapse-range: {}', 'uffd-register: {}', 'fault-read: { page: 3, may: [userfault] }'];
    expect(search('kind: shmem, populate: { bitmap: "0b1111_0110" }', actors, 'dfs')).toBe('passes');
  });

  it('has room for what its actors leave behind', () => {
    const actors = [
      'mprotect: { page: 6, pages: 1, prot: "---" }',
      'mremap: { page: 3, pages: 2, by: 3000 }',
      'mremap: { page: 1, pages: 1, by: 1000 }',
      'madvise: { page: 7, advice: nohugepage }',
    ];
    expect(search('kind: file, flags: private, populate: full', actors)).toBe('passes');
  });

  it('may give a VMA the row of one that it has just unmapped', () => {
    expect(search('populate: none', ['mremap: { by: 8 }', 'munlock: { vma: next }'])).toBe('passes');
  });

  it('may read a huge page that reclaim has found idle', () => {
    const actors = ['madvise: { advice: cold }', 'madvise: { advice: pageout }', 'fault-read: { page: 1 }'];
    expect(search('populate: { pages: full, order: 3 }', actors, 'dfs')).toBe('passes');
  });
});
