// Files that name memory cgroups, and the file pause (DAMON spec 6.1, 6.2).

import { DAMON_ROOT } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import { damonMm } from '../profile.js';
import { schemeStats } from '../schemes/running.js';
import {
  MEMCG_FILTER_FILES,
  MEMCG_FILTERS,
  MEMCG_GOAL_FILES,
  REFUSED_RANGES,
  REFUSED_SCHEMES,
} from '../testing/golden-memcg.js';
import { memcgWorld } from '../testing/memcg-world.js';
import { DamonAdmin } from './admin.js';
import type { DamonWriteOutcome } from './files.js';

const SCHEME = '0/contexts/0/schemes/0';
/** A context on all physical memory, with one scheme that counts every region. */
const PHYSICAL: readonly (readonly [string, string])[] = [
  ['nr_kdamonds', '1'],
  ['0/contexts/nr_contexts', '1'],
  ['0/contexts/0/operations', 'paddr'],
  ['0/contexts/0/targets/nr_targets', '1'],
  ['0/contexts/0/targets/0/regions/nr_regions', '1'],
  ['0/contexts/0/targets/0/regions/0/end', String(65_536 * 4_096)],
  ['0/contexts/0/schemes/nr_schemes', '1'],
  [`${SCHEME}/access_pattern/sz/max`, '18446744073709551615'],
  [`${SCHEME}/access_pattern/nr_accesses/max`, '4294967295'],
  [`${SCHEME}/access_pattern/age/max`, '4294967295'],
];
const FILES = { filter: MEMCG_FILTER_FILES, goal: MEMCG_GOAL_FILES } as const;

function desk() {
  const world = memcgWorld();
  const { w, memcgs } = world;
  const admin = new DamonAdmin({
    machine: w.m,
    profile: damonMm,
    tree: 'mm-2026',
    memcgs,
    startThread: (name, procedure, options) => w.executor.spawn(name, procedure, options).id,
    mmOfPid: () => undefined,
    extras: () => ({ locking: 'batch', seed: 1, minRegionSize: 2 ** 28 }),
  });
  const command = (path: string, value: string): DamonWriteOutcome =>
    w.run(() => admin.write(`${DAMON_ROOT}/kdamonds/${path}`, `${value}\n`));
  const write = (writes: readonly (readonly [string, string])[]): void => {
    for (const [path, value] of writes) expect([path, command(path, value)]).toEqual([path, { ok: true }]);
  };
  write(PHYSICAL);
  return { ...world, admin, command, write };
}

describe('memcg_path', () => {
  it.each(MEMCG_FILTERS.filter(({ allow }) => allow))('$row: $path, matching $matching', (row) => {
    const { w, admin, write } = desk();
    write([
      ...MEMCG_FILTER_FILES,
      [`${SCHEME}/ops_filters/0/memcg_path`, row.path],
      [`${SCHEME}/ops_filters/0/matching`, row.matching ? 'Y' : 'N'],
      ['0/state', 'on'],
    ]);
    expect(admin.read(`${DAMON_ROOT}/kdamonds/${SCHEME}/ops_filters/0/memcg_path`)).toBe(`${row.path}\n`);
    w.pass(0.11);
    const damon = admin.context(0);
    expect(damon === undefined ? undefined : schemeStats(damon, 0).szOpsFilterPassed).toBe(row.passed);
  });

  it('means the cgroup that has the path when on or commit reads it', () => {
    const { memcgs, command, write } = desk();
    write([...MEMCG_FILTER_FILES, [`${SCHEME}/ops_filters/0/memcg_path`, '/later']]);
    expect(command('0/state', 'on')).toMatchObject({ ok: false });
    memcgs.ensure('/later');
    expect(command('0/state', 'on')).toEqual({ ok: true });
  });
});

describe('a scheme that makes no sense', () => {
  it.each(REFUSED_SCHEMES)('$row: $path = "$value"', ({ files, path, value, says }) => {
    const { command, write } = desk();
    write([...FILES[files], [path, value]]);
    const on = command('0/state', 'on');
    expect(on).toMatchObject({ ok: false, errno: 'ENOMEM' });
    expect(on.ok ? '' : on.message).toContain(says);
    expect(on.ok ? '' : on.message).toContain('/jobs/b');
    write([
      [path, '/jobs/a'],
      ['0/state', 'on'],
      [path, value],
    ]);
    expect(command('0/state', 'commit')).toMatchObject({ ok: false, errno: 'EINVAL' });
    const goals = command('0/state', 'commit_schemes_quota_goals');
    expect(goals).toMatchObject(files === 'goal' ? { ok: false, errno: 'EINVAL' } : { ok: true });
    write([
      [path, '/jobs/b'],
      ['0/state', 'commit'],
    ]);
  });

  it.each(REFUSED_RANGES)('$row', ({ layer, type, from, to }) => {
    const { command, write } = desk();
    write([
      [`${SCHEME}/${layer}/nr_filters`, '1'],
      [`${SCHEME}/${layer}/0/type`, type],
      [`${SCHEME}/${layer}/0/${from}`, '8192'],
      [`${SCHEME}/${layer}/0/${to}`, '4096'],
    ]);
    expect(command('0/state', 'on')).toMatchObject({ ok: false, errno: 'ENOMEM' });
  });
});

describe('pause', () => {
  it('takes effect at on and at commit', () => {
    const { w, admin, write } = desk();
    const tried = (): number => {
      const damon = admin.context(0);
      return damon === undefined ? -1 : schemeStats(damon, 0).nrTried;
    };
    write([
      ['0/contexts/0/pause', 'Y'],
      ['0/state', 'on'],
    ]);
    w.pass(1);
    expect(tried()).toBe(0);
    write([['0/contexts/0/pause', 'N']]);
    w.pass(1);
    expect(tried()).toBe(0);
    write([['0/state', 'commit']]);
    w.pass(1);
    const first = tried();
    expect(first).toBeGreaterThan(0);
    write([
      ['0/contexts/0/pause', '1'],
      ['0/state', 'commit'],
    ]);
    const paused = tried();
    w.pass(1);
    expect(tried()).toBe(paused);
    write([['0/state', 'update_schemes_stats']]);
    expect(admin.read(`${DAMON_ROOT}/kdamonds/${SCHEME}/stats/nr_tried`)).toBe(`${paused}\n`);
  });
});
