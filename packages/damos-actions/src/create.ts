/** Making, starting, changing and ending a DAMON context (`damon_ctx`, `damon_start`, `damon_commit_ctx`, `damon_stop`). */
import { Random, type Tables } from '@thplab/arena';
import { type Machine, type MmId, mmgrab } from '@thplab/mm-model';
import type { CollapseContext } from '@thplab/mthp-collapse';
import { type Procedure, type TaskOptions, wait } from '@thplab/sync';
import type { TraceEmitter } from '@thplab/trace';
import type { AccessLocking, OperationsId } from './access/access-checks.js';
import type { Damon, DamonObserver, SplitGuard } from './damon.js';
import { DamonError } from './errors.js';
import { DAMON_CATALOGUE, type DamonEvents } from './events.js';
import { kdamond, releaseTarget } from './kdamond.js';
import {
  DEFAULT_ATTRIBUTES,
  type MonitoringAttributes,
  readAttributes,
  setAttributes,
  validateAttributes,
} from './monitor/attributes.js';
import { setRegions } from './monitor/layout.js';
import {
  type AddressRange,
  appendRegion,
  destroyRegions,
  type RegionSnapshot,
  snapshotRegions,
  validateRanges,
} from './monitor/regions.js';
import { addTarget, createStore } from './monitor/store.js';
import { type DamonProfile, damonMm } from './profile.js';
import { damonCall } from './requests.js';
import { setNextApply } from './schemes/apply.js';
import { forgetResumePoint } from './schemes/quota.js';
import { addScheme, commitSchemes, prepareSchemes, removeLastScheme, schemeAt } from './schemes/running.js';
import type { QuotaGoal, SchemeInput } from './schemes/scheme.js';
import type { RequestOutcome } from './schemes/walk.js';
import { DAMON_STATE } from './state.js';
import type { DamonTables } from './tables.js';

/** What is monitored. */
export interface TargetConfig {
  /** The process; none for physical addresses. */
  readonly mm?: MmId;
  /** Regions to start with, ascending; default: those of the process, or the largest memory node. */
  readonly regions?: readonly AddressRange[];
  /** A commit takes the target of this number away. */
  readonly obsolete?: boolean;
}

/** What a context is made with. */
export interface DamonConfig {
  /** Its arena holds DAMON_TABLES. */
  readonly machine: Machine;
  /** Default `vaddr`. */
  readonly operations?: OperationsId;
  /** Default `damonMm`. */
  readonly profile?: DamonProfile;
  /** What differs from DEFAULT_ATTRIBUTES. */
  readonly attributes?: Partial<MonitoringAttributes>;
  readonly targets: readonly TargetConfig[];
  readonly schemes?: readonly SchemeInput[];
  /** Of sampling addresses and splits, default 0. */
  readonly seed?: number;
  /** Needed by collapse with a target_order; plain collapse goes by the machine's MADV_COLLAPSE. */
  readonly collapse?: CollapseContext;
  /** Default: nothing is traced. */
  readonly tracer?: TraceEmitter<DamonEvents>;
  readonly observer?: DamonObserver;
  readonly splitGuard?: SplitGuard;
  /** Default `kernel`. */
  readonly locking?: AccessLocking;
  /** Number of the context in traces and in the thread's name, default 0. */
  readonly contextIndex?: number;
  /** It starts paused, and rests until a commit says otherwise. Default false. */
  readonly pause?: boolean;
  /** Memory stall time so far, µs, for the goal metric some_mem_psi_us; default: none. */
  readonly someMemPsiUs?: () => number;
}

/** Starts a kernel thread: an executor's `spawn`. */
export type StartThread = (name: string, procedure: () => Procedure<void>, options: TaskOptions) => void;

const SILENT_TRACER: TraceEmitter<DamonEvents> = {
  ids: DAMON_CATALOGUE.ids,
  enabled: false,
  emit: () => {},
  event: () => {},
  wants: () => false,
};

/**
 * Makes a context, which does nothing until it is started. It runs once; for another run make another one. Errors:
 * DamonError EINVAL for what the kernel refuses when a kdamond is switched on.
 */
export function createDamon(config: DamonConfig): Damon {
  const { machine: m } = config;
  const operations = config.operations ?? 'vaddr';
  const attributes = completeAttributes(m, operations, config.attributes ?? {});
  validateAttributes(attributes);
  validateTargets(m, operations, config.targets);
  const warnings: string[] = [];
  const profile = config.profile ?? damonMm;
  if (attributes.intervalsGoal.aggrs !== 0 && !profile.intervalsTuning) {
    throw new DamonError('EINVAL', `${profile.name} does not tune intervals`);
  }
  if (config.pause === true) refusePause(profile);
  const home = { m, profile, collapse: config.collapse, warnings };
  const schemes = prepareSchemes(home, config.schemes ?? []);
  const d: Damon = {
    ...createStore(m.arena.tables as unknown as Tables<DamonTables>),
    ...home,
    operations,
    random: new Random(config.seed ?? 0, config.contextIndex ?? 0),
    locking: config.locking ?? 'kernel',
    tracer: config.tracer ?? SILENT_TRACER,
    observer: config.observer ?? {},
    splitGuard: config.splitGuard ?? {},
    contextIndex: config.contextIndex ?? 0,
    someMemPsiUs: config.someMemPsiUs ?? (() => 0),
    runningSchemes: [],
    most: 0,
    requests: [],
    walk: undefined,
    doneQueue: m.domain.waitQueue(`kdamond_done.${config.contextIndex ?? 0}`),
  };
  setAttributes(d, attributes);
  setPaused(d, config.pause === true);
  for (const target of config.targets) appendTarget(d, target);
  for (const scheme of schemes) addScheme(d, scheme);
  return d;
}

function refusePause(profile: DamonProfile): void {
  if (!profile.pause) throw new DamonError('EINVAL', `${profile.name} has no pause`);
}

function setPaused(d: Damon, paused: boolean): void {
  d.t.damonContext.paused[d.context] = paused ? 1 : 0;
}

/** The smallest region is a page, of physical memory at least one unit. */
function completeAttributes(
  m: Machine,
  operations: OperationsId,
  given: Partial<MonitoringAttributes>,
): MonitoringAttributes {
  const addrUnit = operations === 'paddr' ? (given.addrUnit ?? 1) : 1;
  const pageSize = 2 ** m.geometry.pageShift;
  const minRegionSize = addrUnit > 0 ? Math.max(1, Math.floor(pageSize / addrUnit)) : pageSize;
  return { ...DEFAULT_ATTRIBUTES, minRegionSize, ...given, addrUnit };
}

function validateTargets(m: Machine, operations: OperationsId, targets: readonly TargetConfig[]): void {
  if (operations === 'paddr' && targets.length !== 1) {
    throw new DamonError('EINVAL', `physical memory is one target, not ${targets.length}`);
  }
  for (const { mm, regions } of targets) {
    if (operations !== 'paddr' && (mm === undefined || !m.mm.pool.isLive(mm))) {
      throw new DamonError('EINVAL', `${mm ?? 'no'} process: a target of virtual addresses needs one`);
    }
    validateRanges(regions ?? []);
  }
}

function appendTarget(d: Damon, { mm, regions }: TargetConfig): void {
  if (mm !== undefined) mmgrab(d.m, mm);
  const target = addTarget(d, mm ?? 0);
  for (const { start, end } of regions ?? []) appendRegion(d, target, start, end);
}

/** Starts the kdamond. Errors: DamonError EBUSY if it runs, EINVAL if it has ended. */
export function startDamon(d: Damon, startThread: StartThread): void {
  const { state } = d.t.damonContext;
  if (state[d.context] === DAMON_STATE.running) throw new DamonError('EBUSY', 'the kdamond runs already');
  if (state[d.context] === DAMON_STATE.ended) throw new DamonError('EINVAL', 'the kdamond has ended: make a new one');
  state[d.context] = DAMON_STATE.running;
  startThread(`kdamond.${d.contextIndex}`, () => kdamond(d), {});
}

/** Asks the kdamond to end, and waits until it has. Counters of schemes stay readable. */
export function* stopDamon(d: Damon): Procedure<void> {
  const c = d.t.damonContext;
  if (c.state[d.context] === DAMON_STATE.created) throw new DamonError('EINVAL', 'the kdamond was never started');
  c.shouldStop[d.context] = 1;
  while (c.state[d.context] === DAMON_STATE.running) yield wait(d.doneQueue);
}

/** True while the kdamond runs. */
export function isRunning(d: Damon): boolean {
  return d.t.damonContext.state[d.context] === DAMON_STATE.running;
}

/** Frees a context's rows. Errors: DamonError EBUSY while it runs. */
export function destroyDamon(d: Damon): void {
  if (isRunning(d)) throw new DamonError('EBUSY', 'the kdamond runs: stop it first');
  while (d.runningSchemes.length > 0) removeLastScheme(d);
  for (const target of d.targets.rows(d.context)) removeTarget(d, target);
  d.t.damonContext.pool.free(d.context);
}

function removeTarget(d: Damon, target: number): void {
  destroyRegions(d, target);
  releaseTarget(d, target);
  for (const scheme of d.runningSchemes) {
    if (d.t.damosScheme.resumeTarget[scheme.row] === target) forgetResumePoint(d, scheme);
  }
  d.targets.remove(d.context, target);
  d.t.damonTarget.pool.free(target);
}

/** What a commit changes; what is left out stays. */
export interface DamonCommit {
  readonly attributes?: Partial<MonitoringAttributes>;
  readonly schemes?: readonly SchemeInput[];
  readonly targets?: readonly TargetConfig[];
  readonly pause?: boolean;
}

/**
 * Changes a running context (`damon_commit_ctx`): schemes and targets by number, so that counters of those that stay are
 * kept. Errors: DamonError EINVAL, and nothing is changed.
 */
export function* commitDamon(d: Damon, commit: DamonCommit): Procedure<RequestOutcome> {
  if (commit.targets !== undefined) validateTargets(d.m, d.operations, commit.targets);
  if (commit.pause === true) refusePause(d.profile);
  const schemes = commit.schemes === undefined ? undefined : prepareSchemes(d, commit.schemes);
  return yield* damonCall(d, () => {
    const before = readAttributes(d);
    const attributes = { ...before, ...commit.attributes };
    validateAttributes(attributes);
    if (schemes !== undefined) commitSchemes(d, schemes);
    if (commit.targets !== undefined) commitTargets(d, commit.targets);
    if (commit.pause !== undefined) setPaused(d, commit.pause);
    if (sameAttributes(before, attributes)) return;
    setAttributes(d, attributes);
    for (const scheme of d.runningSchemes) setNextApply(d, scheme);
  });
}

function sameAttributes(a: MonitoringAttributes, b: MonitoringAttributes): boolean {
  const flat = ({ intervalsGoal, ...rest }: MonitoringAttributes): object => ({ ...rest, ...intervalsGoal });
  const other = new Map(Object.entries(flat(b)));
  return Object.entries(flat(a)).every(([key, value]) => other.get(key) === value);
}

function commitTargets(d: Damon, configs: readonly TargetConfig[]): void {
  const rows = [...d.targets.rows(d.context)];
  for (const target of rows.slice(configs.length)) removeTarget(d, target);
  for (const [index, config] of configs.entries()) {
    const target = rows[index];
    if (config.obsolete === true) {
      if (target !== undefined) removeTarget(d, target);
    } else if (target === undefined) appendTarget(d, config);
    else commitTarget(d, target, config);
  }
}

function commitTarget(d: Damon, target: number, { mm, regions }: TargetConfig): void {
  const old = d.t.damonTarget.mm[target];
  if (mm !== undefined && mm !== old) {
    mmgrab(d.m, mm);
    releaseTarget(d, target);
    d.t.damonTarget.mm[target] = mm;
  }
  // No regions say nothing: those that are there stay.
  if (regions !== undefined && regions.length > 0) {
    setRegions(d, target, regions, readAttributes(d).minRegionSize);
  }
}

/** Replaces the goals of a scheme's quota only (`commit_schemes_quota_goals`): how user_input is fed. */
export function* commitQuotaGoals(d: Damon, index: number, goals: readonly QuotaGoal[]): Procedure<RequestOutcome> {
  return yield* damonCall(d, () => {
    const scheme = schemeAt(d, index);
    scheme.config = { ...scheme.config, quota: { ...scheme.config.quota, goals } };
  });
}

/** The regions of a target by its number, ascending. Errors: RangeError for a number that no target has. */
export function damonRegions(d: Damon, index = 0): RegionSnapshot[] {
  const target = [...d.targets.rows(d.context)][index];
  if (target === undefined) throw new RangeError(`there is no target ${index}`);
  return snapshotRegions(d, target);
}
