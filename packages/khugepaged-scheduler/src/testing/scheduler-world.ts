/** A machine with khugepaged and an executor, small enough to follow by hand. */
import { type Arena, asBrand } from '@thplab/arena';
import {
  bootMachine,
  type Machine,
  type MachineConfig,
  type MmId,
  mmAlloc,
  mmap,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  placeBasePages,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { createCollapseContext, generationByName, installMadviseCollapse } from '@thplab/mthp-collapse';
import { type Procedure, SequentialExecutor } from '@thplab/sync';
import { type GlobalSettingKey, type KernelProfile, settingIndex } from '@thplab/sysfs-schema';
import { TRACE_EVENTS, TRACE_TABLES, Tracer, type TraceTables, traceSizes } from '@thplab/trace';
import {
  createKhugepaged,
  type HintQueueConfig,
  KHUGEPAGED_TABLES,
  type Khugepaged,
  khugepagedSizes,
  startStopKhugepaged,
  type Timer,
  writeSysfs,
} from '../index.js';

/** What a world is made of. */
export interface SchedulerWorld {
  readonly m: Machine;
  readonly k: Khugepaged;
  readonly executor: SequentialExecutor;
  readonly tracer: Tracer;
  /** Runs a procedure as a task, and everything else until it is done. */
  run<T>(procedure: () => Procedure<T>): T;
  /** Writes a file below transparent_hugepage/; throws if the write fails. */
  write(path: string, text: string): void;
}

/** How a world is made. */
export interface SchedulerWorldConfig extends Partial<MachineConfig> {
  readonly profile?: KernelProfile;
  readonly timer?: Timer;
  /** The queue of collapse hints. */
  readonly hints?: Partial<HintQueueConfig>;
  /** Settings to start with, as numbers; `enabled` is `madvise` by default. */
  readonly settings?: Partial<Record<GlobalSettingKey, number>>;
}

/** A world of 512 MiB, so that defaults are those of a real machine, with khugepaged started as at boot. */
export function makeSchedulerWorld(config: SchedulerWorldConfig = {}): SchedulerWorld {
  const profile = config.profile ?? 'merged';
  const { machine: m } = bootMachine({
    nodePages: [131_072],
    extraTables: { ...KHUGEPAGED_TABLES, ...TRACE_TABLES },
    extraSizes: { ...khugepagedSizes(), ...traceSizes(4096) },
    ...config,
  });
  for (const [key, value] of Object.entries(config.settings ?? {})) {
    m.setting.value[settingIndex(key as GlobalSettingKey)] = value;
  }
  const executor = new SequentialExecutor(m.domain, { seed: 1, cpus: config.cpus ?? 1 });
  m.current = executor.current;
  const tables = (m.arena as unknown as Arena).tables as unknown as TraceTables;
  const tracer = new Tracer(tables, TRACE_EVENTS, executor.current);
  const generation = generationByName(profile);
  const collapse = createCollapseContext({ machine: m, generation, profile, tracer });
  installMadviseCollapse(collapse);
  const startThread = (name: string, procedure: () => Procedure<void>, options: { nice?: number }): void => {
    executor.spawn(name, procedure, options);
  };
  const timer = config.timer === undefined ? {} : { timer: config.timer };
  const hints = config.hints === undefined ? {} : { hints: config.hints };
  const k = createKhugepaged({ machine: m, profile, collapse, startThread, ...timer, ...hints });
  const run = <T>(procedure: () => Procedure<T>): T => runTask(executor, procedure);
  const write = (path: string, text: string): void => {
    const outcome = run(() => writeSysfs(k, path, text));
    if (outcome.errno !== 0) throw new Error(`${path}: ${text}: errno ${outcome.errno}`);
  };
  run(() => startStopKhugepaged(k));
  return { m, k, executor, tracer, run, write };
}

function runTask<T>(executor: SequentialExecutor, procedure: () => Procedure<T>): T {
  const outcome: { value?: T; done: boolean } = { done: false };
  executor.spawn('test', function* () {
    outcome.value = yield* procedure();
    outcome.done = true;
    executor.interrupt();
  });
  executor.run({ shouldStop: () => outcome.done });
  if (!outcome.done) throw new Error('the procedure waits for something that never comes');
  return outcome.value as T;
}

/** A process with one anonymous VMA of so many pages at page `at`. */
export function makeProcess(w: SchedulerWorld, at: number, pages: number): { readonly mm: MmId; readonly vma: VmaId } {
  const mm = mmAlloc(w.m);
  w.run(() => mmap(w.m, mm, { at: asBrand<Vpn>(at), pages, fixed: 'replace' }));
  return { mm, vma: vmaAt(w.m, mm, at) as VmaId };
}

/** Fills pages that were touched just now. */
export function fill(w: SchedulerWorld, vma: VmaId, first: number, count: number): void {
  placeBasePages(w.m, vma, asBrand<Vpn>(first), count, PTE_YOUNG | PTE_WRITE | PTE_DIRTY);
}
