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
  ])('%s -> %s', (part, by, said) => {
    const found = problem(part, by);
    expect(found).toContain(said);
    expect(found).toMatch(/^case\.yaml:\d+:\d+: /);
  });

  it('is right as it stands', () => {
    expect(problem('name: a case', 'name: another case')).toBe('');
  });

  it('may disable what khugepaged works for: nobody waits for a thread that is not there', () => {
    expect(problem('munmap: { page: 4 }', 'sysfs-write: { path: enabled, value: never }')).toBe('');
  });
});
