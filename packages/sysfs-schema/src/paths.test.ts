import { describe, expect, it } from 'vitest';
import { GEOMETRY_4K } from './geometry.js';
import { defaultSettings, parseBootOptions } from './initial.js';
import { absolutePath, findNode, nearestPath } from './paths.js';
import { settingIndex } from './settings.js';
import { describeDifference, exportShell, requireFile, shellQuote } from './shell.js';
import { SYSFS_ROOT, sysfsTree } from './tree.js';

const tree = sysfsTree('merged', GEOMETRY_4K);
const none = `${SYSFS_ROOT}/khugepaged/max_ptes_none`;

describe('paths', () => {
  it('may be absolute, below the root, or start with its name', () => {
    for (const path of [
      none,
      'khugepaged/max_ptes_none',
      './khugepaged/max_ptes_none',
      'transparent_hugepage/khugepaged/max_ptes_none',
      '/sys/kernel/mm//transparent_hugepage/khugepaged/max_ptes_none',
      ' khugepaged//max_ptes_none ',
    ])
      expect(findNode(tree, path)?.path, path).toBe(none);
    for (const path of [SYSFS_ROOT, `${SYSFS_ROOT}/`, 'transparent_hugepage', '.', ''])
      expect(absolutePath(path), path).toBe(SYSFS_ROOT);
    expect(absolutePath('/')).toBe('/');
    expect(findNode(tree, 'khugepaged/')).toMatchObject({ kind: 'directory' });
    expect(findNode(tree, '/proc/vmstat')).toBe(null);
  });

  it.each([
    ['khugepaged/max_ptes_non', 'khugepaged/max_ptes_none'],
    ['khugepaged/max_pte_none', 'khugepaged/max_ptes_none'],
    ['khugepagd/max_ptes_none', 'khugepaged/max_ptes_none'],
    ['max_ptes_none', 'khugepaged/max_ptes_none'],
    ['kswapd/pages_to_scan', 'khugepaged/pages_to_scan'],
    ['enabeld', 'enabled'],
    ['defarg', 'defrag'],
    ['hugepages-64K/enabled', 'hugepages-64kB/enabled'],
    ['hugepages-2048KB/enabled', 'hugepages-2048kB/enabled'],
    ['/sys/kernel/mm/transparent_hugepage/hugepages-64kB/stats/swap_out', 'hugepages-64kB/stats/swpout'],
    ['hugepages-64kB/collapse_exceed_none_pte', 'hugepages-64kB/stats/collapse_exceed_none_pte'],
  ])('%s was meant to be %s', (wrong, right) => {
    expect(nearestPath(tree, wrong)).toBe(`${SYSFS_ROOT}/${right}`);
  });

  it('a path near none has no suggestion, however long it is', () => {
    for (const path of ['zzz', '/etc/passwd', 'x'.repeat(1_000_000)])
      expect(nearestPath(tree, path), path.slice(0, 20)).toBe(null);
  });

  it('every path is nearest to itself', () => {
    for (const { path } of tree) expect(nearestPath(tree, path)).toBe(path);
  });

  it('requireFile explains what is missing', () => {
    expect(requireFile(tree, 'khugepaged/max_ptes_none').path).toBe(none);
    expect(() => requireFile(tree, 'khugepaged/max_ptes_nnoe')).toThrow(`did you mean ${none}?`);
    expect(() => requireFile(tree, '/etc/passwd')).toThrow('this kernel has no file "/etc/passwd"');
    expect(() => requireFile(tree, 'khugepaged')).toThrow('is a directory');
  });
});

describe('shell lines', () => {
  it('are what a person would type', () => {
    expect(
      exportShell(tree, [
        ['khugepaged/max_ptes_none', 64],
        ['defrag', 'defer+madvise\n'],
        ['hugepages-64kB/enabled', 'always'],
      ]),
    ).toEqual([
      `echo 64 > ${none}`,
      `echo defer+madvise > ${SYSFS_ROOT}/defrag`,
      `echo always > ${SYSFS_ROOT}/hugepages-64kB/enabled`,
    ]);
  });

  it('are refused where the machine would refuse the write', () => {
    expect(() => exportShell(tree, [['khugepaged/max_ptes_none', 600]])).toThrow(/"600" is above 511.*\(EINVAL\)/);
    expect(() => exportShell(tree, [['khugepaged/full_scans', 0]])).toThrow(/read only \(EACCES\)/);
    expect(() => exportShell(tree, [['khugepaged/max_ptes', 0]])).toThrow(/did you mean/);
    expect(() => exportShell(tree, [['enabled', 'never; reboot']])).toThrow(/not one of its words/);
  });

  it('quote what a shell would read otherwise', () => {
    expect(exportShell(tree, [['shrink_underused', "y'$(reboot)"]])).toEqual([
      `echo 'y'\\''$(reboot)' > ${SYSFS_ROOT}/shrink_underused`,
    ]);
    expect(shellQuote('')).toBe("''");
    expect(shellQuote('~')).toBe("'~'");
    expect(shellQuote('a b')).toBe("'a b'");
  });

  it('turn the difference of two settings into the lines between them', () => {
    const before = defaultSettings(GEOMETRY_4K);
    expect(describeDifference(tree, before, before)).toEqual([]);
    const { settings: after } = parseBootOptions('transparent_hugepage=always thp_anon=64K:always;2M:inherit');
    after[settingIndex('khugepaged.max_ptes_none')] = 0;
    const difference = describeDifference(tree, before, after);
    expect(
      difference.map(({ path, before: old, after: now }) => [path.slice(SYSFS_ROOT.length + 1), old, now]),
    ).toEqual([
      ['enabled', 'madvise', 'always'],
      ['hugepages-64kB/enabled', 'never', 'always'],
      ['khugepaged/max_ptes_none', '511', '0'],
    ]);
    expect(
      exportShell(
        tree,
        difference.map(({ path, after: now }) => [path, now] as const),
      ),
    ).toHaveLength(3);
  });
});
