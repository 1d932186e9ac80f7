/** From a scenario to a machine that is ready to run: memory, settings, fragmentation, processes. */
import { TableFullError } from '@thplab/arena';
import type { Snapshot } from '@thplab/capture';
import { startStopKhugepaged, writeSysfs } from '@thplab/khugepaged-scheduler';
import type { Procedure } from '@thplab/sync';
import type { ProcessSpec, Scenario, SysfsWrite } from '../format/index.js';
import { bootWorld } from './boot-world.js';
import { atOnce, createProcess } from './create-process.js';
import { fragmentMemory } from './fragment.js';
import { memberName } from './process-table.js';
import { type Locate, nowhere, scenarioError } from './run-error.js';
import type { ExtraNeeds } from './size-machine.js';
import type { World } from './world.js';

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
  /** Snapshots by the path that the scenario names them by. */
  readonly snapshots?: ReadonlyMap<string, Snapshot>;
  /** Room for what comes from elsewhere. */
  readonly extras?: ExtraNeeds;
}

/**
 * Assembles a scenario's machine with its processes; nothing has run yet, the time is 0. Errors: ScenarioError for what
 * the file asks for and cannot have.
 */
export function assembleMachine(scenario: Scenario, options: AssembleOptions = {}): World {
  const locate = options.locate ?? nowhere;
  const world = bootWorld(scenario, options, locate);
  const { m } = world;
  const tracing = world.tracer.enabled;
  world.tracer.enabled = false;
  fragmentMemory(m, scenario.machine.nodes, scenario.seed);
  for (const write of scenario.sysfs) atOnce(m, writeOrRefuse(world, write, sysfsKey(write)));
  for (const write of options.sysfs ?? []) atOnce(m, writeOrRefuse(world, write, '--set'));
  try {
    for (const spec of scenario.processes) createMembers(world, spec);
  } catch (error) {
    if (!(error instanceof TableFullError)) throw error;
    throw scenarioError(locate, 'processes', error.message, 'use fewer or smaller VMAs');
  }
  world.tracer.enabled = tracing;
  return world;
}

/** Starts khugepaged, if the settings give it work and the scenario wants it. */
export function startKhugepaged(world: World): void {
  world.threads.allowed = true;
  atOnce(world.m, startStopKhugepaged(world.k));
}

function createMembers(world: World, spec: ProcessSpec): void {
  for (let i = 0; i < spec.count; i++) {
    const name = memberName(spec.name, i, spec.count === 1);
    const { mm, vmas } = createProcess(world.setUp, spec, spec.count === 1 ? '' : `${i}:`);
    const cpu = spec.cpu ?? world.nextCpu();
    world.processes.add({ name, group: spec.name, family: spec.name, mm, cpu, vmas, bornNs: 0 });
  }
}

function sysfsKey(write: SysfsWrite): string {
  return `sysfs[${JSON.stringify(write.path)}]`;
}

/** A write at boot; what the kernel refuses is an error of the file. */
function* writeOrRefuse(world: World, write: SysfsWrite, key: string): Procedure<void> {
  const outcome = yield* writeSysfs(world.k, write.path, write.value);
  if (outcome.errno === 0) return;
  const { name, message } = outcome as { readonly name: string; readonly message: string };
  const what = `writing ${JSON.stringify(write.value)} to ${write.path} fails with ${name}`;
  throw scenarioError(world.locate, key, what, message);
}
