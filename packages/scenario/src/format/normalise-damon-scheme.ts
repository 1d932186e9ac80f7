/** Defaults and checks of DAMOS schemes. */
import {
  completeScheme,
  type DamonProfile,
  type DamosActionName,
  type MonitoringAttributes,
  maxNrAccesses,
  type OperationsId,
  validateScheme,
} from '@thplab/damos-actions';
import { type Context, findMemcg } from './context.js';
import type { DraftFilter, DraftQuota, DraftScheme, EitherBound } from './draft-damon.js';
import { damonRange, refused } from './normalise-damon-range.js';
import { orderOf } from './normalise-machine.js';
import { formatKey, type KeyPath } from './problems.js';
import type { DamonFilterSpec, DamonGoalSpec, SchemeSpec } from './scenario-damon.js';
import type { Interval } from './units.js';

/** What of its kdamond a scheme depends on. */
export interface SchemeHome {
  readonly attributes: MonitoringAttributes;
  readonly profile: DamonProfile;
  readonly operations: OperationsId;
  /** How many there are. */
  readonly targets: number;
}

const NS_PER_US = 1000;
const NS_PER_MS = 1e6;
/** Stands for the kernel's ULONG_MAX: above every size, and exact in a double. */
const NO_LIMIT: number = 2 ** 64;
const NO_COUNT_LIMIT: number = 2 ** 32 - 1;
const DEFAULT_WINDOW_NS = 1e9;

/** One scheme in DAMON's own units. */
export function normaliseScheme(context: Context, draft: DraftScheme, home: SchemeHome, path: KeyPath): SchemeSpec {
  const { profile, attributes } = home;
  const action = draft.action as DamosActionName;
  if (!profile.actions.includes(action)) {
    const hint = `expected one of ${profile.actions.join(', ')}, or another damon.profile`;
    context.report([...path, 'action'], `DAMON ${profile.name} has no action ${action}`, hint);
  }
  const order =
    draft.targetOrder === undefined
      ? 0
      : orderOf(draft.targetOrder, context.machine, context.report, [...path, 'targetOrder']);
  if (order === 1) context.report([...path, 'targetOrder'], 'no folio has order 1 here', 'expected 0, or 2 and above');
  const config: SchemeSpec['config'] = {
    action,
    pattern: {
      size: closed(draft.size, NO_LIMIT),
      nrAccesses: accesses(draft.accesses, maxNrAccesses(attributes)),
      age: age(draft.age, attributes.aggrIntervalUs),
    },
    applyIntervalUs: Math.floor((draft.every ?? 0) / NS_PER_US),
    quota: quota(draft.quota),
    ...watermarks(draft.watermarks),
    maxNrSnapshots: draft.maxSnapshots ?? 0,
    targetOrder: order,
    ...migration(context, draft, path),
  };
  checkKernelHas(context, draft, profile, path);
  const filters = (draft.filters ?? []).map((one, i) => filter(context, one, home, [...path, 'filters', i]));
  refused(context, path, () => validateScheme(completeScheme(config)));
  return { key: formatKey(path), name: draft.name ?? action, config, goals: goals(context, draft, path), filters };
}

/** Where to move pages; the actions that move need it, and others have no use for it. */
function migration(
  context: Context,
  draft: DraftScheme,
  path: KeyPath,
): Pick<SchemeSpec['config'], 'targetNid' | 'dests'> {
  const moves = draft.action === 'migrate_hot' || draft.action === 'migrate_cold';
  const nodes = draft.node ?? [];
  if (moves !== nodes.length > 0) {
    const [what, hint] = moves
      ? [`${draft.action} without node`, 'say where to']
      : ['node without migrate', 'remove it'];
    context.report(moves ? path : [...path, 'node'], what, hint, 'key');
  }
  const missing = nodes.find(({ nid }) => nid >= context.machine.nodes.length);
  if (missing !== undefined) {
    const hint = `the machine has nodes 0 to ${context.machine.nodes.length - 1}`;
    context.report([...path, 'node'], `there is no node ${missing.nid}`, hint);
  }
  const [only] = nodes;
  return nodes.length === 1 ? { targetNid: only.nid } : { dests: nodes };
}

function checkKernelHas(context: Context, draft: DraftScheme, profile: DamonProfile, path: KeyPath): void {
  const lacks = (at: KeyPath, what: string): void => {
    context.report(at, `DAMON ${profile.name} has no ${what}`, 'remove it, or set another damon.profile', 'key');
  };
  if (draft.quota?.tuner === 'temporal' && !profile.temporalTuner) lacks([...path, 'quota', 'tuner'], 'temporal tuner');
  if (draft.quota?.failCharge !== undefined && !profile.failCharge)
    lacks([...path, 'quota', 'failCharge'], 'fail_charge');
  if ((draft.maxSnapshots ?? 0) !== 0 && !profile.snapshots) lacks([...path, 'maxSnapshots'], 'max_nr_snapshots');
  for (const [i, { metric }] of (draft.quota?.goals ?? []).entries()) {
    if (!profile.goalMetrics.includes(metric)) lacks([...path, 'quota', 'goals', i, 'metric'], `goal metric ${metric}`);
  }
}

function closed(bound: Interval | undefined, limit: number): { min: number; max: number } {
  return { min: bound?.min ?? 0, max: bound?.max ?? limit };
}

/** Shares of the samples become the counts that are within them. */
function accesses(bound: EitherBound<'percent', 'samples'> | undefined, most: number): { min: number; max: number } {
  if (bound === undefined || bound.unit === 'samples') return closed(bound, NO_COUNT_LIMIT);
  const min = bound.min === null ? 0 : Math.ceil((bound.min * most) / 100);
  return { min, max: bound.max === null ? NO_COUNT_LIMIT : Math.floor((bound.max * most) / 100) };
}

/** Times become the numbers of aggregations that are within them. */
function age(bound: EitherBound<'ns', 'aggregations'> | undefined, aggrUs: number): { min: number; max: number } {
  if (bound === undefined || bound.unit === 'aggregations') return closed(bound, NO_COUNT_LIMIT);
  const aggrNs = aggrUs * NS_PER_US;
  const min = bound.min === null ? 0 : Math.ceil(bound.min / aggrNs);
  return { min, max: bound.max === null ? NO_COUNT_LIMIT : Math.floor(bound.max / aggrNs) };
}

function quota(draft: DraftQuota | undefined): NonNullable<SchemeSpec['config']['quota']> {
  if (draft === undefined) return {};
  return {
    bytes: draft.size ?? 0,
    ms: Math.ceil((draft.time ?? 0) / NS_PER_MS),
    resetIntervalMs: Math.floor((draft.per ?? DEFAULT_WINDOW_NS) / NS_PER_MS),
    weights: {
      size: draft.weights?.size ?? 0,
      nrAccesses: draft.weights?.accesses ?? 0,
      age: draft.weights?.age ?? 0,
    },
    goalTuner: draft.tuner ?? 'consist',
    failChargeNum: draft.failCharge?.num ?? 0,
    failChargeDenom: draft.failCharge?.denom ?? 0,
  };
}

function goals(context: Context, { quota }: DraftScheme, path: KeyPath): DamonGoalSpec[] {
  return (quota?.goals ?? []).map(({ metric, target, current, node, memcg }, i) => {
    const at = [...path, 'quota', 'goals', i];
    const wanted = metric.startsWith('node_memcg_');
    if (wanted && memcg === undefined) context.report(at, `${metric} without memcg`, 'say of which cgroup', 'key');
    if (!wanted && memcg !== undefined) context.report([...at, 'memcg'], `memcg with ${metric}`, 'remove it', 'key');
    if (memcg !== undefined) findMemcg(context, memcg, [...at, 'memcg']);
    return {
      metric: metric as DamonGoalSpec['metric'],
      targetValue: target,
      ...(current === undefined ? {} : { currentValue: current }),
      ...(node === undefined ? {} : { nid: node }),
      ...(memcg === undefined ? {} : { memcg }),
    };
  });
}

function watermarks(draft: DraftScheme['watermarks']): Pick<SchemeSpec['config'], 'watermarks'> {
  if (draft === undefined) return {};
  const permille = (share: number): number => Math.round(share * 1000);
  return {
    watermarks: {
      metric: 'free_mem_rate',
      intervalUs: Math.floor(draft.interval / NS_PER_US),
      high: permille(draft.high),
      mid: permille(draft.mid),
      low: permille(draft.low),
    },
  };
}

const OWN_KEYS: Readonly<Record<string, readonly (keyof DraftFilter)[]>> = {
  addr: ['process', 'vma', 'blocks', 'pages', 'offset', 'address', 'size'],
  target: ['target'],
  memcg: ['memcg'],
  hugepage_size: ['min', 'max'],
};
const COMMON_KEYS: readonly string[] = ['allow', 'reject', 'not'];

function filter(context: Context, draft: DraftFilter, home: SchemeHome, path: KeyPath): DamonFilterSpec {
  const type = (draft.allow ?? draft.reject) as DamonFilterSpec['type'];
  const allow = draft.allow !== undefined;
  const { types, allow: mayAllow } = home.profile.filters;
  if (!types.includes(type) || (allow && !mayAllow)) {
    const what = types.includes(type) ? 'filters that allow' : `filter type ${type}`;
    context.report(path, `DAMON ${home.profile.name} has no ${what}`, `it rejects ${types.join(', ')}`, 'key');
  }
  for (const key of Object.keys(draft) as (keyof DraftFilter)[]) {
    if (draft[key] === undefined || COMMON_KEYS.includes(key) || OWN_KEYS[type]?.includes(key)) continue;
    context.report([...path, key], `a filter of type ${type} has no ${key}`, 'remove it', 'key');
  }
  const base = { key: formatKey(path), matching: draft.not !== true, allow };
  if (type === 'addr') return { ...base, type, range: addressRange(context, draft, home, path) };
  if (type === 'target') {
    if ((draft.target ?? 0) >= home.targets) {
      context.report([...path, 'target'], `there is no target ${draft.target ?? 0}`, 'they are counted from 0');
    }
    return { ...base, type, index: draft.target ?? 0 };
  }
  if (type === 'memcg') {
    if (draft.memcg === undefined) context.report(path, 'a filter of type memcg without memcg', 'say which one', 'key');
    else findMemcg(context, draft.memcg, [...path, 'memcg']);
    return { ...base, type, memcg: draft.memcg ?? '/' };
  }
  if (type !== 'hugepage_size') return { ...base, type };
  const { min = 0, max = NO_LIMIT } = draft;
  if (min > max) context.report([...path, 'min'], 'min is above max', 'expected min <= max');
  return { ...base, type, min, max };
}

function addressRange(
  context: Context,
  draft: DraftFilter,
  { operations }: SchemeHome,
  path: KeyPath,
): Extract<DamonFilterSpec, { type: 'addr' }>['range'] {
  const { vma, blocks, pages, offset, address, size } = draft;
  const range = { vma, blocks, pages, offset, address, size };
  if (operations === 'paddr') return damonRange(context, range, null, path);
  if (draft.process !== undefined) return damonRange(context, range, draft.process, path);
  if (address === undefined || size === undefined || vma !== undefined) {
    context.report(path, 'this does not say where', 'expected process and vma, or address and size', 'key');
  }
  return { process: null, vma: null, start: address ?? 0, length: size ?? 0 };
}
