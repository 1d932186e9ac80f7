/** `thplab calibrate`: what work costs on this machine's kernel, as a file for `--costs`; or how well that predicts. */
import type { CostFile } from '@thplab/scenario';
import type { Command } from 'commander';
import type { Context } from '../context.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit.js';
import { showExamples } from '../help.js';
import { costsOption, readCosts } from '../input/costs.js';
import { jsonDocument } from '../output/json.js';
import { progressOf } from '../output/progress.js';
import { withTarget } from '../output/target.js';
import type { CheckRow } from './calibrate/check.js';

interface Options {
  readonly check?: boolean;
  readonly costs?: string;
  readonly output?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function define(command: Command, context: Context): void {
  command.option('--check', 'time collapses that the calibration has not seen, against what the model predicts');
  costsOption(command)
    .option('--json', 'print one JSON document (a cost file may be JSON, too)')
    .option('-o, --output <file>', 'write the result to a file, whole or not at all ("-": stdout)')
    .option('-q, --quiet', 'no progress')
    .action((options: Options) => calibrate(context, options));
  showExamples(command, context, [
    ['thplab calibrate -o costs.yaml', 'measure this machine, some seconds'],
    ['thplab run heap.yaml --costs costs.yaml', 'virtual times as on that machine'],
    ['thplab calibrate --check', 'predicted against measured, where it was not measured before'],
    ['thplab calibrate --check --costs costs.yaml', 'the same with costs of a file'],
  ]);
}

async function calibrate(context: Context, options: Options): Promise<void> {
  if (options.costs !== undefined && !options.check) {
    throw new UsageError('--costs is for --check: without it the costs are measured anew');
  }
  const progress = progressOf(context, options.quiet);
  const given = options.costs === undefined ? undefined : await readCosts(context, options.costs);
  const { measureCosts } = await import('./calibrate/measure.js');
  const { checkCosts, checkTable, ROUND_EFFORT, TOLERANCE } = await import('./calibrate/check.js');
  let file: CostFile;
  let rows: readonly CheckRow[] | null = null;
  try {
    if (options.check) {
      const costsOfRound = async (): Promise<CostFile> => given ?? measureCosts(context, progress, ROUND_EFFORT);
      ({ file, rows } = await checkCosts(costsOfRound, progress));
    } else file = await measureCosts(context, progress);
  } finally {
    progress.clear();
  }
  await withTarget(context, options.output, async (target) => {
    const { COSTS_FORMAT, costFileText } = await import('@thplab/scenario');
    if (rows !== null)
      target.write(options.json ? jsonDocument({ file, rows }) : checkTable(file, rows, target.colors));
    else target.write(options.json ? jsonDocument({ format: COSTS_FORMAT, ...withoutNull(file) }) : costFileText(file));
  });
  const off = rows?.filter(({ ratio }) => Math.abs(ratio - 1) > TOLERANCE) ?? [];
  if (off.length === 0) return;
  context.say(`thplab: ${off.length} of ${rows?.length} predictions are more than ${TOLERANCE * 100} % off`);
  context.exitCode = EXIT.failed;
}

function withoutNull({ note, ...file }: CostFile): Omit<CostFile, 'note'> & { readonly note?: string } {
  return note === null ? file : { ...file, note };
}
