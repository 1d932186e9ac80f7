/** From a scenario to a machine that is ready to run: memory, settings, fragmentation, processes. */
import { TableFullError } from '@thplab/arena';
import type { Snapshot } from '@thplab/capture';
import { startStopKhugepaged } from '@thplab/khugepaged-scheduler';
import { type CostTable, type Machine, type MmId, PopulateError, vmaAt } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { SYSFS_ROOT } from '@thplab/sysfs-schema';
import { isDamonPath } from '../damon/kdamonds.js';
import { formatCount, formatSize, type ProcessSpec, type Scenario, type SysfsWrite } from '../format/index.js';
import { type LoadOptions, loadSnapshot } from '../what-if/load-snapshot.js';
import type { WorkloadFiles } from '../workload/build-streams.js';
import { Hardware } from '../workload/hardware.js';
import { bootWorld } from './boot-world.js';
import { createFiles } from './create-files.js';
import { atOnce, createProcess } from './create-process.js';
import { fragmentMemory } from './fragment.js';
import { memberName, type NamedRange } from './process-table.js';
import { type Locate, nowhere, scenarioError } from './run-error.js';
import { executionsOf, MOST_EXECUTIONS } from './timetable.js';
import type { ThreadsSetUp } from './work-ahead.js';
import type { World } from './world.js';
import { writeFile } from './write-file.js';

/** How a machine is assembled. */
export interface AssembleOptions {
  /** Finds places in the scenario file, for errors. */
  readonly locate?: Locate;
  /** Writes that follow those of the scenario (`--set`). */
  readonly sysfs?: readonly SysfsWrite[];
  /** Record trace events; default: if the scenario asks for any. */
  readonly trace?: boolean;
  /** Record every lock hold. */
  readonly lockHolds?: boolean;
  /** Tables whose every decision is kept (`explain --range`), by process name and first page of the range. */
  readonly zoom?: readonly { readonly process: string; readonly page: number }[];
  /** Where other threads are to work ahead of khugepaged: what the machine needs for it, and how far they may go. */
  readonly threads?: ThreadsSetUp;
  /** Snapshots by the path that the scenario names them by. */
  readonly snapshots?: ReadonlyMap<string, Snapshot>;
  /** Files that workloads name, by the path they are named by. */
  readonly files?: WorkloadFiles;
  /** What work costs, in ns, where it is not the default (thplab/costs@1). */
  readonly costs?: Partial<CostTable>;
  /** What is taken for what snapshots do not tell. */
  readonly load?: LoadOptions;
}

/**
 * Assembles a scenario's machine with its processes; nothing has run yet, the time is 0. Errors: ScenarioError for what
 * the file asks for and cannot have.
 */
export function assembleMachine(scenario: Scenario, options: AssembleOptions = {}): World {
  const locate = options.locate ?? nowhere;
  refuseEndlessEvents(scenario, locate);
  if (scenario.damon.file !== null) {
    const what = `the damo document ${JSON.stringify(scenario.damon.file)} was not read`;
    throw scenarioError(locate, 'damon.damo', what, 'see withDamoDocument');
  }
  const world = bootWorld(scenario, options, locate);
  const { m } = world;
  const tracing = world.tracer.enabled;
  world.tracer.enabled = false;
  fragmentMemory(m, scenario.machine.nodes, scenario.seed);
  const writes = [
    ...scenario.sysfs.map((write) => ({ write, key: sysfsKey(write) })),
    ...(options.sysfs ?? []).map((write) => ({ write, key: '--set' })),
  ];
  const forDamon = ({ write }: (typeof writes)[number]): boolean => isDamonPath(write.path);
  for (const one of writes) if (!forDamon(one)) atOnce(m, writeOrRefuse(world, one.write, one.key));
  try {
    createFiles(world.setUp, scenario.files);
    for (const spec of scenario.processes) createMembers(world, spec, options);
  } catch (error) {
    if (!(error instanceof TableFullError)) throw error;
    throw scenarioError(locate, 'processes', error.message, 'use fewer or smaller VMAs');
  }
  world.hints.prepare();
  // DAMON's files name processes, which have to be there.
  world.kdamonds.prepare(scenario.damon.kdamonds);
  for (const one of writes.filter(forDamon)) {
    if (world.kdamonds.overrides(one.write.path, one.write.value)) continue;
    atOnce(m, writeOrRefuse(world, one.write, one.key));
  }
  const { tlb } = scenario.machine;
  if (tlb !== null) world.hardware = new Hardware(world, tlb, options.files ?? {});
  world.tracer.enabled = tracing;
  return world;
}

/** A run with more executions of events than anybody can wait for is a mistake in the file. */
function refuseEndlessEvents(scenario: Scenario, locate: Locate): void {
  let total = 0;
  for (const event of scenario.events) {
    total += executionsOf(event, scenario.run.atMost);
    if (total <= MOST_EXECUTIONS) continue;
    const what = `the events up to this one are executed more than ${formatCount(MOST_EXECUTIONS)} times`;
    throw scenarioError(locate, event.key, what, 'repeat less often, or end the run earlier (run.atMost)');
  }
}

/** Starts khugepaged, if the settings give it work and the scenario wants it. */
export function startKhugepaged(world: World): void {
  world.threads.allowed = true;
  atOnce(world.m, startStopKhugepaged(world.k));
}

function createMembers(world: World, spec: ProcessSpec, options: AssembleOptions): void {
  for (let i = 0; i < spec.count; i++) {
    const name = memberName(spec.name, i, spec.count === 1);
    const { mm, vmas } = createProcess(world.setUp, spec, spec.count === 1 ? '' : `${i}:`);
    if (spec.snapshot !== null) addSnapshot(world, spec, mm, vmas, options);
    const cpu = spec.cpu ?? world.nextCpu();
    world.processes.add({ name, group: spec.name, family: spec.name, mm, cpu, vmas, bornNs: 0 });
  }
}

/** The captured process's memory, in addition to what the file says itself. */
function addSnapshot(
  world: World,
  spec: ProcessSpec,
  mm: MmId,
  vmas: Map<string, NamedRange>,
  options: AssembleOptions,
): void {
  const { m, locate } = world;
  const key = `${spec.key}.snapshot`;
  const snapshot = options.snapshots?.get(spec.snapshot ?? '');
  if (snapshot === undefined) {
    throw scenarioError(
      locate,
      key,
      `the snapshot ${JSON.stringify(spec.snapshot)} was not read`,
      'see "thplab capture"',
    );
  }
  const { pageSize, pmdOrder } = snapshot.kernel;
  if (pageSize !== world.scenario.machine.pageSize || pmdOrder !== m.pmdOrder) {
    const what = `the snapshot is of a machine with pages of ${formatSize(pageSize)} and PMD order ${pmdOrder}`;
    throw scenarioError(locate, key, what, 'set machine.pageSize to the same');
  }
  try {
    const loaded = loadSnapshot(m, mm, snapshot, { seed: world.scenario.seed, ...options.load });
    for (const [name, range] of loaded) vmas.set(name, range);
    atOnce(m, enterForAll(m, mm, loaded.values()));
  } catch (error) {
    if (!(error instanceof PopulateError)) throw error;
    throw scenarioError(locate, key, error.message, 'raise machine.memory or machine.swap');
  }
}

/** Registers the process with khugepaged if any of its VMAs is worth it: it had the time for that. */
function* enterForAll(m: Machine, mm: MmId, ranges: Iterable<NamedRange>): Procedure<void> {
  for (const range of ranges) {
    const vma = vmaAt(m, mm, range.start);
    if (vma !== 0) yield* m.hooks.khugepagedEnterVma(vma);
  }
}

/** Key of a write in the file, where paths are given below the transparent_hugepage folder. */
function sysfsKey(write: SysfsWrite): string {
  return `sysfs[${JSON.stringify(shortPath(write.path))}]`;
}

function shortPath(path: string): string {
  return path.startsWith(`${SYSFS_ROOT}/`) ? path.slice(SYSFS_ROOT.length + 1) : path;
}

/** A write at boot; what the kernel refuses is an error of the file. */
function* writeOrRefuse(world: World, write: SysfsWrite, key: string): Procedure<void> {
  const outcome = yield* writeFile(world, write.path, write.value);
  if (outcome.errno === 0) return;
  const { name, message } = outcome as { readonly name: string; readonly message: string };
  const what = `writing ${JSON.stringify(write.value)} to ${shortPath(write.path)} fails with ${name}`;
  throw scenarioError(world.locate, key, what, message);
}
