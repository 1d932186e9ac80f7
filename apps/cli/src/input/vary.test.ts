import { GEOMETRY_4K } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import { filesOfKernel } from './sysfs-files.js';
import { shortNames, variations } from './vary.js';

const FILES = filesOfKernel('merged', GEOMETRY_4K);
const NONE = '/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none';
const ENABLED = '/sys/kernel/mm/transparent_hugepage/enabled';

describe('variations', () => {
  it('are every combination, the first option varying slowest', () => {
    const found = variations(['enabled=always,never', 'khugepaged/max_ptes_none=0,511'], FILES);
    expect(found.map(({ name }) => name)).toEqual([
      'enabled=always max_ptes_none=0',
      'enabled=always max_ptes_none=511',
      'enabled=never max_ptes_none=0',
      'enabled=never max_ptes_none=511',
    ]);
    expect(found[1]?.sysfs).toEqual([
      { path: ENABLED, value: 'always' },
      { path: NONE, value: '511' },
    ]);
  });

  it('are at most 64', () => {
    const eight = 'khugepaged/max_ptes_none=0,1,2,3,4,5,6,7';
    const nine = 'khugepaged/max_ptes_swap=0,1,2,3,4,5,6,7,8';
    expect(() => variations([eight, nine], FILES)).toThrow('72 variants; at most 64');
  });

  it('name a file once', () => {
    expect(() => variations(['enabled=always', 'enabled=never'], FILES)).toThrow('enabled twice');
    expect(() => variations([`${ENABLED}=always`, 'enabled=never'], FILES)).toThrow('enabled twice');
  });

  it.each([
    ['khugepaged/max_ptes_none', 'PATH=VALUE,VALUE'],
    ['khugepaged/max_ptes_none=0,,1', 'PATH=VALUE,VALUE'],
    ['khugepaged/max_ptes_non=0,1', 'did you mean khugepaged/max_ptes_none?'],
    ['khugepaged/max_ptes_none=0,512', 'above 511'],
  ])('refuse %s', (text, message) => {
    expect(() => variations([text], FILES)).toThrow(message);
  });
});

it('short names are as short as they stay different', () => {
  expect(shortNames(['hugepages-64kB/enabled', 'hugepages-32kB/enabled', 'khugepaged/defrag'])).toEqual([
    'hugepages-64kB/enabled',
    'hugepages-32kB/enabled',
    'khugepaged/defrag',
  ]);
  // Not "enabled", which is the file above it.
  expect(shortNames(['hugepages-64kB/enabled'])).toEqual(['hugepages-64kB/enabled']);
  expect(shortNames([ENABLED, NONE])).toEqual(['enabled', 'max_ptes_none']);
  expect(shortNames(['enabled', 'hugepages-64kB/enabled'])).toEqual(['enabled', 'hugepages-64kB/enabled']);
  expect(shortNames(['enabled', 'enabled'])).toEqual(['enabled', 'enabled']);
});
