/** From the files of a context's folder to what DAMON is made with; what `on` and `commit` refuse (DAMON spec 6.2). */
import type { MmId } from '@thplab/mm-model';
import type { OperationsId } from '../access/access-checks.js';
import type { TargetConfig } from '../create.js';
import { DamonError } from '../errors.js';
import type { MonitoringAttributes } from '../monitor/attributes.js';
import { type CoreFilter, FILTER_TYPES, type FilterType, type OpsFilter } from '../schemes/filter.js';
import {
  type ClosedRange,
  DAMOS_ACTIONS,
  type DamosActionName,
  QUOTA_GOAL_METRICS,
  type Quota,
  type QuotaGoal,
  type QuotaGoalMetric,
  type SchemeInput,
  type Watermarks,
} from '../schemes/scheme.js';
import type { DamonFolder } from './folder.js';

/** What a context's files say. */
export interface ContextInput {
  readonly operations: OperationsId;
  /** All but the smallest region, which no file says. */
  readonly attributes: Omit<MonitoringAttributes, 'minRegionSize'>;
  readonly targets: readonly TargetConfig[];
  readonly schemes: readonly SchemeInput[];
}

/** Finds the address space of a process. */
export type MmOfPid = (pid: number) => MmId | undefined;

/** Reads a context's folder. Errors: DamonError for what the kernel, or this model, refuses. */
export function readContextFolder(context: DamonFolder, mmOfPid: MmOfPid): ContextInput {
  const operations = context.text('operations') as OperationsId;
  if (context.flag('pause')) throw new DamonError('EINVAL', 'pause is not modelled: leave it at N');
  return {
    operations,
    attributes: readAttributeFiles(context),
    targets: context
      .folder('targets')
      .numbered()
      .map((target) => readTarget(target, operations, mmOfPid)),
    schemes: context.folder('schemes').numbered().map(readScheme),
  };
}

function readAttributeFiles(context: DamonFolder): ContextInput['attributes'] {
  const attrs = context.folder('monitoring_attrs');
  const intervals = attrs.folder('intervals');
  const regions = attrs.folder('nr_regions');
  const goal = intervals.hasFolder('intervals_goal') ? intervals.folder('intervals_goal') : undefined;
  if (attrs.hasFolder('probes') && attrs.folder('probes').numbered().length > 0) {
    throw new DamonError('EINVAL', 'probes of attributes are not modelled: leave nr_probes at 0');
  }
  return {
    sampleIntervalUs: intervals.number('sample_us'),
    aggrIntervalUs: intervals.number('aggr_us'),
    opsUpdateIntervalUs: intervals.number('update_us'),
    minNrRegions: regions.number('min'),
    maxNrRegions: regions.number('max'),
    addrUnit: context.number('addr_unit', 1),
    intervalsGoal: {
      accessBp: goal?.number('access_bp') ?? 0,
      aggrs: goal?.number('aggrs') ?? 0,
      minSampleUs: goal?.number('min_sample_us') ?? 0,
      maxSampleUs: goal?.number('max_sample_us') ?? 0,
    },
  };
}

function readTarget(folder: DamonFolder, operations: OperationsId, mmOfPid: MmOfPid): TargetConfig {
  const regions = folder
    .folder('regions')
    .numbered()
    .map((region) => ({ start: region.number('start'), end: region.number('end') }));
  const given = {
    ...(regions.length === 0 ? {} : { regions }),
    ...(folder.flag('obsolete_target') ? { obsolete: true } : {}),
  };
  if (operations === 'paddr') return given;
  const pid = folder.number('pid_target');
  const mm = mmOfPid(pid);
  if (mm === undefined) throw new DamonError('EINVAL', `${folder.path}/pid_target: there is no process ${pid}`);
  return { mm, ...given };
}

function readScheme(folder: DamonFolder): SchemeInput {
  const action = folder.text('action');
  if (!isOneOf(DAMOS_ACTIONS, action)) throw new DamonError('EINVAL', `the action ${action} is not modelled`);
  const pattern = folder.folder('access_pattern');
  const dests = folder.hasFolder('dests') ? folder.folder('dests').numbered() : [];
  return {
    action: action as DamosActionName,
    pattern: {
      size: readRange(pattern.folder('sz')),
      nrAccesses: readRange(pattern.folder('nr_accesses')),
      age: readRange(pattern.folder('age')),
    },
    applyIntervalUs: folder.number('apply_interval_us'),
    targetNid: folder.number('target_nid'),
    dests: dests.map((dest) => ({ nid: dest.number('id'), weight: dest.number('weight') })),
    targetOrder: folder.number('target_order'),
    quota: readQuota(folder.folder('quotas')),
    watermarks: readWatermarks(folder.folder('watermarks')),
    maxNrSnapshots: folder.folder('stats').number('max_nr_snapshots'),
    ...readFilters(folder),
  };
}

function readRange(folder: DamonFolder): ClosedRange {
  return { min: folder.number('min'), max: folder.number('max') };
}

function readQuota(folder: DamonFolder): Quota {
  const weights = folder.folder('weights');
  return {
    ms: folder.number('ms'),
    bytes: folder.number('bytes'),
    resetIntervalMs: folder.number('reset_interval_ms'),
    weights: {
      size: weights.number('sz_permil'),
      nrAccesses: weights.number('nr_accesses_permil'),
      age: weights.number('age_permil'),
    },
    goals: readGoals(folder),
    goalTuner: folder.text('goal_tuner', 'consist') as Quota['goalTuner'],
    failChargeNum: folder.number('fail_charge_num'),
    failChargeDenom: folder.number('fail_charge_denom'),
  };
}

/** The goals of a quota's folder. Errors: DamonError for a metric that is not modelled. */
export function readGoals(quotas: DamonFolder): QuotaGoal[] {
  return quotas
    .folder('goals')
    .numbered()
    .map((goal) => {
      const metric = goal.text('target_metric');
      if (!isOneOf(QUOTA_GOAL_METRICS, metric)) {
        throw new DamonError('EINVAL', `the goal metric ${metric} is not modelled: there are no memory cgroups`);
      }
      return {
        metric: metric as QuotaGoalMetric,
        targetValue: goal.number('target_value'),
        currentValue: goal.number('current_value'),
        nid: goal.number('nid'),
      };
    });
}

function readWatermarks(folder: DamonFolder): Watermarks {
  return {
    metric: folder.text('metric') as Watermarks['metric'],
    intervalUs: folder.number('interval_us'),
    high: folder.number('high'),
    mid: folder.number('mid'),
    low: folder.number('low'),
  };
}

/** Installation order: core_filters, ops_filters, then the old folder, each filter in its layer (DAMON spec 3.7). */
function readFilters(scheme: DamonFolder): { coreFilters: CoreFilter[]; opsFilters: OpsFilter[] } {
  const coreFilters: CoreFilter[] = [];
  const opsFilters: OpsFilter[] = [];
  for (const name of ['core_filters', 'ops_filters', 'filters']) {
    if (!scheme.hasFolder(name)) continue;
    for (const folder of scheme.folder(name).numbered()) {
      const filter = readFilter(folder);
      if (filter.type === 'addr' || filter.type === 'target') coreFilters.push(filter);
      else opsFilters.push(filter);
    }
  }
  return { coreFilters, opsFilters };
}

function readFilter(folder: DamonFolder): CoreFilter | OpsFilter {
  const type = folder.text('type');
  if (!isOneOf(FILTER_TYPES, type)) {
    throw new DamonError('EINVAL', `${folder.path}: filters of type ${type} are not modelled: no memory cgroups`);
  }
  const base = { matching: folder.flag('matching'), allow: folder.flag('allow') };
  switch (type as FilterType) {
    case 'addr':
      return { ...base, type: 'addr', start: folder.number('addr_start'), end: folder.number('addr_end') };
    case 'target':
      return { ...base, type: 'target', targetIndex: folder.number('damon_target_idx') };
    case 'hugepage_size':
      return { ...base, type: 'hugepage_size', min: folder.number('min'), max: folder.number('max') };
    default:
      return { ...base, type: type as 'anon' | 'active' | 'young' | 'unmapped' };
  }
}

function isOneOf(words: readonly string[], word: string): boolean {
  return words.includes(word);
}
