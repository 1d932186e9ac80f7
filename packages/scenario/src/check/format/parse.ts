/** Reading a case: the same stages and errors as a scenario. */
import type { Context } from '../../format/context.js';
import { problemsOf } from '../../format/issues.js';
import { DEFAULT_LIMITS } from '../../format/limits.js';
import { normaliseSysfs } from '../../format/normalise-events.js';
import { normaliseProcesses } from '../../format/normalise-process.js';
import { formatKey, type KeyPath, MAX_DESCRIBED, type Problem, ScenarioError } from '../../format/problems.js';
import type { Machine } from '../../format/scenario.js';
import { sysfsFilesOf } from '../../format/sysfs-files.js';
import { readTree } from '../../format/yaml-tree.js';
import { INVARIANTS, type Invariant, ON_REQUEST } from '../invariants/invariant.js';
import type { ActorSpec, CheckCase, CheckMachineSpec } from './check-case.js';
import { CHECK_FORMAT, type CheckDraft, checkSchema } from './schema.js';

const PAGE = 4096;

/** A hint about the machine of a scenario, in terms of that of a case. */
export function inCaseWords(hint: string): string {
  return hint
    .replace('machine.memory, machine.fragmentation', 'machine.pages')
    .replace('machine.memory', 'machine.pages');
}

/** Reads a YAML or JSON text as a case. Errors: ScenarioError with every problem found. `path` names it in messages. */
export function parseCheck(text: string, path = '<case>'): CheckCase {
  const read = readTree(text, path, DEFAULT_LIMITS, CHECK_FORMAT);
  if ('problems' in read) throw new ScenarioError(read.problems);
  const { tree } = read;
  const checked = checkSchema.safeParse(tree.value);
  if (!checked.success) {
    const { issues } = checked.error;
    const described = issues.slice(0, MAX_DESCRIBED);
    throw new ScenarioError(problemsOf(described, tree, path), issues.length - described.length);
  }
  const problems: Problem[] = [];
  const report: Context['report'] = (key, message, hint, which = 'value') => {
    const said = inCaseWords(typeof hint === 'string' ? hint : hint());
    problems.push({ path, ...tree.locate(key, which), key: formatKey(key), message, hint: said });
  };
  const made = normalise(checked.data, report, (key) => ({ path, ...tree.locate(keyPath(key), 'value') }));
  if (problems.length > 0) throw new ScenarioError(problems);
  return made;
}

function normalise(draft: CheckDraft, report: Context['report'], locate: CheckCase['locate']): CheckCase {
  const machine = machineOf(draft);
  const shared = scenarioMachine(machine);
  const context: Context = {
    report,
    machine: shared,
    folder: '',
    sysfs: sysfsFilesOf(shared),
    processes: new Map(),
    files: new Map(),
    memcgs: new Set(['/']),
    schemes: new Set(),
    kdamonds: new Set(),
  };
  refuseScenarioKeys(draft, report);
  const processes = normaliseProcesses(context, draft.processes);
  const names = new Set(processes.map(({ name }) => name));
  for (const [at, fork] of (draft.forks ?? []).entries()) {
    if (!names.has(fork.process)) report(['forks', at, 'process'], `there is no process "${fork.process}"`, 'name one');
    if (names.has(fork.as)) report(['forks', at, 'as'], `there already is a process "${fork.as}"`, 'take another name');
    names.add(fork.as);
  }
  return {
    format: draft.format,
    name: draft.name,
    description: draft.description ?? '',
    bug:
      draft.bug === undefined ? null : { id: draft.bug.id, finds: draft.bug.finds ?? null, note: draft.bug.note ?? '' },
    machine,
    sysfs: normaliseSysfs(context, { enabled: 'always', ...draft.sysfs }, ['sysfs'], false),
    processes,
    forks: (draft.forks ?? []).map((fork, at) => ({ ...fork, key: `forks[${at}]` })),
    actors: actorsOf(draft),
    invariants: invariantsOf(draft.invariants),
    search: {
      strategy: draft.search?.strategy ?? 'dfs',
      preemptions: draft.search?.preemptions ?? null,
      maxSchedules: draft.search?.maxSchedules ?? 1_000_000,
      seed: draft.search?.seed ?? 1,
    },
    locate,
  };
}

/** What processes and searches may say elsewhere, and would be passed over in silence here. */
function refuseScenarioKeys({ processes, search = {} }: CheckDraft, report: Context['report']): void {
  for (const [at, one] of processes.entries()) {
    for (const key of ['count', 'cpu', 'snapshot'] as const) {
      if (one[key] === undefined) continue;
      const hint = key === 'count' ? 'list each process, or use forks' : 'leave it out';
      report(['processes', at, key], `a case knows no "${key}" of a process`, hint, 'key');
    }
    if ((one.vmas ?? []).length > 0) continue;
    report(['processes', at], `process "${one.name}" has no VMAs`, 'list one at least below vmas', 'key');
  }
  if (search.preemptions === undefined || (search.strategy ?? 'dfs') === 'dfs') return;
  const message = `strategy ${search.strategy} knows no most pre-emptions`;
  report(['search', 'preemptions'], message, 'leave it out, or say "strategy: dfs"', 'key');
}

function machineOf({ machine = {} }: CheckDraft): CheckMachineSpec {
  return {
    kernel: machine.kernel ?? 'merged',
    pmdOrder: machine.pmdOrder ?? 3,
    pages: machine.pages ?? 64,
    swap: machine.swap ?? 0,
    slots: machine.slots ?? null,
    variant: machine.variant ?? {},
  };
}

/** The machine as the checks of processes and sysfs want it. */
function scenarioMachine({ kernel, pmdOrder, pages, swap }: CheckMachineSpec): Machine {
  return {
    nodes: [{ size: pages * PAGE, fragmentation: null }],
    pageSize: PAGE,
    pmdOrder,
    blockSize: PAGE * 2 ** pmdOrder,
    kernel,
    cpus: 64,
    swap: swap * PAGE,
    boot: '',
    readOnlyThpForFs: false,
    tlb: null,
  };
}

function actorsOf({ actors }: CheckDraft): ActorSpec[] {
  const used = new Map<string, number>();
  return actors.map((draft, at) => {
    const [kind, params] = Object.entries(draft).find(([key]) => key !== 'name') as [string, ActorSpec['params']];
    const base = typeof draft.name === 'string' ? draft.name : kind;
    const count = (used.get(base) ?? 0) + 1;
    used.set(base, count);
    return { key: `actors[${at}]`, name: count === 1 ? base : `${base}-${count}`, kind, params };
  });
}

function invariantsOf(draft: CheckDraft['invariants']): ReadonlySet<Invariant> {
  const usual = INVARIANTS.filter((one) => !ON_REQUEST.has(one));
  if (draft === undefined) return new Set(usual);
  if (Array.isArray(draft)) return new Set(draft);
  const { except } = draft as { readonly except: Invariant[] };
  return new Set(usual.filter((one) => !except.includes(one)));
}

/** The path that a text such as `actors[0].fault-read` means. */
function keyPath(key: string): KeyPath {
  const parts = key.match(/[^.[\]"]+/g) ?? [];
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
