/** `thplab cover`: the windows that a generation's walk chooses, against the best choice under the same limits. */
import type { CoverCase, CoverGoal, CoverTotals, Generation } from '@thplab/mthp-collapse';
import { type Command, Option } from 'commander';
import type { Context } from '../context.js';
import { InputError, InterruptedError } from '../errors.js';
import { EXIT } from '../exit.js';
import { showExamples } from '../help.js';
import { generationsNamed } from '../input/generations.js';
import { gather, type OutputOptions, outputOptions, wholeNumber } from '../options.js';
import { jsonDocument, jsonLine } from '../output/json.js';
import { progressOf } from '../output/progress.js';
import { withTarget } from '../output/target.js';

export interface Options extends OutputOptions {
  readonly kernel?: readonly string[];
  readonly ptes?: string;
  readonly tables?: number;
  readonly pattern?: string;
  readonly density?: string;
  readonly seed?: number;
  readonly maxPtesNone?: string;
  readonly orders?: string;
  readonly always?: boolean;
  readonly goal: CoverGoal;
  readonly show?: boolean;
  readonly quiet?: boolean;
}

/** What one generation came to. */
export interface CoverAnswer {
  readonly generation: Generation;
  readonly totals: CoverTotals;
}

/** Generations that are compared unless told otherwise: one of each way to choose. */
const DEFAULT_KERNELS = ['v6.18', 'dev-v1', 'rfc-v1', 'rfc-v2', 'v4', 'v12', 'v15', 'merged'];

export function define(command: Command, context: Context): void {
  command
    .argument('[scenario|snapshot]', 'take the tables of this instead of made-up ones; "-" is standard input')
    .option('--kernel <names>', 'kernel profiles: a,b, or repeated (default: eight that differ)', gather)
    .option(
      '--max-ptes-none <n>',
      'made-up tables: khugepaged/max_ptes_none (default: 255); of a file: instead of its own',
    )
    .option('--orders <list>', 'the enabled orders, such as 2,4,9 (default: 2-9; of a file: its own)')
    .option('--always', 'the orders say "always" in their own files: matters to rfc-v2 and v4')
    .addOption(
      new Option('--goal <what>', 'what the optimum prefers among covers of equally many pages')
        .choices(['fewest', 'leanest'])
        .default('fewest'),
    )
    .addOption(new Option('--ptes <n>', 'made-up tables: their size (default: 512)').choices(['8', '16', '512']))
    .option('--tables <n>', 'made-up tables: how many (default: 1000)', wholeNumber)
    .addOption(
      new Option('--pattern <name>', 'made-up tables: how pages lie (default: mixed)').choices([
        'random',
        'runs',
        'blocks',
        'mixed',
      ]),
    )
    .option('--density <share>', 'made-up tables: share of pages present, 0 to 1 (default: any)')
    .option('--seed <n>', 'made-up tables: what chance derives from (default: 1)', wholeNumber)
    .option('--show', 'the table on which each kernel loses most, as a picture')
    .addOption(new Option('--why', 'the same as --show').implies({ show: true }).hideHelp());
  outputOptions(command, 'one per kernel')
    .option('-q, --quiet', 'no progress')
    .action((path: string | undefined, options: Options) => cover(context, path, options));
  showExamples(command, context, [
    ['thplab cover', 'eight kernels on 1000 made-up tables'],
    ['thplab cover --kernel dev-v1,merged --max-ptes-none 0 --show', 'with the worst table of each'],
    ['thplab cover examples/mthp-only.yaml', 'the tables of a scenario as it begins'],
    ['thplab cover app.thpsnap --orders 4,9 --max-ptes-none 0', 'those of a captured process, under other settings'],
  ]);
}

async function cover(context: Context, path: string | undefined, options: Options): Promise<void> {
  const generations = await generationsNamed(options.kernel ?? DEFAULT_KERNELS);
  const cases = await import('./cover/cases.js');
  const source = path === undefined ? cases.madeUp(options) : await cases.ofInput(context, path, options);
  if (source.tables === 0) {
    const hint = options.orders === undefined ? '; --orders 2-9 looks at tables that sysfs allows no size for' : '';
    throw new InputError(`${path}: no page table holds a page that khugepaged may collapse as the run begins${hint}`);
  }
  const answers = await study(context, generations, source, options);
  const partial = answers.length < generations.length;
  const { coverDocument, coverText } = await import('./cover/text.js');
  await withTarget(context, options.output, (target) => {
    const { version } = context;
    const documents = answers.map((answer) => coverDocument(answer));
    const head = {
      format: 'thplab/cover@1',
      version,
      source: source.name,
      rules: source.rulesText,
      goal: options.goal,
      partial,
    };
    if (options.json) target.write(jsonDocument({ ...head, kernels: documents }));
    else if (options.ndjson) for (const document of documents) target.write(jsonLine(document));
    else target.write(coverText(answers, source, options, { version, partial }, target.colors));
  });
  if (partial) context.exitCode = EXIT.interrupted;
}

/** Tables to study, and where they come from. */
export interface CoverSource {
  readonly name: string;
  /** The settings that hold for them, in words. */
  readonly rulesText: string;
  readonly tables: number;
  /** Table number `index` under the rules of a generation. */
  caseOf(index: number, generation: Generation): CoverCase;
}

/** One kernel after the other; after Ctrl-C those that are done. Errors: InterruptedError if none is. */
async function study(
  context: Context,
  generations: readonly Generation[],
  source: CoverSource,
  options: Options,
): Promise<readonly CoverAnswer[]> {
  const { studyCover } = await import('./cover/run-study.js');
  const progress = progressOf(context, options.quiet);
  const signal = context.interruptible();
  const answers: CoverAnswer[] = [];
  for (const generation of generations) {
    const label = `${answers.length + 1}/${generations.length} ${generation.name}`;
    const totals = await studyCover(context, generation, source, options.goal, signal, progress, label);
    if (totals === null) break;
    answers.push({ generation, totals });
  }
  if (answers.length > 0) return answers;
  throw new InterruptedError('no kernel was done yet');
}
