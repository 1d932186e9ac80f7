/** The machine of a scenario and everything that watches it, before any process exists. */
import { ArenaError } from '@thplab/arena';
import { DAMON_PROFILES, DAMON_TABLES, type DamonProfile, damonProfileOf } from '@thplab/damos-actions';
import { createKhugepaged, KHUGEPAGED_TABLES, khugepagedSizes } from '@thplab/khugepaged-scheduler';
import {
  type BootConfig,
  type Booted,
  bootMachine,
  type Machine,
  MemcgPaths,
  TLB_TABLES,
  tlbSizes,
} from '@thplab/mm-model';
import {
  configureFileThp,
  createCollapseContext,
  GENERATIONS,
  type Generation,
  installMadviseCollapse,
} from '@thplab/mthp-collapse';
import { type ExecutorObserver, type LockRef, SequentialExecutor } from '@thplab/sync';
import { type DamonTreeName, damonTreeOfProfile } from '@thplab/sysfs-schema';
import { LockRecorder, TRACE_TABLES, type TraceFormat, Tracer, type TraceTables, traceSizes } from '@thplab/trace';
import { Kdamonds } from '../damon/kdamonds.js';
import { PingPong } from '../damon/ping-pong/ping-pong.js';
import type { Scenario } from '../format/index.js';
import { HintsRun, hintSizesOf } from '../hints/hints-run.js';
import { snapshotNeeds } from '../what-if/snapshot-needs.js';
import type { AssembleOptions } from './assemble.js';
import { CollapseLog } from './collapse-log.js';
import { familiesOf, singleForks } from './family.js';
import { geometryOf } from './geometry.js';
import { HeldFolios } from './held-folios.js';
import { KhugepagedThreads } from './khugepaged-threads.js';
import { MmapLockWatch } from './mmap-lock-watch.js';
import { Notice } from './notice.js';
import { ProcessTable } from './process-table.js';
import { type Locate, scenarioError } from './run-error.js';
import { damonSizesOf, type ExtraNeeds, limitsOf } from './size-machine.js';
import { RUN_EVENTS, type RunEvents } from './trace-catalogue.js';
import { workAhead } from './work-ahead.js';
import type { World } from './world.js';
import { ZoomLocks } from './zoom-locks.js';

/** Boots the machine. Errors: ScenarioError for a kernel that is not modelled, or bad boot options. */
export function bootWorld(scenario: Scenario, options: AssembleOptions, locate: Locate): World {
  const generation = generationOf(scenario, locate);
  const traced = options.trace ?? scenario.run.trace.events.length > 0;
  const m = bootScenarioMachine(scenario, generation, options, traced ? scenario.run.trace.capacity : 1, locate);
  const locks = new MmapLockWatch(m.domain, m.locks.mmapLock);
  const lockRecorder = options.lockHolds === true ? lockRecorderOf(m) : undefined;
  const log = new CollapseLog(m);
  const observers: ExecutorObserver[] = [locks];
  if (lockRecorder !== undefined) observers.push(lockRecorder);
  if (options.zoom !== undefined && options.zoom.length > 0) observers.push(new ZoomLocks(m.domain, log));
  const executor = new SequentialExecutor(m.domain, {
    cpus: scenario.machine.cpus,
    seed: scenario.seed % 2 ** 32,
    observers,
    rethrow: true,
  });
  m.current = executor.current;
  const tracer = tracerOf(scenario, generation, m, traced);
  const profile = scenario.machine.kernel;
  const collapse = createCollapseContext({ machine: m, generation, profile, tracer, recorder: log });
  installMadviseCollapse(collapse);
  configureFileThp(m, generation, scenario.machine.readOnlyThpForFs);
  const notice = new Notice();
  const threads = new KhugepagedThreads(executor, locks, notice, scenario.run.khugepaged);
  const hints = new HintsRun(m, scenario, generation, () => world);
  const k = createKhugepaged({
    machine: m,
    profile,
    collapse,
    startThread: threads.start,
    startWorker: (name, procedure, options) => {
      locks.kernelTasks.add(executor.spawn(name, procedure, options).id);
    },
    hints: hints.queueConfig,
  });
  threads.attach(k);
  // DAMON looks every few ms, and at physical memory by its frames: nothing can be done ahead beside it.
  if (options.threads !== undefined && scenario.damon.kdamonds.length === 0)
    k.ahead = workAhead(k, options.threads, () => world);
  const memcgs = new MemcgPaths(m);
  let cpu = 0;
  const world: World = {
    scenario,
    generation,
    m,
    k,
    collapse,
    executor,
    tracer,
    processes: new ProcessTable(scenario.machine.pageSize),
    log,
    locks,
    lockRecorder,
    setUp: {
      m,
      pageSize: scenario.machine.pageSize,
      seed: scenario.seed,
      held: new HeldFolios(m),
      locate,
      memcgs,
      files: new Map(),
    },
    locate,
    threads,
    notice,
    families: familiesOf(scenario),
    singleNames: singleForks(scenario),
    nextCpu: () => cpu++ % scenario.machine.cpus,
    spawn: (name, process, body, startNs, on) => {
      const bound = on ?? process?.cpu;
      executor.spawn(name, body, { startNs, ...(bound === undefined ? {} : { cpu: bound }) });
    },
    hints,
    pingPong: new PingPong(scenario.damon.pingPong, () => world),
    kdamonds: new Kdamonds(...damonOf(scenario), () => world, { m, collapse, tracer, memcgs }),
    hardware: undefined,
  };
  return world;
}

/** DAMON's generation and its files: what the scenario says, or those of its kernel. */
function damonOf({ damon, machine }: Scenario): readonly [DamonProfile, DamonTreeName] {
  const profile = DAMON_PROFILES.find(({ name }) => name === damon.profile) ?? damonProfileOf(machine.kernel);
  return [profile, damonTreeOfProfile(damon.profile, machine.kernel)];
}

/** The generation that the scenario's kernel runs. Errors: ScenarioError naming those that there are. */
export function generationOf(scenario: Scenario, locate: Locate): Generation {
  const name = scenario.machine.kernel;
  const found = GENERATIONS.find((generation) => generation.name === name);
  if (found !== undefined) return found;
  const others = `expected one of ${GENERATIONS.map((generation) => generation.name).join(', ')}`;
  const hint = name === 'damon-rfc' ? `write damon: {profile: damon-rfc} instead; ${others}` : others;
  throw scenarioError(locate, 'machine.kernel', `the collapse code of kernel ${name} is not modelled`, hint);
}

function bootScenarioMachine(
  scenario: Scenario,
  generation: Generation,
  options: AssembleOptions,
  events: number,
  locate: Locate,
): Machine {
  const { machine } = scenario;
  const limits = limitsOf(scenario, snapshotsNeed(scenario, options));
  const booted = bootOrRefuse(locate, {
    geometry: geometryOf(machine),
    nodePages: machine.nodes.map((node) => node.size / machine.pageSize),
    // A thread has a row of its own, as a processor has.
    cpus: Math.max(machine.cpus, options.threads?.threads ?? 0),
    swapPages: machine.swap / machine.pageSize,
    limits,
    commandLine: machine.boot,
    ...(options.costs === undefined ? {} : { costs: options.costs }),
    extraTables: {
      ...KHUGEPAGED_TABLES,
      ...TRACE_TABLES,
      ...DAMON_TABLES,
      ...(machine.tlb === null ? {} : TLB_TABLES),
      ...options.threads?.tables,
    },
    extraSizes: {
      ...khugepagedSizes(limits.mms),
      ...options.threads?.sizes(limits.mms),
      ...traceSizes(events),
      ...(machine.tlb === null ? {} : tlbSizes(machine.tlb, machine.cpus)),
      ...damonSizesOf(scenario),
      ...hintSizesOf(scenario, generation, limits.mms),
    },
  });
  const problem = booted.problems[0];
  if (problem !== undefined) {
    throw scenarioError(locate, 'machine.boot', problem.message, 'such as "thp_anon=64K:always"');
  }
  return { ...booted.machine, cpus: machine.cpus };
}

/** Errors: ScenarioError for a machine that is too large for this one. */
function bootOrRefuse(locate: Locate, config: BootConfig): Booted {
  try {
    return bootMachine(config);
  } catch (error) {
    if (!(error instanceof ArenaError || error instanceof RangeError)) throw error;
    const hint = 'give the machine less memory, and processes smaller VMAs';
    throw scenarioError(locate, 'machine.memory', `the machine does not fit into this one: ${error.message}`, hint);
  }
}

/** What the processes of the file have from snapshots. */
function snapshotsNeed(scenario: Scenario, options: AssembleOptions): ExtraNeeds {
  const total = { vmas: 0, tables: 0, directories: 0, filePages: 0 };
  for (const { snapshot, count } of scenario.processes) {
    const found = snapshot === null ? undefined : options.snapshots?.get(snapshot);
    if (found === undefined) continue;
    const needs = snapshotNeeds(found);
    total.vmas += needs.vmas * count;
    total.tables += needs.tables * count;
    total.directories += needs.directories * count;
    total.filePages += needs.filePages * count;
  }
  return total;
}

function lockRecorderOf(m: Machine): LockRecorder {
  return new LockRecorder({ describe: (lock) => m.domain.describe(lock as LockRef) });
}

function tracerOf(scenario: Scenario, generation: Generation, m: Machine, traced: boolean): Tracer<RunEvents> {
  const { events } = scenario.run.trace;
  return new Tracer(m.arena.tables as unknown as TraceTables, RUN_EVENTS, m.current, {
    format: traceFormatOf(generation),
    enabled: traced,
    ...(events === 'all' || events.length === 0 ? {} : { only: events as (keyof RunEvents)[] }),
  });
}

function traceFormatOf(generation: Generation): TraceFormat {
  if (!generation.traceOrder) return generation.writableRequired ? 'v6.13' : 'v6.18';
  if (generation.writableRequired) return 'mthp-rfc';
  return generation.traceMmScan ? 'merged' : 'mthp';
}
