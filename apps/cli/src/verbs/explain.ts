/** `thplab explain`: each PMD range and the one reason why it is as it is; one table in detail. */
import type { Command } from 'commander';
import type { Context } from '../context.js';
import { EXIT } from '../exit.js';
import { showExamples } from '../help.js';
import { type Overrides, override, overrideOptions } from '../input/overrides.js';
import { readInput } from '../input/read-input.js';
import { runnable } from '../input/runnable.js';
import { type OutputOptions, outputOptions } from '../options.js';
import { progressOf } from '../output/progress.js';
import { withTarget } from '../output/target.js';
import type { ExplainedRun } from './explain/explained-run.js';

interface Options extends OutputOptions, Overrides {
  readonly range?: string;
  readonly process?: string;
  readonly vma?: string;
  readonly only?: string;
  readonly summary?: boolean;
  readonly quiet?: boolean;
}

export function define(command: Command, context: Context): void {
  command
    .argument('<scenario|snapshot>', 'what to run; "-" is standard input')
    .option('--range <which>', 'one table in detail: VMA:N, PROCESS/VMA:N, an address, or the number of a line')
    .option('--process <name>', 'only this process')
    .option('--vma <name>', 'only this VMA')
    .option('--only <outcome>', 'only ranges with this outcome: "collapsed", or a reason by its kernel name')
    .option('--summary', 'how many ranges have which outcome');
  overrideOptions(command);
  outputOptions(command, 'one per range')
    .option('-q, --quiet', 'no progress')
    .action((path: string, options: Options) => explain(context, path, options));
  showExamples(command, context, [
    ['thplab explain examples/quickstart.yaml', 'one line per 2 MiB range'],
    ['thplab explain heap.yaml --summary --set khugepaged/max_ptes_none=0', 'how many, and why'],
    ['thplab explain heap.yaml --only exceed_none_pte', 'those with one reason'],
    ['thplab explain heap.yaml --range heap:0', 'one table: its entries, windows, steps and locks'],
  ]);
}

async function explain(context: Context, path: string, options: Options): Promise<void> {
  const found = await runnable(context, await readInput(context, path), options);
  const subject = { ...found, scenario: await override(found.scenario, { ...options, expect: false }) };
  const [{ findRange, selectRanges }, { explainedRun }, report] = await Promise.all([
    import('./explain/select.js'),
    import('./explain/explained-run.js'),
    import('./explain/report.js'),
  ]);
  const progress = progressOf(context, options.quiet);
  let run = await explainedRun(context, subject, progress, []);
  const rows = selectRanges(run.rows, options);
  if (options.range === undefined) {
    await withTarget(context, options.output, (target) =>
      report.writeRanges(target, context.version, run, rows, options),
    );
  } else {
    const row = findRange(run.rows, options.range, run.head.blockSize);
    // The same run again, now with every decision about the one table kept.
    run = await explainedRun(context, subject, progress, [row]);
    const table = run.table(row);
    await withTarget(context, options.output, (target) =>
      report.writeTable(target, context.version, run, row, table, options),
    );
  }
  conclude(context, run);
}

function conclude(context: Context, { head }: ExplainedRun): void {
  if (!head.partial) return;
  context.say('thplab: interrupted; the ranges are as far as the run came');
  context.exitCode = EXIT.interrupted;
}
