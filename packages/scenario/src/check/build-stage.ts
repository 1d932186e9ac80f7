/** From a case to its machine: as small as can be, because every schedule starts by putting all of it back. */
import { TableFullError } from '@thplab/arena';
import {
  createKhugepaged,
  type Khugepaged,
  khugepagedTables,
  startStopKhugepaged,
  writeSysfs,
} from '@thplab/khugepaged-scheduler';
import { dupMm, findTable, type Machine, MemcgPaths } from '@thplab/mm-model';
import {
  createCollapseContext,
  type DecisionRecorder,
  type Generation,
  generationByName,
  installMadviseCollapse,
  variantOf,
} from '@thplab/mthp-collapse';
import type { Current, Procedure } from '@thplab/sync';
import { ScenarioError } from '../format/index.js';
import { atOnce, createProcess } from '../run/create-process.js';
import { HeldFolios } from '../run/held-folios.js';
import { scenarioError } from '../run/run-error.js';
import { bootCase } from './boot-case.js';
import type { CheckCase } from './format/check-case.js';
import { inCaseWords } from './format/parse.js';
import { type BookedRange, ContentBook } from './machine/content-book.js';
import { watchMachine } from './machine/watched-machine.js';
import type { Stage, StageProcess, StageVma } from './stage.js';

const PAGE = 4096;

/** How a stage is built. */
export interface StageOptions {
  /** The merged kernel, whatever the case says. */
  readonly fixed?: boolean;
}

/** Builds the machine of a case. Errors: ScenarioError with the place in the file. */
export function buildStage(check: CheckCase, options: StageOptions = {}): Stage {
  const generation = generationOf(check, options.fixed === true);
  const raw = bootCase(check, generation.hints);
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
  const held = new HeldFolios(m);
  const processes = createProcesses(check, m, held);
  const book = new ContentBook(raw, log, [...processes.values()].flatMap(rangesOf));
  return { m, raw, log, collapse, k, processes, book, held, findings, holes: [] };
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

function createProcesses(check: CheckCase, m: Machine, held: HeldFolios): Map<string, StageProcess> {
  const setUp = {
    m,
    pageSize: PAGE,
    seed: check.search.seed,
    held,
    locate: check.locate,
    memcgs: new MemcgPaths(m),
    files: new Map(),
  };
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
    if (error instanceof ScenarioError) {
      throw new ScenarioError(error.problems.map((one) => ({ ...one, hint: inCaseWords(one.hint) })));
    }
    if (!(error instanceof TableFullError)) throw error;
    throw scenarioError(check.locate, 'processes', error.message, 'a case is small: use fewer or smaller VMAs');
  }
  return processes;
}

function rangesOf({ name, mm, vmas }: StageProcess): BookedRange[] {
  return [...vmas.values()].map((vma) => ({ process: name, vma: vma.name, mm, start: vma.start, pages: vma.pages }));
}
