// Memory cgroups in filters and goals (DAMON spec 3.5, 3.7).

import { describe, expect, it } from 'vitest';
import { createDamon } from '../create.js';
import { damon613, damon618 } from '../profile.js';
import { applyOnce, BASE, range } from '../testing/apply-once.js';
import { bareContext } from '../testing/bare-context.js';
import { MEMCG_FILTERS, MEMCG_GOALS, MEMCG_OF_A_CHILD } from '../testing/golden-memcg.js';
import { childOfA, type MemcgWorld, memcgWorld } from '../testing/memcg-world.js';
import { refusal, STAT } from '../testing/rounds.js';
import type { OpsFilter } from './filter.js';
import { goalValue } from './quota-goal.js';
import { schemeAt } from './running.js';

const EVERYTHING = [range(0, 65_536)];

function memcgFilter({ memcgs }: MemcgWorld, path: string, matching = true, allow = true): OpsFilter {
  return { type: 'memcg', memcg: memcgs.ensure(path), matching, allow };
}

describe('a filter by memory cgroup', () => {
  it.each(MEMCG_FILTERS)(
    '$row: $path, matching $matching, allow $allow lets $passed bytes of physical memory pass',
    (row) => {
      const world = memcgWorld();
      const opsFilters = [memcgFilter(world, row.path, row.matching, row.allow)];
      const { szOpsFilterPassed } = applyOnce(world.w, undefined, EVERYTHING, { action: 'stat', opsFilters });
      expect(szOpsFilterPassed).toBe(row.passed);
    },
  );

  it.each(MEMCG_OF_A_CHILD)('$row: $path lets $passed bytes of virtual addresses pass', ({ path, passed }) => {
    const world = memcgWorld();
    const opsFilters = [memcgFilter(world, path)];
    const stats = applyOnce(world.w, childOfA(world), [range(BASE, 1_024)], { action: 'stat', opsFilters });
    expect(stats.szOpsFilterPassed).toBe(passed);
  });

  it('keeps an action to one cgroup', () => {
    const world = memcgWorld();
    const { szApplied } = applyOnce(world.w, undefined, EVERYTHING, {
      action: 'migrate_cold',
      targetNid: 1,
      opsFilters: [memcgFilter(world, '/jobs/b')],
    });
    expect(szApplied).toBe(2_097_152);
  });

  it('is known since Linux 6.3; its goals are not in 6.18', () => {
    const world = memcgWorld();
    const opsFilters = [{ ...memcgFilter(world, '/jobs/a'), allow: false }];
    expect(refusal(() => bareContext([], { profile: damon613, schemes: [{ ...STAT, opsFilters }] }))).toBe('taken');
    const goals = [{ metric: 'node_memcg_used_bp' as const, targetValue: 1 }];
    const schemes = [{ ...STAT, quota: { goals } }];
    expect(refusal(() => bareContext([], { profile: damon618, schemes }))).toBe('EINVAL');
    expect(refusal(() => bareContext([], { schemes }))).toBe('taken');
  });
});

describe('a goal of a memory cgroup', () => {
  it.each(MEMCG_GOALS)('$row: $path on node $nid reads $used and $free', ({ path, nid, used, free }) => {
    const { w, memcgs } = memcgWorld();
    const d = createDamon({ machine: w.m, operations: 'paddr', targets: [{}], schemes: [STAT] });
    const of = path === undefined ? {} : { memcg: memcgs.ensure(path) };
    const reads = (metric: 'node_memcg_used_bp' | 'node_memcg_free_bp'): number =>
      goalValue(d, schemeAt(d, 0), { metric, targetValue: 1, nid, ...of });
    expect([reads('node_memcg_used_bp'), reads('node_memcg_free_bp')]).toEqual([used, free]);
  });
});
