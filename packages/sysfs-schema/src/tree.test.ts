import { describe, expect, it } from 'vitest';
import { mthpStatCell } from './counters.js';
import { SysfsSchemaError } from './errors.js';
import { formatRead, parseRead } from './format-read.js';
import { GEOMETRY_4K, GEOMETRY_16K, GEOMETRY_64K, GEOMETRY_TINY, type Geometry } from './geometry.js';
import { defaultSettings } from './initial.js';
import { describeProfile, isKernelProfile, KERNEL_PROFILES, type KernelProfile } from './profiles.js';
import { LINUX_6_18_TREE } from './testing/linux-6-18.js';
import { file, MACHINES } from './testing/trees.js';
import { filesOf, isWritable, SYSFS_ROOT, sysfsTree } from './tree.js';

interface Row {
  readonly kind: string;
  readonly mode: number;
  readonly path: string;
  readonly content: string;
}

const machine: readonly Row[] = LINUX_6_18_TREE.trimEnd()
  .split('\n')
  .map((line) => line.split('\t'))
  .map(([kind = '', mode = '', path = '', content = '']) => ({
    kind,
    mode: Number.parseInt(mode, 8),
    path: path === '.' ? SYSFS_ROOT : `${SYSFS_ROOT}/${path}`,
    content: `${content}\n`,
  }));
const tree = sysfsTree('v6.18', GEOMETRY_4K);

describe('the tree of profile v6.18 with 4 KiB pages', () => {
  it('has the paths, kinds and modes of a running Linux 6.18, in the order of a recursive listing', () => {
    expect(machine.length).toBe(199);
    expect(tree.map(({ kind, path, mode }) => ({ kind, path, mode }))).toEqual(
      machine.map(({ kind, path, mode }) => ({ kind: kind === 'D' ? 'directory' : 'file', path, mode })),
    );
  });

  it('shows the contents of that machine when fed with its counters, and its settings are the defaults', () => {
    const contents = new Map(machine.map((row) => [row.path, row.content]));
    for (const file of filesOf(tree)) {
      const content = contents.get(file.path) ?? 'absent';
      const counter = file.grammar.kind === 'counter';
      expect(formatRead(file, counter ? Number(content) : file.default), file.path).toBe(content);
      expect(parseRead(file, content), file.path).toBe(counter ? Number(content) : file.default);
    }
  });
});

describe('the tree of any kernel on any geometry', () => {
  it.each(MACHINES)(
    '%s %o has each path once, each file in a listed directory, and each cell once',
    (profile, geometry) => {
      const nodes = sysfsTree(profile, geometry);
      const paths = new Set(nodes.map((node) => node.path));
      expect(paths.size).toBe(nodes.length);
      const directories = new Set(nodes.filter((node) => node.kind === 'directory').map((node) => node.path));
      for (const node of nodes)
        if (node.path !== SYSFS_ROOT) expect(directories).toContain(node.path.slice(0, node.path.lastIndexOf('/')));

      const cells = filesOf(nodes).flatMap(({ storage: s }) =>
        s.kind === 'constant' ? [] : [`${s.kind === 'order-setting' ? 'setting' : s.kind} ${s.cell}`],
      );
      expect(new Set(cells).size).toBe(cells.length);
    },
  );

  it.each(MACHINES)('%s %o has counters and constants read only and everything else writable', (profile, geometry) => {
    for (const file of filesOf(sysfsTree(profile, geometry))) {
      const counts = file.grammar.kind === 'counter' || file.grammar.kind === 'constant';
      expect(isWritable(file), file.path).toBe(!counts);
      expect(file.mode, file.path).toBe(counts ? 0o444 : 0o644);
    }
  });

  it.each(MACHINES)('%s %o has defaults that equal the settings after a plain boot', (profile, geometry) => {
    const settings = defaultSettings(geometry);
    for (const { path, storage, default: value } of filesOf(sysfsTree(profile, geometry)))
      if (storage.kind === 'setting' || storage.kind === 'order-setting')
        expect(settings[storage.cell], path).toBe(value);
  });
});

describe('page geometry', () => {
  const directories = (geometry: Geometry): readonly string[] =>
    sysfsTree('merged', geometry)
      .map((node) => node.path.slice(SYSFS_ROOT.length + 1))
      .filter((path) => /^hugepages-\d+kB$/.test(path))
      .toSorted((a, b) => Number.parseInt(a.slice(10), 10) - Number.parseInt(b.slice(10), 10));

  it('names a directory for every order from 1 to the PMD order', () => {
    expect(directories(GEOMETRY_16K)).toEqual(
      [32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768].map((kb) => `hugepages-${kb}kB`),
    );
    expect(directories(GEOMETRY_64K).at(-1)).toBe('hugepages-524288kB');
    expect(directories(GEOMETRY_64K)).toHaveLength(13);
    expect(directories(GEOMETRY_TINY)).toEqual(['hugepages-8kB', 'hugepages-16kB', 'hugepages-32kB']);
  });

  it('gives order 1 to files only, and with 64 KiB pages the orders above 11 to anonymous memory only', () => {
    const paths = new Set(sysfsTree('merged', GEOMETRY_64K).map((node) => node.path.slice(SYSFS_ROOT.length + 1)));
    expect(paths).not.toContain('hugepages-128kB/enabled');
    expect(paths).toContain('hugepages-128kB/shmem_enabled');
    expect(paths).toContain('hugepages-524288kB/enabled');
    expect(paths).not.toContain('hugepages-524288kB/shmem_enabled');
    expect(paths).not.toContain('hugepages-524288kB/stats/shmem_alloc');
    expect(paths).toContain('hugepages-524288kB/stats/swpout');
    expect(paths).toContain('hugepages-131072kB/shmem_enabled');
  });

  it.each([
    [GEOMETRY_4K, 2097152, 511, 64, 256, 4096],
    [GEOMETRY_16K, 33554432, 2047, 256, 1024, 16384],
    [GEOMETRY_64K, 536870912, 8191, 1024, 4096, 65536],
    [GEOMETRY_TINY, 32768, 7, 1, 4, 64],
  ])('%o sizes the PMD, the limits and the scan budget', (geometry, bytes, none, swap, shared, scan) => {
    const value = (path: string): number => file(path, 'merged', geometry).default;
    expect(value('hpage_pmd_size')).toBe(bytes);
    expect(value('khugepaged/max_ptes_none')).toBe(none);
    expect(value('khugepaged/max_ptes_swap')).toBe(swap);
    expect(value('khugepaged/max_ptes_shared')).toBe(shared);
    expect(value('khugepaged/pages_to_scan')).toBe(scan);
    for (const name of ['none', 'swap', 'shared'])
      expect(file(`khugepaged/max_ptes_${name}`, 'merged', geometry).grammar).toMatchObject({ min: 0, max: none });
  });

  it('refuses a geometry it has no cells for, and says which it takes', () => {
    expect(() => sysfsTree('merged', { pageShift: 12, pmdOrder: 14 })).toThrow(/pmdOrder is 14.*from 2 to 13/);
    expect(() => sysfsTree('merged', { pageShift: 11, pmdOrder: 9 })).toThrow(/pageShift is 11/);
    expect(() => sysfsTree('merged', { pageShift: 12, pmdOrder: 2.5 })).toThrow(SysfsSchemaError);
  });
});

describe('what differs between kernels', () => {
  const stats = (profile: KernelProfile, size = '64kB'): readonly string[] =>
    sysfsTree(profile, GEOMETRY_4K)
      .map((node) => node.path)
      .filter((path) => path.includes(`/hugepages-${size}/stats/`))
      .map((path) => path.slice(path.lastIndexOf('/') + 1));
  const newer = (profile: KernelProfile, than: KernelProfile): readonly string[] =>
    stats(profile).filter((name) => !stats(than).includes(name));

  it('the mTHP series adds two allocation counters and three limit counters to the files of 6.18', () => {
    const added = [
      'collapse_alloc',
      'collapse_alloc_failed',
      'collapse_exceed_none_pte',
      'collapse_exceed_shared_pte',
      'collapse_exceed_swap_pte',
    ];
    for (const profile of [
      'v4',
      'v12',
      'v15',
      'v17',
      'v18',
      'hints-rfc',
      'merged',
      'damon-rfc',
      'madvise-mthp',
    ] as const) {
      expect(newer(profile, 'v6.18'), profile).toEqual(added);
      expect(newer('v6.18', profile), profile).toEqual([]);
    }
  });

  it('the limit counters are for anonymous orders only, the allocation counters for every order', () => {
    expect(stats('merged', '8kB').filter((name) => name.startsWith('collapse'))).toEqual([
      'collapse_alloc',
      'collapse_alloc_failed',
    ]);
  });

  it('the first RFCs have no new files, Dev Jain calls his anonymous, and 6.13 lacks the swap-in fallbacks', () => {
    expect(newer('rfc-v1', 'v6.18')).toEqual([]);
    expect(newer('rfc-v2', 'v6.18')).toEqual([]);
    expect(newer('dev-v1', 'v6.18')).toEqual(['anon_collapse_alloc', 'anon_collapse_alloc_failed']);
    expect(stats('dev-v1', '8kB')).not.toContain('anon_collapse_alloc');
    expect(file('hugepages-64kB/stats/anon_collapse_alloc', 'dev-v1').storage).toMatchObject({
      name: 'collapse_alloc',
      cell: mthpStatCell('collapse_alloc', 4),
    });
    expect(newer('v6.18', 'v6.13')).toEqual(['swpin_fallback', 'swpin_fallback_charge']);
  });

  it('describes every profile, and knows no other', () => {
    for (const profile of KERNEL_PROFILES) {
      const description = describeProfile(profile);
      expect(description.name).toBe(profile);
      expect(description.mthpCollapse).toBe(description.minCollapseOrder !== null);
      expect(description.title).not.toBe('');
    }
    expect(() => describeProfile('v9' as KernelProfile)).toThrow(/no kernel profile is called "v9"; there are v6.13, /);
    expect(isKernelProfile('toString')).toBe(false);
  });
});
