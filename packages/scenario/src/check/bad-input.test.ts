/** What is wrong with a case is said with its place, what it is, and what would be right. */
import { describe, expect, it } from 'vitest';
import { parseCheck, subjectOf } from './index.js';

const CASE = `format: thplab/check@1
name: a case
machine: { pages: 64 }
sysfs: { khugepaged/max_ptes_none: 0 }
processes:
  - name: app
    vmas: [{ name: heap, size: 32K, populate: { pages: 0-3 } }]
actors:
  - collapse-range: {}
  - munmap: { page: 4 }
`;

/** The problem of the case with one part replaced. */
function problem(part: string, by: string): string {
  expect(CASE).toContain(part);
  try {
    subjectOf(parseCheck(CASE.replace(part, by), 'case.yaml'));
  } catch (error) {
    if (error instanceof Error && error.name === 'ScenarioError') return error.message;
    throw error;
  }
  return '';
}

describe('a case with a mistake', () => {
  it.each([
    [
      'munmap: { page: 4 }',
      'munmap: { page: 9 }',
      'case.yaml:10:21: there is no page 9 in "heap"; it has 8 pages, from 0',
    ],
    ['munmap: { page: 4 }', 'unmap: {}', 'case.yaml:10:5: unknown key "unmap"'],
    [
      'munmap: { page: 4 }',
      'munmap: { process: nobody }',
      'case.yaml:10:24: there is no process "nobody"; expected one of app',
    ],
    ['munmap: { page: 4 }', 'munmap: { vma: stack }', 'case.yaml:10:20: app has no VMA "stack"; expected one of heap'],
    ['munmap: { page: 4 }', 'uffd-move: {}', 'case.yaml:10:5: '],
    [
      'munmap: { page: 4 }',
      'sysfs-write: { path: khugepaged/nope, value: 1 }',
      'case.yaml:10:26: this kernel has no file',
    ],
    ['munmap: { page: 4 }', 'sysfs-write: { path: khugepaged/pages_to_scan, value: -1 }', 'fails with EINVAL'],
    [
      '  - munmap: { page: 4 }',
      '  - khugepaged: {}\n  - khugepaged: {}',
      'case.yaml:11:5: there is a khugepaged already',
    ],
    [
      '  - munmap: { page: 4 }',
      '  - exit: {}\n  - exit: {}',
      'case.yaml:11:5: the process ends twice; one exit per process',
    ],
    ['{ pages: 64 }', '{ pages: 64, slots: 0 }', 'case.yaml:3:30: machine.slots is 0'],
    ['{ pages: 64 }', '{ variant: { installLock: 7 } }', 'expected a string'],
    ['{ pages: 64 }', '{ variant: { nope: true } }', 'no field "nope"; there are '],
    ['{ pages: 64 }', '{ kernel: v99 }', 'case.yaml:3:'],
    ['khugepaged/max_ptes_none: 0', 'khugepaged/max_ptes_none: 9999', 'fails with EINVAL'],
    ['name: a case', 'name: a case\ninvariants: [I9]', 'case.yaml:3:14: '],
    ['name: a case', 'name: a case\nsearch: { strategy: bfs }', 'case.yaml:3:'],
    [
      'name: a case',
      'name: a case\nsearch: { strategy: pct, preemptions: 2 }',
      'strategy pct knows no most pre-emptions',
    ],
    ['  - name: app', '  - name: none\n  - name: app', 'case.yaml:6:5: process "none" has no VMAs; list one'],
    ['  - name: app', '  - name: app\n    count: 2', 'case.yaml:7:5: a case knows no "count" of a process; list each'],
    ['{ pages: 0-3 }', '{ pages: 0-3, state: swap }', 'see machine.pages and machine.swap'],
    ['size: 32K', 'size: 512K, populate: full }, { name: more, size: 4K', 'raise machine.pages'],
    ['munmap: { page: 4 }', 'mremap: { by: 0 }', 'case.yaml:10:19: by is 0: the pages stay where they are'],
    ['munmap: { page: 4 }', 'mremap: { by: 5 }', 'case.yaml:10:19: the new place, 5 pages on, overlaps the 8 pages'],
    ['munmap: { page: 4 }', 'mremap: { by: 4096 }', 'is outside of it; by is -256 to 3832 here'],
    ['munmap: { page: 4 }', 'uffd-move: { by: -300 }', 'case.yaml:10:22: the new place, from page -44 of'],
    ['munmap: { page: 4 }', 'hint-add: {}', 'case.yaml:10:5: kernel merged has no hints: hint-add does nothing there'],
    ['munmap: { page: 4 }', 'swap-out: { pages: 2 }', 'case.yaml:10:17: unknown key "pages"'],
    ['munmap: { page: 4 }', 'exit: { page: 2 }', 'case.yaml:10:13: unknown key "page"'],
    ['{ pages: 64 }', '{ variant: { installLock: nope } }', 'expected mmapReadPtl or mmapWriteClearPmd'],
  ])('%s -> %s', (part, by, said) => {
    const found = problem(part, by);
    expect(found).toContain(said);
    expect(found).toMatch(/^case\.yaml:\d+:\d+: /);
  });

  it('is told which format it is to begin with, if it is empty', () => {
    expect(() => parseCheck('', 'case.yaml')).toThrow('start with "format: thplab/check@1"');
  });

  it('is right as it stands', () => {
    expect(problem('name: a case', 'name: another case')).toBe('');
  });

  it('may disable what khugepaged works for: nobody waits for a thread that is not there', () => {
    expect(problem('munmap: { page: 4 }', 'sysfs-write: { path: enabled, value: never }')).toBe('');
  });
});
