/** From the files of a context's folder to what DAMON is made with; what `on` and `commit` refuse (DAMON spec 6.2). */
import type { MemcgId, MemcgPaths, MmId } from '@thplab/mm-model';
import type { OperationsId } from '../access/access-checks.js';
import type { TargetConfig } from '../create.js';
import { type DamonErrno, DamonError } from '../errors.js';
import type { MonitoringAttributes } from '../monitor/attributes.js';
import type { CoreFilter, FilterType, OpsFilter } from '../schemes/filter.js';
import {
  type ClosedRange,
  DAMOS_ACTIONS,
  type DamosActionName,
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
  readonly pause: boolean;
}

/** Finds the address space of a process. */
export type MmOfPid = (pid: number) => MmId | undefined;

/** What the files name, and how the kernel says that there is no such thing. */
export interface Named {
  readonly mmOfPid: MmOfPid;
  readonly memcgs: MemcgPaths;
  /** Of a scheme whose filters or goals make no sense: ENOMEM for `on`, EINVAL for other commands (DAMON spec 6.2). */
  readonly badScheme: DamonErrno;
}

/** Reads a context's folder. Errors: DamonError for what the kernel, or this model, refuses. */
export function readContextFolder(context: DamonFolder, named: Named): ContextInput {
  const operations = context.text('operations') as OperationsId;
  return {
    operations,
    attributes: readAttributeFiles(context),
    targets: context
      .folder('targets')
      .numbered()
      .map((target) => readTarget(target, operations, named.mmOfPid)),
    schemes: context
      .folder('schemes')
      .numbered()
      .map((scheme) => readScheme(scheme, named)),
    pause: context.flag('pause'),
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

function readScheme(folder: DamonFolder, named: Named): SchemeInput {
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
    quota: readQuota(folder.folder('quotas'), named),
    watermarks: readWatermarks(folder.folder('watermarks')),
    maxNrSnapshots: folder.folder('stats').number('max_nr_snapshots'),
    ...readFilters(folder, named),
  };
}

function readRange(folder: DamonFolder): ClosedRange {
  return { min: folder.number('min'), max: folder.number('max') };
}

function readQuota(folder: DamonFolder, named: Named): Quota {
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
    goals: readGoals(folder, named),
    goalTuner: folder.text('goal_tuner', 'consist') as Quota['goalTuner'],
    failChargeNum: folder.number('fail_charge_num'),
    failChargeDenom: folder.number('fail_charge_denom'),
  };
}

/** The goals of a quota's folder. Errors: DamonError for a memory cgroup that there is not. */
export function readGoals(quotas: DamonFolder, named: Omit<Named, 'mmOfPid'>): QuotaGoal[] {
  return quotas
    .folder('goals')
    .numbered()
    .map((goal) => {
      const metric = goal.text('target_metric') as QuotaGoalMetric;
      return {
        metric,
        targetValue: goal.number('target_value'),
        currentValue: goal.number('current_value'),
        nid: goal.number('nid'),
        ...(isOfMemcg(metric) ? { memcg: memcgAt(goal, 'path', named) } : {}),
      };
    });
}

function isOfMemcg(metric: QuotaGoalMetric): boolean {
  return metric === 'node_memcg_used_bp' || metric === 'node_memcg_free_bp';
}

/** The memory cgroup that a file names (`damon_sysfs_memcg_path_to_id`). */
function memcgAt(folder: DamonFolder, file: string, { memcgs, badScheme }: Omit<Named, 'mmOfPid'>): MemcgId {
  const path = folder.text(file);
  const memcg = memcgs.find(path);
  if (memcg !== undefined) return memcg;
  const what = path === '' ? 'names no memory cgroup' : `there is no memory cgroup ${path}`;
  throw new DamonError(badScheme, `${folder.path}/${file}: ${what}; there is ${someOf(memcgs.paths)}`);
}

function someOf(paths: readonly string[]): string {
  return paths.length > 8 ? `${paths.slice(0, 8).join(', ')} and ${paths.length - 8} more` : paths.join(', ');
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
function readFilters(scheme: DamonFolder, named: Named): { coreFilters: CoreFilter[]; opsFilters: OpsFilter[] } {
  const coreFilters: CoreFilter[] = [];
  const opsFilters: OpsFilter[] = [];
  for (const name of ['core_filters', 'ops_filters', 'filters']) {
    if (!scheme.hasFolder(name)) continue;
    for (const folder of scheme.folder(name).numbered()) {
      const filter = readFilter(folder, named);
      if (filter.type === 'addr' || filter.type === 'target') coreFilters.push(filter);
      else opsFilters.push(filter);
    }
  }
  return { coreFilters, opsFilters };
}

function readFilter(folder: DamonFolder, named: Named): CoreFilter | OpsFilter {
  const type = folder.text('type') as FilterType;
  const base = { matching: folder.flag('matching'), allow: folder.flag('allow') };
  switch (type) {
    case 'addr': {
      const [start, end] = ascending(folder, 'addr_start', 'addr_end', named);
      return { ...base, type, start, end };
    }
    case 'target':
      return { ...base, type, targetIndex: folder.number('damon_target_idx') };
    case 'hugepage_size': {
      const [min, max] = ascending(folder, 'min', 'max', named);
      return { ...base, type, min, max };
    }
    case 'memcg':
      return { ...base, type, memcg: memcgAt(folder, 'memcg_path', named) };
    default:
      return { ...base, type };
  }
}

/** What two files say, the second of which must not say less than the first. */
function ascending(folder: DamonFolder, from: string, to: string, { badScheme }: Named): [number, number] {
  const [first, last] = [folder.number(from), folder.number(to)];
  if (last < first) throw new DamonError(badScheme, `${folder.path}: ${to} ${last} is less than ${from} ${first}`);
  return [first, last];
}

function isOneOf(words: readonly string[], word: string): boolean {
  return words.includes(word);
}
