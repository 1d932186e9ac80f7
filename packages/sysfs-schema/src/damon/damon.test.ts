import { describe, expect, it } from 'vitest';
import { KERNEL_PROFILES } from '../profiles.js';
import { LINUX_6_18_DAMON } from '../testing/damon-6-18.js';
import type { DamonFileDecl } from './node.js';
import { DAMON_ROOT, DAMON_TREES, damonTree, damonTreeOf } from './trees.js';
import { damonDeclAt, damonPath, damonTemplates, kstrtoBase0, parseDamonWrite } from './values.js';

/** Rows of the live listing with numbers of folders as `N`. */
function liveTemplates(): string[] {
  const rows = LINUX_6_18_DAMON.trim()
    .split('\n')
    .map((row) => row.replaceAll(/\/\d+(?=\/|$)/g, '/N'));
  return [...new Set(rows)].sort();
}

describe("DAMON's files of Linux 6.18", () => {
  const listed = damonTemplates(damonTree('v6.18')).map(({ path, decl }) => {
    const kind = decl.kind === 'file' ? 'F' : 'D';
    return `${kind}\t0${decl.mode.toString(8)}\t${path === DAMON_ROOT ? '.' : path.slice(DAMON_ROOT.length + 1)}`;
  });

  it('include every path of a running one, with its mode', () => {
    expect(liveTemplates().filter((row) => !listed.includes(row))).toEqual([]);
  });

  it('are no more than those, apart from folders that the running one had none of', () => {
    const live = liveTemplates();
    const unexpected = listed.filter((row) => {
      if (live.includes(row)) return false;
      const parts = (row.split('\t')[2] ?? '').split('/');
      // A numbered folder that the listing has none of: under its list nothing can be compared.
      return !parts.some(
        (part, i) => part === 'N' && !live.some((one) => one.endsWith(`\t${parts.slice(0, i + 1).join('/')}`)),
      );
    });
    expect(unexpected).toEqual([]);
  });
});

describe("DAMON's files by kernel", () => {
  it('only grow from one kernel to the next', () => {
    const sets = DAMON_TREES.map((name) => new Set(damonTemplates(damonTree(name)).map(({ path }) => path)));
    for (const [i, set] of sets.entries()) {
      const before = sets[i - 1] ?? new Set<string>();
      expect([...before].filter((path) => !set.has(path))).toEqual([]);
    }
  });

  it('are known for every profile', () => {
    for (const kernel of KERNEL_PROFILES) expect(DAMON_TREES).toContain(damonTreeOf(kernel));
  });

  const has = (tree: (typeof DAMON_TREES)[number], path: string): boolean =>
    damonDeclAt(damonTree(tree), `${DAMON_ROOT}/${path}`) !== null;
  const scheme = 'kdamonds/0/contexts/0/schemes/0';

  it.each([
    [`${scheme}/target_order`, 'damon-rfc'],
    [`${scheme}/quotas/fail_charge_num`, 'mm-2026'],
    [`${scheme}/quotas/goal_tuner`, 'v7.1'],
    [`${scheme}/stats/nr_snapshots`, 'v7.1'],
    ['kdamonds/0/contexts/0/targets/3/obsolete_target', 'v7.1'],
    ['kdamonds/0/contexts/0/addr_unit', 'v6.18'],
    ['kdamonds/0/contexts/0/pause', 'mm-2026'],
    [`${scheme}/filters/0/allow`, 'v6.18'],
  ] as const)('%s comes with %s', (path, since) => {
    const from = DAMON_TREES.indexOf(since);
    for (const [i, tree] of DAMON_TREES.entries()) expect(has(tree, path), tree).toBe(i >= from);
  });

  it('paths are taken absolute or from the damon folder', () => {
    expect(damonPath('damon/admin/kdamonds/')).toBe(`${DAMON_ROOT}/kdamonds`);
    expect(damonPath('/sys/kernel/mm//damon/admin')).toBe(DAMON_ROOT);
    expect(damonPath('khugepaged/defrag')).toBeNull();
    expect(damonPath('damon/other')).toBeNull();
  });
});

describe('writes', () => {
  const tree = damonTree('damon-rfc');
  const write = (path: string, text: string): string => {
    const decl = damonDeclAt(tree, `${DAMON_ROOT}/${path}`) as DamonFileDecl;
    const result = parseDamonWrite(decl, text);
    return result.ok ? result.value : result.errno;
  };
  const context = 'kdamonds/0/contexts/0';

  it.each([
    ['kdamonds/nr_kdamonds', '1\n', '1'],
    ['kdamonds/nr_kdamonds', '-1', 'EINVAL'],
    ['kdamonds/nr_kdamonds', '0x10', '16'],
    ['kdamonds/0/contexts/nr_contexts', '2', 'EINVAL'],
    [`${context}/operations`, 'vaddr\n', 'vaddr'],
    [`${context}/operations`, 'vadr', 'EINVAL'],
    [`${context}/monitoring_attrs/intervals/sample_us`, '010', '8'],
    [`${context}/monitoring_attrs/intervals/sample_us`, '5ms', 'EINVAL'],
    [`${context}/monitoring_attrs/intervals/sample_us`, '18446744073709551615', '18446744073709551615'],
    [`${context}/monitoring_attrs/intervals/sample_us`, '18446744073709551616', 'ERANGE'],
    [`${context}/schemes/0/action`, 'split', 'split'],
    [`${context}/schemes/0/target_nid`, '-1', '-1'],
    [`${context}/schemes/0/core_filters/0/type`, 'anon', 'EINVAL'],
    [`${context}/schemes/0/ops_filters/0/type`, 'addr', 'EINVAL'],
    [`${context}/schemes/0/filters/0/type`, 'addr', 'addr'],
    [`${context}/schemes/0/filters/0/type`, 'nothing', 'EINVAL'],
    [`${context}/schemes/0/filters/0/matching`, '1', 'Y'],
    [`${context}/schemes/0/stats/nr_tried`, '0', 'EACCES'],
    ['kdamonds/0/state', 'commit\n', 'commit'],
    ['kdamonds/0/state', 'restart', 'EINVAL'],
  ])('%s takes %j as %s', (path, text, value) => {
    expect(write(path, text)).toBe(value);
  });

  it('numbers have no spaces, no rubbish, and one newline at most', () => {
    for (const bad of ['', ' 1', '1 ', '1\n\n', '0x', '08', '1e3', '--1']) {
      expect(kstrtoBase0(bad, 'int'), JSON.stringify(bad)).toBe('EINVAL');
    }
    expect(kstrtoBase0('9'.repeat(10_000), 'ulong')).toBe('ERANGE');
  });
});
