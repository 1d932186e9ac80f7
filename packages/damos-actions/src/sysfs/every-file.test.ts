// Kernel selftest sysfs.py (DAMON spec 11.3): every parameter written is what the running kernel has, after on and after commit.

import { DAMON_ROOT, damonTemplates, damonTree } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import { readAttributes } from '../monitor/attributes.js';
import { damonRfcV2 } from '../profile.js';
import { makeDamonWorld, makeProcess } from '../testing/damon-world.js';
import { DamonAdmin } from './admin.js';

const BASE = 0x80000;
const CONTEXT = '0/contexts/0';
const SCHEME = `${CONTEXT}/schemes/0`;

/** Paths below kdamonds/, values, in the order of writing. `plus` makes other values for the commit. */
function writes(plus: number): readonly (readonly [string, string])[] {
  const n = (value: number): string => String(value + plus);
  return [
    [`${CONTEXT}/monitoring_attrs/intervals/sample_us`, n(4_000)],
    [`${CONTEXT}/monitoring_attrs/intervals/aggr_us`, n(200_000)],
    [`${CONTEXT}/monitoring_attrs/intervals/update_us`, n(3_000_000)],
    [`${CONTEXT}/monitoring_attrs/intervals/intervals_goal/access_bp`, n(400)],
    [`${CONTEXT}/monitoring_attrs/intervals/intervals_goal/aggrs`, n(7)],
    [`${CONTEXT}/monitoring_attrs/intervals/intervals_goal/min_sample_us`, n(1_000)],
    [`${CONTEXT}/monitoring_attrs/intervals/intervals_goal/max_sample_us`, n(9_000_000)],
    [`${CONTEXT}/monitoring_attrs/nr_regions/min`, n(11)],
    [`${CONTEXT}/monitoring_attrs/nr_regions/max`, n(222)],
    [`${SCHEME}/action`, plus === 0 ? 'split' : 'hugepage'],
    [`${SCHEME}/apply_interval_us`, n(300_000)],
    [`${SCHEME}/target_nid`, n(0)],
    [`${SCHEME}/target_order`, plus === 0 ? '3' : '4'],
    [`${SCHEME}/access_pattern/sz/min`, n(4_096)],
    [`${SCHEME}/access_pattern/sz/max`, n(8_192)],
    [`${SCHEME}/access_pattern/nr_accesses/min`, n(1)],
    [`${SCHEME}/access_pattern/nr_accesses/max`, n(19)],
    [`${SCHEME}/access_pattern/age/min`, n(2)],
    [`${SCHEME}/access_pattern/age/max`, n(77)],
    [`${SCHEME}/quotas/ms`, n(12)],
    [`${SCHEME}/quotas/bytes`, n(1_048_576)],
    [`${SCHEME}/quotas/reset_interval_ms`, n(900)],
    [`${SCHEME}/quotas/fail_charge_num`, n(1)],
    [`${SCHEME}/quotas/fail_charge_denom`, n(1_024)],
    [`${SCHEME}/quotas/weights/sz_permil`, n(1)],
    [`${SCHEME}/quotas/weights/nr_accesses_permil`, n(2)],
    [`${SCHEME}/quotas/weights/age_permil`, n(3)],
    [`${SCHEME}/quotas/goals/0/target_metric`, 'node_mem_free_bp'],
    [`${SCHEME}/quotas/goals/0/target_value`, n(500)],
    [`${SCHEME}/quotas/goals/0/current_value`, n(5)],
    [`${SCHEME}/quotas/goals/0/nid`, '0'],
    [`${SCHEME}/watermarks/interval_us`, n(5_000_000)],
    [`${SCHEME}/watermarks/high`, n(990)],
    [`${SCHEME}/watermarks/mid`, n(900)],
    [`${SCHEME}/watermarks/low`, n(20)],
    [`${SCHEME}/stats/max_nr_snapshots`, n(1_000)],
    [`${SCHEME}/dests/0/id`, '0'],
    [`${SCHEME}/dests/0/weight`, n(3)],
    [`${SCHEME}/core_filters/0/type`, 'addr'],
    [`${SCHEME}/core_filters/0/allow`, plus === 0 ? 'Y' : 'N'],
    [`${SCHEME}/core_filters/0/matching`, 'Y'],
    [`${SCHEME}/core_filters/0/addr_start`, n(4_096)],
    [`${SCHEME}/core_filters/0/addr_end`, n(65_536)],
    [`${SCHEME}/ops_filters/0/type`, 'hugepage_size'],
    [`${SCHEME}/ops_filters/0/min`, n(2_097_152)],
    [`${SCHEME}/ops_filters/0/max`, n(4_194_304)],
    [`${SCHEME}/filters/0/type`, 'target'],
    [`${SCHEME}/filters/0/damon_target_idx`, n(0)],
  ];
}

const LISTS: readonly (readonly [string, string])[] = [
  ['nr_kdamonds', '1'],
  ['0/contexts/nr_contexts', '1'],
  [`${CONTEXT}/operations`, 'fvaddr'],
  [`${CONTEXT}/targets/nr_targets`, '1'],
  [`${CONTEXT}/targets/0/pid_target`, '7'],
  [`${CONTEXT}/targets/0/regions/nr_regions`, '1'],
  [`${CONTEXT}/targets/0/regions/0/start`, String(BASE * 4_096)],
  [`${CONTEXT}/targets/0/regions/0/end`, String((BASE + 512) * 4_096)],
  [`${CONTEXT}/schemes/nr_schemes`, '1'],
  [`${SCHEME}/quotas/goals/nr_goals`, '1'],
  [`${SCHEME}/dests/nr_dests`, '1'],
  [`${SCHEME}/core_filters/nr_filters`, '1'],
  [`${SCHEME}/ops_filters/nr_filters`, '1'],
  [`${SCHEME}/filters/nr_filters`, '1'],
];

/** What the context has, flat: every number and word of its attributes and of its scheme. */
function held(admin: DamonAdmin): string[] {
  const damon = admin.context(0);
  if (damon === undefined) return [];
  const words: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) collect(one);
    else words.push(String(value));
  };
  collect(readAttributes(damon));
  collect(damon.runningSchemes.map(({ config }) => config));
  return words;
}

describe('every file of a context and its scheme', () => {
  const w = makeDamonWorld();
  const { mm } = makeProcess(w, BASE, 512);
  const admin = new DamonAdmin({
    machine: w.m,
    profile: damonRfcV2,
    tree: 'damon-rfc',
    collapse: w.collapse,
    startThread: (name, procedure, options) => w.executor.spawn(name, procedure, options).id,
    mmOfPid: (pid) => (pid === 7 ? mm : undefined),
  });
  const write = (path: string, value: string): void => {
    expect([path, w.run(() => admin.write(`${DAMON_ROOT}/kdamonds/${path}`, value))]).toEqual([path, { ok: true }]);
  };

  it.each([
    ['on', 0],
    ['commit', 1],
  ] as const)('is what runs after %s', (command, plus) => {
    if (plus === 0) for (const [path, value] of LISTS) write(path, value);
    for (const [path, value] of writes(plus)) write(path, value);
    write('0/state', command);
    const found = held(admin);
    for (const [path, value] of writes(plus)) {
      const shown = value === 'Y' ? 'true' : value === 'N' ? 'false' : value;
      expect(found, `${path} = ${value}`).toContain(shown);
    }
  });

  it('is written by this test, but for what others test, what is not modelled and what concerns no scheme', () => {
    const numbered = (path: string): string => path.replaceAll(/(^|\/)\d+(?=\/|$)/g, '$1N');
    const written = new Set([...LISTS, ...writes(0)].map(([path]) => numbered(path)));
    const files = damonTemplates(damonTree('damon-rfc'))
      .filter(({ decl }) => decl.kind === 'file' && decl.grammar.kind !== 'shown')
      .map(({ path }) => path.slice(`${DAMON_ROOT}/kdamonds/`.length));
    const left = files.filter(
      (path) => !written.has(path) && !/probes|pause|obsolete|goals\/N\/path|filters\/N\//.test(path),
    );
    expect(left).toEqual([
      'N/state',
      'N/refresh_ms',
      'N/contexts/N/addr_unit',
      'N/contexts/N/schemes/N/quotas/goal_tuner',
      'N/contexts/N/schemes/N/watermarks/metric',
    ]);
  });
});
