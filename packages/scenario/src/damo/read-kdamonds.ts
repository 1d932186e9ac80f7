/**
 * damo's kdamonds documents (DAMON spec 8.2, 8.3) as kdamonds of a scenario. They come from a JSON or YAML text, or stand in
 * the scenario itself. What damo knows and this model does not is refused, never overlooked; keys that damo itself would
 * overlook are.
 */
import {
  DAMOS_ACTIONS,
  type DamosActionName,
  DEFAULT_ATTRIBUTES,
  FILTER_TYPES,
  type MonitoringAttributes,
  maxNrAccesses,
  type OperationsId,
  QUOTA_GOAL_METRICS,
} from '@thplab/damos-actions';
import { suggest } from '../format/did-you-mean.js';
import { formatKey } from '../format/problems.js';
import type {
  DamonFilterSpec,
  DamonGoalSpec,
  DamonTargetSpec,
  KdamondSpec,
  SchemeSpec,
} from '../format/scenario-damon.js';
import { DamoValue, type Report } from './damo-value.js';

/** What a document does not say. */
export interface DamoContext {
  readonly report: Report;
  readonly pageSize: number;
  /** Paths of the memory cgroups; null: any may be there. */
  readonly memcgs: ReadonlySet<string> | null;
  /** Name of the process that a pid of the document means; null: none. */
  readonly processOfPid: (pid: number | string) => string | null;
  /** Process of documents that are only a list of schemes; null: the scenario does not tell. */
  readonly onlyProcess: string | null;
}

const NO_LIMIT: number = 2 ** 64;
const NO_COUNT_LIMIT: number = 2 ** 32 - 1;
const US_PER_NS = 1e-3;
/** damo writes this into every quota without one. */
const DEFAULT_WINDOW_NS = 1e9;

/** The kdamonds of a document: `{kdamonds: [...]}`, or a bare list of schemes as older tools have it. */
export function readKdamondsDocument(
  document: unknown,
  path: readonly (string | number)[],
  home: DamoContext,
): KdamondSpec[] {
  const root = new DamoValue(document, path, home.report);
  if (root.isList()) return [schemesOnly(root, home)];
  return root.list('kdamonds', true).flatMap((kdamond, index) => readKdamond(kdamond, index, home));
}

function schemesOnly(root: DamoValue, home: DamoContext): KdamondSpec {
  const process = home.onlyProcess;
  if (process === null)
    root.wrong('this is a list of schemes, and there are several processes', 'write a kdamonds document');
  const attributes = defaultAttributes(home);
  return {
    ...kdamondBase(root, 0),
    operations: 'vaddr',
    attributes,
    pause: false,
    targets: [{ key: formatKey(root.path), process, ranges: [] }],
    schemes: namedSchemes(root.items().map((one) => readScheme(one, 'vaddr', attributes, home))),
  };
}

function kdamondBase(
  value: DamoValue,
  index: number,
): Pick<KdamondSpec, 'key' | 'name' | 'start' | 'stop' | 'seed' | 'locks'> {
  const key = formatKey(value.path);
  return { key, name: `kdamond-${index}`, start: 0, stop: null, seed: null, locks: 'batch' };
}

function defaultAttributes({ pageSize }: DamoContext): MonitoringAttributes {
  return { ...DEFAULT_ATTRIBUTES, opsUpdateIntervalUs: 1_000_000, minRegionSize: pageSize };
}

function readKdamond(value: DamoValue, index: number, home: DamoContext): KdamondSpec[] {
  const contexts = value.list('contexts', true);
  if (contexts.length !== 1) value.wrong(`a kdamond with ${contexts.length} contexts`, 'DAMON has one each');
  return contexts.slice(0, 1).map((context) => readContext(context, value, index, home));
}

function readContext(context: DamoValue, kdamond: DamoValue, index: number, home: DamoContext): KdamondSpec {
  const operations = context.choice('ops', ['vaddr', 'fvaddr', 'paddr'] as const, 'vaddr');
  refuseUnknown(context);
  const attributes = readAttributes(context, operations, home);
  const targets = context
    .list('targets', true)
    .flatMap((target) => readTarget(target, operations, attributes.addrUnit, home));
  if (operations === 'paddr' ? targets.length > 1 : targets.length === 0) {
    context.wrong(`${operations} with ${targets.length} targets`, operations === 'paddr' ? 'keep one' : 'give it one');
  }
  const none: DamonTargetSpec = { key: formatKey(context.path), process: null, ranges: [] };
  return {
    ...kdamondBase(kdamond, index),
    operations,
    attributes,
    pause: context.flag('pause', false),
    targets: targets.length === 0 ? [none] : targets,
    schemes: namedSchemes(context.list('schemes').map((one) => readScheme(one, operations, attributes, home))),
  };
}

/** Parts of newer documents that are only taken where they ask for nothing. */
function refuseUnknown(context: DamoValue): void {
  if (context.list('probes').length > 0)
    context.wrongAt('probes', 'probes of attributes are not modelled', 'remove them');
  const control = context.map('sample_control');
  if (control === null) return;
  if (control.list('sample_filters').length > 0) control.wrong('sample filters are not modelled', 'remove them');
  const primitives = control.map('primitives_enabled');
  if (primitives?.flag('page_fault', false) || primitives?.flag('page_table', true) === false) {
    primitives.wrong('only page tables are looked at', 'expected page_table true and page_fault false');
  }
}

function readAttributes(context: DamoValue, operations: OperationsId, home: DamoContext): MonitoringAttributes {
  const defaults = defaultAttributes(home);
  const intervals = context.map('intervals');
  const goal = intervals?.map('intervals_goal') ?? null;
  const regions = context.map('nr_regions');
  const addrUnit = Math.max(1, context.bytes('addr_unit', 1));
  const us = (of: DamoValue | null, key: string, otherwise: number): number =>
    of === null ? otherwise : Math.floor(of.time(key, 1000, otherwise * 1000) * US_PER_NS);
  return {
    sampleIntervalUs: us(intervals, 'sample_us', defaults.sampleIntervalUs),
    aggrIntervalUs: us(intervals, 'aggr_us', defaults.aggrIntervalUs),
    opsUpdateIntervalUs: us(intervals, 'ops_update_us', defaults.opsUpdateIntervalUs),
    minNrRegions: regions?.count('min', defaults.minNrRegions) ?? defaults.minNrRegions,
    maxNrRegions: regions?.count('max', defaults.maxNrRegions) ?? defaults.maxNrRegions,
    addrUnit,
    minRegionSize: operations === 'paddr' ? Math.max(1, Math.floor(home.pageSize / addrUnit)) : home.pageSize,
    intervalsGoal: {
      accessBp: goal?.ratio('access_bp', 10_000, 0) ?? 0,
      aggrs: goal?.count('aggrs', 0) ?? 0,
      minSampleUs: us(goal, 'min_sample_us', 0),
      maxSampleUs: us(goal, 'max_sample_us', 0),
    },
  };
}

function readTarget(target: DamoValue, operations: OperationsId, unit: number, home: DamoContext): DamonTargetSpec[] {
  if (target.flag('obsolete', false)) return [];
  const ranges = target.list('regions', true).map((region) => {
    const start = region.bytes('start', 0, true);
    const end = region.bytes('end', 0, true);
    if (end <= start) region.wrong('the region ends before it starts', 'expected start < end');
    return { process: null, vma: null, start: start * unit, length: Math.max(0, end - start) * unit };
  });
  const key = formatKey(target.path);
  if (operations === 'paddr') return [{ key, process: null, ranges }];
  const pid = target.scalar('pid');
  const process = pid === null ? null : home.processOfPid(pid);
  if (process === null) {
    const hint = 'name the process in pids: {PID: NAME}, or in the document itself';
    target.wrongAt('pid', `no process of the scenario has pid ${String(pid)}`, hint);
  }
  return [{ key, process, ranges }];
}

/** Schemes are named after their actions; equal ones are numbered. */
function namedSchemes(schemes: readonly SchemeSpec[]): SchemeSpec[] {
  return schemes.map((scheme, index) => {
    const before = schemes.slice(0, index).filter(({ name }) => name === scheme.name).length;
    return before === 0 ? scheme : { ...scheme, name: `${scheme.name}-${before + 1}` };
  });
}

function readScheme(
  scheme: DamoValue,
  operations: OperationsId,
  attributes: MonitoringAttributes,
  home: DamoContext,
): SchemeSpec {
  const action = scheme.choice('action', DAMOS_ACTIONS, 'stat' as DamosActionName);
  const dests = scheme.list('dests').map((dest) => ({ nid: dest.count('id', 0), weight: dest.count('weight', 0) }));
  const order = scheme.count('target_order', 0);
  return {
    key: formatKey(scheme.path),
    name: action,
    config: {
      action,
      pattern: readPattern(scheme.map('access_pattern'), attributes),
      applyIntervalUs: Math.floor(scheme.time('apply_interval_us', 1000, 0) * US_PER_NS),
      quota: readQuota(scheme.map('quotas')),
      ...readWatermarks(scheme.map('watermarks')),
      maxNrSnapshots: scheme.map('stats')?.count('max_nr_snapshots', 0) ?? scheme.count('max_nr_snapshots', 0),
      targetOrder: order,
      targetNid: scheme.integer('target_nid', -1),
      dests,
    },
    goals: (scheme.map('quotas')?.list('goals') ?? []).map((goal) => readGoal(goal, home)),
    filters: scheme.list('filters').map((filter) => readFilter(filter, operations, attributes.addrUnit, home)),
  };
}

function readPattern(pattern: DamoValue | null, attributes: MonitoringAttributes): SchemeSpec['config']['pattern'] {
  const most = maxNrAccesses(attributes);
  const samples = (percent: number): number =>
    percent >= NO_LIMIT ? NO_COUNT_LIMIT : Math.min(NO_COUNT_LIMIT, Math.floor((percent * most) / 100));
  const aggregations = (ns: number): number =>
    ns >= NO_LIMIT ? NO_COUNT_LIMIT : Math.min(NO_COUNT_LIMIT, Math.floor(ns / (attributes.aggrIntervalUs * 1000)));
  const none = { min: 0, max: NO_COUNT_LIMIT };
  if (pattern === null) return { size: { min: 0, max: NO_LIMIT }, nrAccesses: none, age: none };
  const size = pattern.map('sz_bytes', true);
  const accesses = pattern.map('nr_accesses', true);
  const age = pattern.map('age', true);
  return {
    size: { min: size?.bytes('min', 0, true) ?? 0, max: size?.bytes('max', NO_LIMIT, true) ?? NO_LIMIT },
    nrAccesses:
      accesses === null ? none : accesses.eitherRange('samples', (text) => accesses.asRatio(text, 100), samples),
    age: age === null ? none : age.eitherRange('aggr_intervals', (text) => age.asTime(text, 1000), aggregations),
  };
}

function readQuota(quotas: DamoValue | null): NonNullable<SchemeSpec['config']['quota']> {
  if (quotas === null) return {};
  const weights = quotas.map('weights');
  const ms = (key: string, otherwise: number): number => Math.ceil(quotas.time(key, 1e6, otherwise) / 1e6);
  return {
    ms: ms('time_ms', 0),
    bytes: quotas.bytes('sz_bytes', 0),
    resetIntervalMs: ms('reset_interval_ms', DEFAULT_WINDOW_NS),
    weights: {
      size: weights?.ratio('sz_permil', 1000, 0) ?? 0,
      nrAccesses: weights?.ratio('nr_accesses_permil', 1000, 0) ?? 0,
      age: weights?.ratio('age_permil', 1000, 0) ?? 0,
    },
    goalTuner: quotas.choice('goal_tuner', ['consist', 'temporal'] as const, 'consist'),
    failChargeNum: quotas.count('fail_charge_num', 0),
    failChargeDenom: quotas.count('fail_charge_denom', 0),
  };
}

function readGoal(goal: DamoValue, home: DamoContext): DamonGoalSpec {
  const metric = goal.choice('metric', QUOTA_GOAL_METRICS, 'user_input');
  const inBp = metric.endsWith('_bp');
  const value = (key: string): number => {
    if (inBp) return goal.ratio(key, 10_000, 0);
    return metric === 'some_mem_psi_us' ? Math.floor(goal.time(key, 1000, 0) * US_PER_NS) : goal.count(key, 0);
  };
  const nid = goal.has('nid') ? goal.count('nid', 0) : undefined;
  return {
    metric,
    targetValue: value('target_value'),
    currentValue: value('current_value'),
    ...(nid === undefined ? {} : { nid }),
    ...(metric.startsWith('node_memcg_') ? { memcg: readMemcg(goal, home) } : {}),
  };
}

/** The memory cgroup of a filter or goal. */
function readMemcg(value: DamoValue, { memcgs }: DamoContext): string {
  const path = value.text('memcg_path');
  if (path !== null && memcgs?.has(path) === false) {
    value.wrongAt('memcg_path', `there is no memory cgroup ${JSON.stringify(path)}`, suggest(path, [...memcgs], 12));
  }
  return path ?? '/';
}

function readWatermarks(marks: DamoValue | null): Pick<SchemeSpec['config'], 'watermarks'> {
  if (marks === null) return {};
  const metric = marks.choice('metric', ['none', 'free_mem_rate'] as const, 'none');
  return {
    watermarks: {
      metric,
      intervalUs: Math.floor(marks.time('interval_us', 1000, 0) * US_PER_NS),
      high: marks.ratio('high_permil', 1000, 0),
      mid: marks.ratio('mid_permil', 1000, 0),
      low: marks.ratio('low_permil', 1000, 0),
    },
  };
}

function readFilter(filter: DamoValue, operations: OperationsId, unit: number, home: DamoContext): DamonFilterSpec {
  const type = filter.choice('filter_type', FILTER_TYPES, 'anon', true);
  const base = {
    key: formatKey(filter.path),
    matching: filter.flag('matching', true),
    allow: filter.flag(filter.has('allow') ? 'allow' : 'filter_pass', false),
  };
  if (type === 'target') return { ...base, type, index: filter.count('damon_target_idx', 0, true) };
  if (type === 'hugepage_size') {
    const [min, max] = filter.list('hugepage_size', true);
    if (min === undefined || max === undefined) filter.wrongAt('hugepage_size', 'no range', 'expected [min, max]');
    return { ...base, type, min: min?.asBytes() ?? 0, max: max?.asBytes() ?? NO_LIMIT };
  }
  if (type === 'memcg') return { ...base, type, memcg: readMemcg(filter, home) };
  if (type !== 'addr') return { ...base, type };
  const range = filter.map('address_range', true);
  const start = range?.bytes('start', 0, true) ?? 0;
  const end = range?.bytes('end', 0, true) ?? 0;
  if (end < start) filter.wrongAt('address_range', 'it ends before it starts', 'expected start <= end');
  const scale = operations === 'paddr' ? unit : 1;
  return {
    ...base,
    type,
    range: { process: null, vma: null, start: start * scale, length: Math.max(0, end - start) * scale },
  };
}
