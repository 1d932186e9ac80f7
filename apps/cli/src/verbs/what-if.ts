/** `thplab what-if`: what khugepaged would do with a live or captured process under other settings. */
import type { Snapshot } from '@thplab/capture';
import { type Command, Option } from 'commander';
import type { Context } from '../context.js';
import { UsageError } from '../errors.js';
import { showExamples } from '../help.js';
import { captureFrom } from '../input/capture-process.js';
import { costsOption } from '../input/costs.js';
import { readInput } from '../input/read-input.js';
import { snapshotOf } from '../input/scenario-input.js';
import { threadsOption, warnOfThreads } from '../input/threads.js';
import { gather, kernelToRunOption, type OutputOptions, outputOptions, processId, wholeNumber } from '../options.js';
import { bar, progressOf } from '../output/progress.js';
import { withTarget } from '../output/target.js';
import type { WhatIfChoices } from './what-if/look.js';

interface Options extends OutputOptions, WhatIfChoices {
  readonly pid?: number;
  readonly save?: string;
  readonly quiet?: boolean;
}

export function define(command: Command, context: Context): void {
  command
    .argument('[snapshot]', 'a file made by "thplab capture"; "-" is standard input')
    .option('-p, --pid <n>', 'capture this process now', processId)
    .option('--save <file>', 'with --pid: keep the capture')
    .option('--vary <path=a,b,c>', 'try these values (repeatable: every combination, at most 64)', gather)
    .option('--kernels <a,b>', 'try these kernel profiles')
    .option('--set <path=value>', 'in all variants but the first (repeatable)', gather);
  kernelToRunOption(command, 'the kernel that runs (default: nearest to the captured one)');
  costsOption(command);
  command
    .option('--advise-all', 'as if the program had advised all its memory with MADV_HUGEPAGE')
    .addOption(
      new Option('--young <which>', 'which entries count as recently used: as many as smaps says, all, none')
        .choices(['referenced', 'all', 'none'])
        .default('referenced'),
    )
    .option('--seed <n>', 'seed of what is not known and chosen at random', wholeNumber, 1)
    .option(
      '--choose <n>',
      'print the sysfs lines of this row (default: most huge memory for at most 5 % more)',
      wholeNumber,
    );
  threadsOption(command, 'try so many variants at the same time; the result does not depend on it');
  outputOptions(command, 'one per variant');
  command
    .option('-q, --quiet', 'no progress')
    .action((path: string | undefined, options: Options) => run(context, path, options));
  showExamples(command, context, [
    ['thplab what-if --pid 1234', 'a live process under a usual set of settings'],
    ['thplab what-if app.thpsnap --vary khugepaged/max_ptes_none=0,64,511', 'a captured one, one setting'],
    ['thplab what-if app.thpsnap --kernels v6.18,merged --set enabled=always --threads 2', 'two kernels at once'],
    ['thplab what-if app.thpsnap --choose 3 --json', 'with the lines that set row 3'],
  ]);
}

async function run(context: Context, path: string | undefined, options: Options): Promise<void> {
  if (!options.quiet) warnOfThreads(context, options.threads);
  const snapshot = await theSnapshot(context, path, options);
  const { look } = await import('./what-if/look.js');
  const { writeWhatIf } = await import('./what-if/report.js');
  const result = await look(context, snapshot, options, progressOf(context, options.quiet));
  await writeWhatIf(context, snapshot, result, options);
}

async function theSnapshot(context: Context, path: string | undefined, options: Options): Promise<Snapshot> {
  const { pid } = options;
  if ((path === undefined) === (pid === undefined)) {
    throw new UsageError('name a snapshot file or give --pid N, one of the two');
  }
  if (path !== undefined) {
    if (options.save !== undefined) throw new UsageError('--save is for --pid: the snapshot is a file already');
    const input = await readInput(context, path);
    if (input.kind === 'snapshot') return snapshotOf(input);
    throw new UsageError(`${input.path} is no snapshot; for a scenario: thplab compare ${path} --vary PATH=a,b,c`);
  }
  const progress = progressOf(context, options.quiet);
  try {
    const { snapshot } = await captureFrom(context, { pid: pid as number }, ({ phase, done, total }) =>
      progress.show(`capture of ${pid}: ${phase.padEnd(10)} ${bar(done, total)}`),
    );
    progress.clear();
    if (options.save !== undefined) await save(context, snapshot, options.save);
    return snapshot;
  } finally {
    progress.clear();
  }
}

async function save(context: Context, snapshot: Snapshot, file: string): Promise<void> {
  const { writeSnapshot } = await import('@thplab/capture');
  await withTarget(context, file, (target) => target.write(writeSnapshot(snapshot)));
}
