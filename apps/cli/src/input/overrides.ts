/** What the command line changes of a scenario: settings, kernel, seed, how long it runs. The file stays as it is. */
import type { RunSpec, Scenario, SysfsWrite } from '@thplab/scenario';
import { isKernelProfile, type KernelProfile, parseWrite } from '@thplab/sysfs-schema';
import { type Command, Option } from 'commander';
import { UsageError } from '../errors.js';
import { assignment, gather, kernelOption, wholeNumber } from '../options.js';
import { type Files, filesOfKernel, requireFileAt } from './sysfs-files.js';

export interface Overrides {
  /** `PATH=VALUE`, in this order. */
  readonly set?: readonly string[];
  readonly kernel?: string;
  readonly seed?: number;
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
  kernelOption(command, 'run this kernel profile');
  return command
    .option('--seed <n>', 'another seed for every random choice', wholeNumber)
    .option('--until <end>', 'when to end: a time (30s), fullScans=2, pagesCollapsed=100, covered=90%, eventsDone');
}

/** The scenario with the changes. Errors: UsageError for what cannot be. */
export async function override(scenario: Scenario, changes: Overrides): Promise<Scenario> {
  const kernel = changes.kernel === undefined ? scenario.machine.kernel : kernelNamed(changes.kernel);
  const machine = { ...scenario.machine, kernel };
  const changed = {
    ...scenario,
    machine,
    seed: changes.seed ?? scenario.seed,
    run: changes.until === undefined ? scenario.run : await parseUntil(changes.until, scenario.run),
    ...(changes.expect === false ? { expect: NOTHING_EXPECTED } : {}),
  };
  if (kernel !== scenario.machine.kernel) checkWrites(changed);
  const set = (changes.set ?? []).map((text) => parseSetting(text, filesOfScenario(changed)));
  return { ...changed, sysfs: [...scenario.sysfs, ...set] };
}

/** `PATH=VALUE` as a write that the kernel takes. Errors: UsageError with the nearest path, or with what the file takes. */
export function parseSetting(text: string, files: Files): SysfsWrite {
  const pair = assignment(text);
  if (pair === null)
    throw new UsageError(`${JSON.stringify(text)} is no PATH=VALUE, such as khugepaged/max_ptes_none=0`);
  const [path, value] = pair;
  const file = requireFileAt(files, path);
  const answer = parseWrite(file, value);
  if (!answer.ok) throw new UsageError(`${answer.message} (${answer.errno})`);
  return { path: file.path, value };
}

/** The sysfs of a scenario's machine. */
export function filesOfScenario({ machine }: Pick<Scenario, 'machine'>): Files {
  return filesOfKernel(machine.kernel, { pageShift: Math.log2(machine.pageSize), pmdOrder: machine.pmdOrder });
}

/** A profile by name. Errors: UsageError. */
export function kernelNamed(name: string): KernelProfile {
  if (isKernelProfile(name)) return name;
  throw new UsageError(`no kernel profile is called ${JSON.stringify(name)}; "thplab run --help" lists them`);
}

/** The scenario's own writes must exist on the kernel that takes the place of its own. */
function checkWrites(scenario: Scenario): void {
  const files = filesOfScenario(scenario);
  for (const { path } of scenario.sysfs) {
    try {
      requireFileAt(files, path);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(
        `the scenario writes a file that --kernel ${scenario.machine.kernel} lacks: ${error.message}`,
      );
    }
  }
}

const NOTHING_EXPECTED: Scenario['expect'] = {
  counters: [],
  coverage: [],
  memory: [],
  outcomes: [],
  stalls: [],
  time: null,
};

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
