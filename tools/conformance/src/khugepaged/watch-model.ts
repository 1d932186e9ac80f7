/** The model's khugepaged over as many wake-ups, in virtual time. */
import {
  createKhugepaged,
  exactTimer,
  KHUGEPAGED_TABLES,
  khugepagedSizes,
  startStopKhugepaged,
  type Timer,
  timerWheel,
} from '@thplab/khugepaged-scheduler';
import { bootMachine, handleMmFault, lruAddDrainAll, MADV, type MmId, madvise, mmap, type Vpn } from '@thplab/mm-model';
import { createCollapseContext, generationByName, installMadviseCollapse } from '@thplab/mthp-collapse';
import { type Procedure, SequentialExecutor } from '@thplab/sync';
import { type MthpStatName, mthpStatCell, type VmstatName, vmstatIndex } from '@thplab/sysfs-schema';
import { BASE_PAGE, RANGE, WINDOW_PAGES } from '../case.js';
import { applySettings, type ModelMachine, type ModelOptions } from '../model/model-machine.js';
import { ModelProcess } from '../model/model-process.js';
import { viewModel } from '../model/model-view.js';
import { MTHP_COMPARED, VMSTAT_COMPARED } from '../outcome.js';
import type { WakeView, WatchOutcome, WatchRequest } from './watch.js';

/** A wake-up's work is done in less than this, ns. */
const WORK_NS = 1e9;

/** `ticks`: the kernel's HZ, by which sleeps are rounded; undefined: not known, sleeps are exact. */
export function watchModel(request: WatchRequest, options: ModelOptions, ticks: number | undefined): WatchOutcome {
  const { machine, executor, timer } = bootRunning(options, ticks);
  const { m } = machine;
  const process = new ModelProcess(machine);
  hold(machine, process);
  // The first registration wakes khugepaged at once; the steps come while it sleeps.
  executor.run({ untilNs: WORK_NS });
  const before = countersOf(machine);
  const results = request.steps.map((step) => process.step(step));
  machine.run(lruAddDrainAll(m));
  const sleep = scanSleepNs(options);
  const wakes: WakeView[] = [];
  let asleepNs = 0;
  for (let i = 0; i < request.wakes; i++) {
    const wakeNs = timer(asleepNs, sleep);
    executor.run({ untilNs: wakeNs + WORK_NS });
    wakes.push({
      afterSeconds: (wakeNs - asleepNs) / 1e9,
      processes: process.living().map((mm) => viewModel(m, mm, request.ranges, process.writes)),
      counters: grownBy(before, countersOf(machine)),
    });
    asleepNs = wakeNs;
  }
  return { results, wakes };
}

function scanSleepNs({ settings }: ModelOptions): number {
  return Number(settings['khugepaged/scan_sleep_millisecs'] ?? 10_000) * 1e6;
}

interface Running {
  readonly machine: ModelMachine;
  readonly executor: SequentialExecutor;
  readonly timer: Timer;
}

/** A machine whose khugepaged runs. */
function bootRunning(options: ModelOptions, ticks: number | undefined): Running {
  const { machine: m } = bootMachine({
    nodePages: [131_072],
    cpus: 2,
    limits: { mms: 16, vmas: 1024, pageTables: 1024, directories: 128, files: 16, pageCache: 1024 },
    extraTables: KHUGEPAGED_TABLES,
    extraSizes: { ...khugepagedSizes(16) },
  });
  const executor = new SequentialExecutor(m.domain, { seed: 1, cpus: 2 });
  m.current = executor.current;
  const generation = generationByName(options.profile);
  const collapse = createCollapseContext({ machine: m, generation, profile: options.profile });
  installMadviseCollapse(collapse);
  const timer = ticks === undefined ? exactTimer : timerWheel(ticks);
  const k = createKhugepaged({
    machine: m,
    profile: options.profile,
    collapse,
    timer,
    startThread: (name, procedure, task) => executor.spawn(name, procedure, task),
  });
  const machine = { m, k, run: <T>(procedure: Procedure<T>): T => runTask(executor, procedure) };
  applySettings(machine, options);
  machine.run(startStopKhugepaged(k));
  return { machine, executor, timer };
}

function runTask<T>(executor: SequentialExecutor, procedure: Procedure<T>): T {
  const outcome: { value?: T; done: boolean } = { done: false };
  executor.spawn('process', function* () {
    outcome.value = yield* procedure;
    outcome.done = true;
    executor.interrupt();
  });
  executor.run({ shouldStop: () => outcome.done });
  if (!outcome.done) throw new Error('the process waits for something that never comes');
  return outcome.value as T;
}

/** The process's own registered range, as RealRunner has it. */
function hold({ m, run }: ModelMachine, process: ModelProcess): void {
  const [mm] = process.living() as [MmId];
  const at = (BASE_PAGE + WINDOW_PAGES + RANGE) as Vpn;
  run(mmap(m, mm, { at, pages: 2 * RANGE, fixed: 'replace' }));
  run(handleMmFault(m, mm, at, { write: true }));
  run(madvise(m, mm, at, 2 * RANGE, MADV.HUGEPAGE));
}

function countersOf({ m, k }: ModelMachine): Map<string, number> {
  const values = new Map<string, number>();
  for (const name of VMSTAT_COMPARED) values.set(name, m.vmstat.value[vmstatIndex(name as VmstatName)]);
  for (const name of MTHP_COMPARED) {
    values.set(`2048kB ${name}`, m.mthpStat.value[mthpStatCell(name as MthpStatName, m.pmdOrder)]);
  }
  values.set('pages_collapsed', k.t.khugepaged.pagesCollapsed[0]);
  values.set('full_scans', k.t.khugepaged.fullScans[0]);
  return values;
}

function grownBy(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries(
    [...after].map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const).filter(([, by]) => by !== 0),
  );
}
