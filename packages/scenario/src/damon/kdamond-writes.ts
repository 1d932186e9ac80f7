/** A kdamond of a scenario as the writes that set it up, as damo makes them: paths are relative to its folder. */
import type { DamonFilterSpec, DamonGoalSpec, DamonTargetSpec, KdamondSpec, SchemeSpec } from '../format/index.js';
import { scenarioError } from '../run/run-error.js';
import type { World } from '../run/world.js';
import { addressRange, rangesToAddresses } from './address-ranges.js';
import { pidOf } from './pids.js';

/** Path and value of one write. */
export type Write = readonly [path: string, value: string];

const ULONG_MAX = '18446744073709551615';

/** Numbers as the files take them: whatever is above every address is the largest number. */
function ulong(value: number): string {
  return value >= 2 ** 64 ? ULONG_MAX : String(Math.floor(value));
}

/** All writes up to, and without, switching it on. Errors: ScenarioError for targets and ranges that are not there. */
export function kdamondWrites(world: World, spec: KdamondSpec): Write[] {
  const under = 'contexts/0';
  const { attributes: a } = spec;
  const attrs = `${under}/monitoring_attrs`;
  const goal = `${attrs}/intervals/intervals_goal`;
  const { intervalsGoal } = a;
  return [
    ['contexts/nr_contexts', '1'],
    [`${under}/operations`, spec.operations],
    ...(a.addrUnit === 1 ? [] : [[`${under}/addr_unit`, ulong(a.addrUnit)] as const]),
    ...(spec.pause ? [[`${under}/pause`, 'Y'] as const] : []),
    [`${attrs}/intervals/sample_us`, ulong(a.sampleIntervalUs)],
    [`${attrs}/intervals/aggr_us`, ulong(a.aggrIntervalUs)],
    [`${attrs}/intervals/update_us`, ulong(a.opsUpdateIntervalUs)],
    ...(intervalsGoal.aggrs === 0
      ? []
      : ([
          [`${goal}/access_bp`, ulong(intervalsGoal.accessBp)],
          [`${goal}/aggrs`, ulong(intervalsGoal.aggrs)],
          [`${goal}/min_sample_us`, ulong(intervalsGoal.minSampleUs)],
          [`${goal}/max_sample_us`, ulong(intervalsGoal.maxSampleUs)],
        ] as const)),
    [`${attrs}/nr_regions/min`, ulong(a.minNrRegions)],
    [`${attrs}/nr_regions/max`, ulong(a.maxNrRegions)],
    ...targetWrites(world, spec, `${under}/targets`),
    [`${under}/schemes/nr_schemes`, String(spec.schemes.length)],
    ...spec.schemes.flatMap((scheme, index) => schemeWrites(world, spec, scheme, `${under}/schemes/${index}`)),
  ];
}

function targetWrites(world: World, spec: KdamondSpec, under: string): Write[] {
  const members = spec.targets.flatMap((target) => targetMembers(world, target));
  if (members.length === 0) {
    throw scenarioError(world.locate, `${spec.key}.targets`, 'no target of it lives then', 'start it at another time');
  }
  const unit = spec.attributes.addrUnit;
  return [
    [`${under}/nr_targets`, String(members.length)],
    ...members.flatMap(({ pid, ranges }, index): Write[] => [
      ...(pid === null ? [] : [[`${under}/${index}/pid_target`, String(pid)] as const]),
      [`${under}/${index}/regions/nr_regions`, String(ranges.length)],
      ...ranges.flatMap(({ start, end }, region): Write[] => [
        [`${under}/${index}/regions/${region}/start`, ulong(start / unit)],
        [`${under}/${index}/regions/${region}/end`, ulong(end / unit)],
      ]),
    ]),
  ];
}

/** A target for each live process that the name means. */
function targetMembers(
  world: World,
  { process, ranges }: DamonTargetSpec,
): { readonly pid: number | null; readonly ranges: ReturnType<typeof rangesToAddresses> }[] {
  if (process === null) return [{ pid: null, ranges: rangesToAddresses(world, ranges, null) }];
  return world.processes
    .named(process)
    .map((one) => ({ pid: pidOf(world, one.mm), ranges: rangesToAddresses(world, ranges, one) }));
}

function schemeWrites(world: World, spec: KdamondSpec, scheme: SchemeSpec, under: string): Write[] {
  const { config } = scheme;
  const { pattern } = config;
  const range = (name: string, { min, max }: { min: number; max: number }): Write[] => [
    [`${under}/access_pattern/${name}/min`, ulong(min)],
    [`${under}/access_pattern/${name}/max`, ulong(max)],
  ];
  const dests = config.dests ?? [];
  return [
    [`${under}/action`, config.action],
    ...range('sz', pattern.size),
    ...range('nr_accesses', pattern.nrAccesses),
    ...range('age', pattern.age),
    [`${under}/apply_interval_us`, ulong(config.applyIntervalUs ?? 0)],
    ...(config.targetOrder ? [[`${under}/target_order`, String(config.targetOrder)] as const] : []),
    ...((config.targetNid ?? -1) < 0 ? [] : [[`${under}/target_nid`, String(config.targetNid)] as const]),
    ...(dests.length === 0 ? [] : [[`${under}/dests/nr_dests`, String(dests.length)] as const]),
    ...dests.flatMap(({ nid, weight }, i): Write[] => [
      [`${under}/dests/${i}/id`, String(nid)],
      [`${under}/dests/${i}/weight`, String(weight)],
    ]),
    ...quotaWrites(config.quota ?? {}, scheme.goals, `${under}/quotas`),
    ...watermarkWrites(config.watermarks, `${under}/watermarks`),
    ...(config.maxNrSnapshots ? [[`${under}/stats/max_nr_snapshots`, ulong(config.maxNrSnapshots)] as const] : []),
    ...filterWrites(world, spec, scheme.filters, under),
  ];
}

function quotaWrites(
  quota: NonNullable<SchemeSpec['config']['quota']>,
  goals: readonly DamonGoalSpec[],
  under: string,
): Write[] {
  const { weights = {} } = quota;
  const some = (path: string, value: number | undefined): Write[] =>
    value === undefined || value === 0 ? [] : [[`${under}/${path}`, ulong(value)]];
  return [
    ...some('ms', quota.ms),
    ...some('bytes', quota.bytes),
    ...some('reset_interval_ms', quota.resetIntervalMs),
    ...some('weights/sz_permil', weights.size),
    ...some('weights/nr_accesses_permil', weights.nrAccesses),
    ...some('weights/age_permil', weights.age),
    ...some('fail_charge_num', quota.failChargeNum),
    ...some('fail_charge_denom', quota.failChargeDenom),
    ...(quota.goalTuner === undefined || quota.goalTuner === 'consist'
      ? []
      : [[`${under}/goal_tuner`, quota.goalTuner] as const]),
    ...(goals.length === 0 ? [] : [[`${under}/goals/nr_goals`, String(goals.length)] as const]),
    ...goals.flatMap((goal, index) => goalWrites(goal, `${under}/goals/${index}`)),
  ];
}

function goalWrites({ metric, targetValue, currentValue, nid, memcg }: DamonGoalSpec, under: string): Write[] {
  return [
    [`${under}/target_metric`, metric],
    [`${under}/target_value`, ulong(targetValue)],
    ...(currentValue === undefined ? [] : [[`${under}/current_value`, ulong(currentValue)] as const]),
    ...(nid === undefined ? [] : [[`${under}/nid`, String(nid)] as const]),
    ...(memcg === undefined ? [] : [[`${under}/path`, memcg] as const]),
  ];
}

function watermarkWrites(watermarks: SchemeSpec['config']['watermarks'], under: string): Write[] {
  if (watermarks === undefined || watermarks.metric === undefined || watermarks.metric === 'none') return [];
  const { metric, intervalUs = 0, high = 0, mid = 0, low = 0 } = watermarks;
  return [
    [`${under}/metric`, metric],
    [`${under}/interval_us`, ulong(intervalUs)],
    [`${under}/high`, ulong(high)],
    [`${under}/mid`, ulong(mid)],
    [`${under}/low`, ulong(low)],
  ];
}

/** Each filter goes to the folder of its layer; kernels without layers have one folder for all. */
function filterWrites(world: World, spec: KdamondSpec, filters: readonly DamonFilterSpec[], under: string): Write[] {
  const layered = world.kdamonds.profile.filters.allow;
  const isCore = ({ type }: DamonFilterSpec): boolean => type === 'addr' || type === 'target';
  const folders: readonly (readonly [string, readonly DamonFilterSpec[]])[] = layered
    ? [
        ['core_filters', filters.filter(isCore)],
        ['ops_filters', filters.filter((filter) => !isCore(filter))],
      ]
    : [['filters', filters]];
  return folders.flatMap(([folder, list]): Write[] => {
    if (list.length === 0) return [];
    const count: Write = [`${under}/${folder}/nr_filters`, String(list.length)];
    const each = list.flatMap((filter, i) => filterFiles(world, spec, filter, `${under}/${folder}/${i}`, layered));
    return [count, ...each];
  });
}

function filterFiles(
  world: World,
  spec: KdamondSpec,
  filter: DamonFilterSpec,
  under: string,
  layered: boolean,
): Write[] {
  const common: Write[] = [
    [`${under}/type`, filter.type],
    [`${under}/matching`, filter.matching ? 'Y' : 'N'],
    ...(layered ? [[`${under}/allow`, filter.allow ? 'Y' : 'N'] as const] : []),
  ];
  switch (filter.type) {
    case 'addr': {
      const [range] = addressRange(world, filter.range, null);
      if (range === undefined) {
        const what = 'the range of this filter is not mapped then';
        throw scenarioError(world.locate, filter.key, what, 'name another VMA');
      }
      const unit = spec.attributes.addrUnit;
      return [
        ...common,
        [`${under}/addr_start`, ulong(range.start / unit)],
        [`${under}/addr_end`, ulong(range.end / unit)],
      ];
    }
    case 'target':
      return [...common, [`${under}/damon_target_idx`, String(filter.index)]];
    case 'memcg':
      return [...common, [`${under}/memcg_path`, filter.memcg]];
    case 'hugepage_size':
      return [...common, [`${under}/min`, ulong(filter.min)], [`${under}/max`, ulong(filter.max)]];
    default:
      return common;
  }
}
