/** What the command line changes of a scenario: settings, kernel, seed, how long it runs. The file stays as it is. */
import type { CounterExpectation, RunSpec, Scenario, SysfsWrite } from '@thplab/scenario';
import {
  damonTreeOfProfile,
  isKernelProfile,
  KERNEL_PROFILES,
  type KernelProfile,
  parseWrite,
} from '@thplab/sysfs-schema';
import { type Command, Option } from 'commander';
import { UsageError } from '../errors.js';
import { assignment, gather, kernelToRunOption, RUNNABLE_KERNELS, wholeNumber } from '../options.js';
import { costsOption } from './costs.js';
import { checkDamonSetting, damonTarget, requireDamonFile } from './damon-files.js';
import { type Files, filesOfKernel, requireFileAt } from './sysfs-files.js';

export interface Overrides {
  /** `PATH=VALUE`, in this order. */
  readonly set?: readonly string[];
  readonly kernel?: string;
  readonly seed?: number;
  /** Path of a cost file. */
  readonly costs?: string;
  /** See parseUntil. */
  readonly until?: string;
  /** False: expectations are not checked. */
  readonly expect?: boolean;
}

/** Adds the options that change a scenario. */
export function overrideOptions(command: Command): Command {
  command.addOption(
    new Option(
      '--set <path=value>',
      'write a sysfs file before the run, after the file’s own writes (repeatable)',
    ).argParser(gather),
  );
  kernelToRunOption(command, 'run this kernel profile');
  costsOption(command);
  return command
    .option('--seed <n>', 'another seed for every random choice', wholeNumber)
    .option('--until <end>', 'when to end: a time (30s), fullScans=2, pagesCollapsed=100, covered=90%, eventsDone');
}

/** The scenario with the changes. Errors: UsageError for what cannot be. */
export async function override(scenario: Scenario, changes: Overrides): Promise<Scenario> {
  const kernel = changes.kernel === undefined ? scenario.machine.kernel : await runnableKernel(changes.kernel);
  const judged = changes.expect === false ? await withoutExpectations(scenario) : scenario;
  const changed = {
    ...judged,
    machine: { ...scenario.machine, kernel },
    seed: changes.seed ?? scenario.seed,
    run: changes.until === undefined ? scenario.run : await parseUntil(changes.until, scenario.run),
  };
  if (kernel !== scenario.machine.kernel) checkFiles(changed);
  const set = (changes.set ?? []).map((text) => parseSetting(text, filesOfScenario(changed)));
  return { ...changed, sysfs: [...scenario.sysfs, ...set] };
}

/** Nothing is checked: neither at the end, nor in between, nor what events return. */
async function withoutExpectations(scenario: Scenario): Promise<Scenario> {
  const { NOTHING_EXPECTED } = await import('@thplab/scenario');
  const events = scenario.events.filter(({ action }) => action.kind !== 'check');
  return { ...scenario, expect: NOTHING_EXPECTED, events: events.map((event) => ({ ...event, expect: null })) };
}

/** `PATH=VALUE` as a write that the kernel takes. Errors: UsageError with the nearest path, or with what the file takes. */
export function parseSetting(text: string, files: Files): SysfsWrite {
  const pair = assignment(text);
  if (pair === null)
    throw new UsageError(`${JSON.stringify(text)} is no PATH=VALUE, such as khugepaged/max_ptes_none=0`);
  const [path, value] = pair;
  const inDamon = damonTarget(files, path);
  if (inDamon !== null) {
    checkDamonSetting(files, path, inDamon, value);
    return { path: inDamon, value };
  }
  const file = requireFileAt(files, path);
  const answer = parseWrite(file, value);
  if (!answer.ok) throw new UsageError(`${answer.message} (${answer.errno})`);
  return { path: file.path, value };
}

/** The sysfs of a scenario's machine. */
export function filesOfScenario({ machine, damon }: Pick<Scenario, 'machine' | 'damon'>): Files {
  const files = filesOfKernel(machine.kernel, {
    pageShift: Math.log2(machine.pageSize),
    pmdOrder: machine.pmdOrder,
  });
  const damonNames = new Map<string, string>();
  for (const [i, { name, schemes }] of damon.kdamonds.entries()) {
    for (const [j, scheme] of schemes.entries()) {
      const folder = `kdamonds/${i}/contexts/0/schemes/${j}`;
      damonNames.set(`${name}.${scheme.name}`, folder);
      if (!damonNames.has(scheme.name)) damonNames.set(scheme.name, folder);
    }
    damonNames.set(name, `kdamonds/${i}/contexts/0`);
  }
  return { ...files, damon: damonTreeOfProfile(damon.profile, machine.kernel), damonNames };
}

/** A profile by name. Errors: UsageError with those that can run. */
export function kernelNamed(name: string): KernelProfile {
  if (isKernelProfile(name)) return name;
  throw new UsageError(`no kernel profile is called ${JSON.stringify(name)}; there are ${RUNNABLE_KERNELS.join(', ')}`);
}

/** A profile whose collapse code can run. Errors: UsageError with those that can. */
export async function runnableKernel(name: string): Promise<KernelProfile> {
  const kernel = kernelNamed(name);
  const { isModelled } = await import('@thplab/scenario');
  if (isModelled(kernel)) return kernel;
  const modelled = KERNEL_PROFILES.filter(isModelled).join(', ');
  throw new UsageError(`the collapse code of kernel ${name} is not modelled; there are ${modelled}`);
}

/** What the scenario writes and counts must exist on the kernel that takes the place of its own. */
function checkFiles(scenario: Scenario): void {
  const files = filesOfScenario(scenario);
  const mustExist = (path: string, what: string, hint: string): void => {
    try {
      const inDamon = damonTarget(files, path);
      if (inDamon === null) requireFileAt(files, path);
      else requireDamonFile(files, path, inDamon);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`the scenario ${what}: ${error.message}${hint}`);
    }
  };
  for (const { path } of writesOf(scenario))
    mustExist(path, `writes a file that --kernel ${scenario.machine.kernel} lacks`, '');
  for (const { source, name } of countersOf(scenario)) {
    const what = `expects something of a counter that --kernel ${scenario.machine.kernel} lacks`;
    if (source === 'sysfs') mustExist(name, what, '; or give --no-expect');
  }
}

function writesOf({ sysfs, events }: Scenario): readonly SysfsWrite[] {
  return [...sysfs, ...events.flatMap(({ action }) => (action.kind === 'sysfs' ? action.writes : []))];
}

function countersOf({ expect, events, run }: Scenario): readonly CounterExpectation[] {
  const ofEvents = events.flatMap(({ action, expect }) => [
    ...(action.kind === 'check' ? action.expect.counters : []),
    ...(expect?.counters ?? []),
  ]);
  return [...expect.counters, ...ofEvents, ...(run.until?.counters ?? [])];
}

const UNTIL_HINT = 'expected a time such as 30s, or fullScans=2, pagesCollapsed=100, covered=90%, eventsDone';

/** The end of a run from a text: a time, or one goal. */
async function parseUntil(text: string, run: RunSpec): Promise<RunSpec> {
  const { parseCount, parseDuration, parseShare } = await import('@thplab/scenario');
  const time = parseDuration(text);
  if (time !== null && time > 0) return { ...run, until: null, atMost: time };
  const goal = { fullScans: null, pagesCollapsed: null, covered: null, eventsDone: false, counters: [] };
  const [name = '', value = ''] = text.split(/=(.*)/s);
  if (name === 'eventsDone' && !text.includes('=')) return { ...run, until: { ...goal, eventsDone: true } };
  const count = parseCount(value);
  if ((name === 'fullScans' || name === 'pagesCollapsed') && count !== null && count > 0) {
    return { ...run, until: { ...goal, [name]: count } };
  }
  const fraction = name === 'covered' ? parseShare(value) : null;
  if (fraction === null) throw new UsageError(`--until ${JSON.stringify(text)} is no end of a run; ${UNTIL_HINT}`);
  return { ...run, until: { ...goal, covered: { process: null, vma: null, fraction } } };
}
