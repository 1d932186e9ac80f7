/** From a case to its machine: as small as can be, because every schedule starts by putting all of it back. */
import { TableFullError } from '@thplab/arena';
import {
  createKhugepaged,
  KHUGEPAGED_TABLES,
  type Khugepaged,
  khugepagedSizes,
  khugepagedTables,
  startStopKhugepaged,
  writeSysfs,
} from '@thplab/khugepaged-scheduler';
import { bootMachine, dupMm, findTable, type Machine } from '@thplab/mm-model';
import {
  createCollapseContext,
  type DecisionRecorder,
  type Generation,
  generationByName,
  installMadviseCollapse,
  variantOf,
} from '@thplab/mthp-collapse';
import type { Current, Procedure } from '@thplab/sync';
import { atOnce, createProcess } from '../run/create-process.js';
import { HeldFolios } from '../run/held-folios.js';
import { scenarioError } from '../run/run-error.js';
import type { CheckCase } from './format/check-case.js';
import { type BookedRange, ContentBook } from './machine/content-book.js';
import { watchMachine } from './machine/watched-machine.js';
import type { Stage, StageProcess, StageVma } from './stage.js';

const PAGE = 4096;
const PAGE_SHIFT = 12;

/** How a stage is built. */
export interface StageOptions {
  /** The merged kernel, whatever the case says. */
  readonly fixed?: boolean;
}

/** Builds the machine of a case. Errors: ScenarioError with the place in the file. */
export function buildStage(check: CheckCase, options: StageOptions = {}): Stage {
  const generation = generationOf(check, options.fixed === true);
  const raw = boot(check, generation);
  const current: Current = { nowNs: 0, cpu: 0, task: 0 };
  raw.current = current;
  const { m, log } = watchMachine(raw);
  const profile = options.fixed === true ? 'merged' : check.machine.kernel;
  const findings: string[] = [];
  const collapse = createCollapseContext({
    machine: m,
    generation,
    profile,
    recorder: cacheHook(check, raw, findings),
  });
  installMadviseCollapse(collapse);
  // The thread is an actor, if the case has it. For sysfs it never exists: nobody may wait for its end.
  const startThread = (): void => {
    khugepagedTables(raw).khugepaged.running[0] = 0;
  };
  const k = createKhugepaged({ machine: m, profile, collapse, startThread });
  applySysfs(check, k);
  const processes = createProcesses(check, m);
  const book = new ContentBook(raw, log, [...processes.values()].flatMap(rangesOf));
  return { m, raw, log, collapse, k, processes, book, findings, holes: [] };
}

function generationOf(check: CheckCase, fixed: boolean): Generation {
  const { variant } = check.machine;
  const kernel = fixed ? 'merged' : check.machine.kernel;
  try {
    const generation = generationByName(kernel);
    return fixed ? generation : variantOf(generation, variant);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const key = Object.keys(variant).length > 0 ? 'machine.variant' : 'machine.kernel';
    throw scenarioError(check.locate, key, error.message, '');
  }
}

/** The architecture's hook as those have it that walk the page tables in it (case B8). */
function cacheHook(check: CheckCase, raw: Machine, findings: string[]): DecisionRecorder {
  if (!check.invariants.has('cache-hook')) return {};
  return {
    entriesSet(mm, page) {
      if (findTable(raw, mm, page) !== 0) return;
      findings.push(`cache-hook: entries of page ${page} are set, but a walk from mm ${mm} finds no table there`);
    },
  };
}

/** VMAs that an actor may leave behind beside those it found: the parts that a change cuts off, and a new one. */
const VMAS_MADE: Readonly<Record<string, number>> = {
  madvise: 2,
  'map-anew': 2,
  mlock: 2,
  mprotect: 2,
  mremap: 3,
  munlock: 2,
  munmap: 1,
  'uffd-register': 2,
};

function blocksOf(bytes: number, pmdOrder: number): number {
  return Math.ceil(bytes / PAGE / 2 ** pmdOrder) + 1;
}

/** Hints that can wait at once, where the kernel has them. */
const HINTS = 16;

function boot(check: CheckCase, generation: Generation): Machine {
  const { pmdOrder, pages, swap, slots } = check.machine;
  const vmas = check.processes.reduce((sum, one) => sum + one.vmas.length, 0);
  const forks = check.forks.length + check.actors.filter(({ kind }) => kind === 'fork-write').length;
  const mms = check.processes.length + forks;
  const blocks = check.processes
    .flatMap((one) => one.vmas)
    .reduce((sum, vma) => sum + vma.size / PAGE / 2 ** pmdOrder + 1, 0);
  const made = check.actors.reduce((sum, { kind }) => sum + (VMAS_MADE[kind] ?? 0), 0);
  const vmaRows = (vmas + 1 + Math.max(2, made)) * (1 + forks);
  const filePages = check.processes
    .flatMap((one) => one.vmas)
    .reduce((sum, { kind, size }) => sum + (kind === 'anon' ? 0 : blocksOf(size, pmdOrder) * 2 ** pmdOrder), 0);
  return bootMachine({
    geometry: { pageShift: PAGE_SHIFT, pmdOrder },
    nodePages: [pages],
    cpus: Math.max(2, check.actors.length),
    swapPages: swap,
    limits: {
      mms,
      vmas: vmaRows,
      anonVmas: vmaRows,
      anonVmaChains: vmaRows * 2,
      pageTables: Math.ceil(blocks + 2) * (1 + forks),
      directories: mms * 6,
      files: Math.max(4, vmas + 1),
      // A hash table that is never more than three quarters full.
      pageCache: Math.max(16, 2 * filePages),
    },
    extraTables: KHUGEPAGED_TABLES,
    extraSizes: { ...khugepagedSizes(mms, generation.hints ? HINTS : 1), mmSlots: slots ?? mms },
  }).machine;
}

function applySysfs(check: CheckCase, k: Khugepaged): void {
  for (const { path, value } of check.sysfs) atOnce(k.m, writeOrRefuse(check, k, path, value));
  atOnce(k.m, startStopKhugepaged(k));
}

function* writeOrRefuse(check: CheckCase, k: Khugepaged, path: string, value: string): Procedure<void> {
  const outcome = yield* writeSysfs(k, path, value);
  if (outcome.errno === 0) return;
  const { name, message } = outcome as { readonly name: string; readonly message: string };
  throw scenarioError(check.locate, `sysfs["${path}"]`, `writing ${JSON.stringify(value)} fails with ${name}`, message);
}

function createProcesses(check: CheckCase, m: Machine): Map<string, StageProcess> {
  const held = new HeldFolios(m);
  const setUp = { m, pageSize: PAGE, seed: check.search.seed, held, locate: check.locate, files: new Map() };
  const processes = new Map<string, StageProcess>();
  try {
    for (const spec of check.processes) {
      const { mm, vmas } = createProcess(setUp, spec, '');
      const named = [...vmas].map(([name, range]): [string, StageVma] => [name, { name, ...range }]);
      processes.set(spec.name, { name: spec.name, mm, vmas: new Map(named) });
    }
    for (const fork of check.forks) {
      const parent = processes.get(fork.process) as StageProcess;
      processes.set(fork.as, { name: fork.as, mm: atOnce(m, dupMm(m, parent.mm)), vmas: parent.vmas });
    }
  } catch (error) {
    if (!(error instanceof TableFullError)) throw error;
    throw scenarioError(check.locate, 'processes', error.message, 'a case is small: use fewer or smaller VMAs');
  }
  return processes;
}

function rangesOf({ name, mm, vmas }: StageProcess): BookedRange[] {
  return [...vmas.values()].map((vma) => ({ process: name, vma: vma.name, mm, start: vma.start, pages: vma.pages }));
}
