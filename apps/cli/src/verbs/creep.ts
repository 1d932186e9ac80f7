/** `thplab creep`: do repeated scans climb from order to order? */
import type { CreepQuestion } from '@thplab/mthp-collapse';
import { type Command, Option } from 'commander';
import type { Context } from '../context.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit.js';
import { showExamples } from '../help.js';
import { generationsNamed } from '../input/generations.js';
import { numberList } from '../input/number-list.js';
import { gather, type OutputOptions, outputOptions, wholeNumber } from '../options.js';
import { jsonDocument, jsonLine } from '../output/json.js';
import { progressOf } from '../output/progress.js';
import { withTarget } from '../output/target.js';
import type { CreepAnswer } from './creep/run-study.js';

export interface Options extends OutputOptions {
  readonly kernel?: readonly string[];
  readonly ptes: string;
  readonly maxPtesNone?: string;
  readonly orders?: readonly string[];
  readonly always?: boolean;
  readonly samples: number;
  readonly seed: number;
  readonly quiet?: boolean;
}

const TABLE_SIZES = ['8', '16', '512'];

export function define(command: Command, context: Context): void {
  command
    .option('--kernel <names>', 'kernel profiles: a,b, or repeated (default: merged)', gather)
    .addOption(new Option('--ptes <n>', 'entries of a page table').choices(TABLE_SIZES).default('16'))
    .option('--max-ptes-none <list>', 'values, such as 0,64,255-511 (default: all; of 512 entries a choice)')
    .option(
      '--orders <list>',
      'the enabled orders, such as 2,4,9 (repeatable; default: every set; of 512 entries ten)',
      gather,
    )
    .option('--always', 'the orders say "always" in their own files: matters to rfc-v2 and v4')
    .option('--samples <n>', '512 entries: tables by chance for each setting', wholeNumber, 100)
    .option('--seed <n>', '512 entries: what chance derives from', wholeNumber, 1);
  outputOptions(command, 'one per kernel')
    .option('-q, --quiet', 'no progress')
    .action((options: Options) => creep(context, options));
  showExamples(command, context, [
    ['thplab creep', 'every table of 16 entries under the merged kernel: a proof'],
    ['thplab creep --kernel v12,merged', 'two kernels; exit code 1 if one of them climbs'],
    ['thplab creep --kernel dev-v1 --ptes 512', 'tables of real size, sampled'],
    ['thplab creep --kernel dev-v1 --max-ptes-none 8 --orders 2-4', 'one setting, with the scans that climb'],
  ]);
}

async function creep(context: Context, options: Options): Promise<void> {
  const generations = await generationsNamed(options.kernel ?? ['merged']);
  const pmdOrder = Math.log2(Number(options.ptes));
  const settings = await settingsOf(options, pmdOrder);
  const [{ studyOf, writeNothing }, text] = await Promise.all([
    import('./creep/run-study.js'),
    import('./creep/text.js'),
  ]);
  const progress = progressOf(context, options.quiet);
  const signal = context.interruptible();
  const answers: CreepAnswer[] = [];
  for (const generation of generations) {
    if (signal.aborted) break;
    const question: CreepQuestion = { generation, pmdOrder, ...settings };
    answers.push(await studyOf(context, question, signal, progress, `${answers.length + 1}/${generations.length}`));
  }
  const partial = signal.aborted;
  if (answers.every(({ rows }) => rows.length === 0)) throw writeNothing();
  const { version } = context;
  await withTarget(context, options.output, (target) => {
    const documents = answers.map((answer) => text.creepDocument(answer, options));
    if (options.json)
      target.write(
        jsonDocument({ format: 'thplab/creep@1', version, ptes: 1 << pmdOrder, partial, kernels: documents }),
      );
    else if (options.ndjson) for (const document of documents) target.write(jsonLine(document));
    else target.write(text.creepText(answers, options, { version, partial }, target.colors));
  });
  if (partial) context.exitCode = EXIT.interrupted;
  else if (answers.some(({ rows }) => rows.some(({ verdict }) => verdict !== 'no'))) context.exitCode = EXIT.failed;
}

async function settingsOf(options: Options, pmdOrder: number): Promise<Omit<CreepQuestion, 'generation' | 'pmdOrder'>> {
  const { everyOrderSet, orderSet, MOST_EXHAUSTIVE_ORDER } = await import('@thplab/mthp-collapse');
  const ceiling = 2 ** pmdOrder - 1;
  const small = pmdOrder <= MOST_EXHAUSTIVE_ORDER;
  const every = small ? numberList('', `0-${ceiling}`, 0, ceiling) : CHOSEN_VALUES;
  const { maxPtesNone, orders, always, samples, seed } = options;
  const given = orders?.map((list) => orderSet(numberList('--orders', list, 2, pmdOrder)));
  if (samples > 1_000_000) throw new UsageError('--samples: at most 1,000,000');
  return {
    maxPtesNone: maxPtesNone === undefined ? every : numberList('--max-ptes-none', maxPtesNone, 0, ceiling),
    orderSets:
      given ?? (small ? everyOrderSet(pmdOrder) : CHOSEN_SETS.map((list) => orderSet(numberList('', list, 2, 9)))),
    always: always ?? false,
    samples,
    seed,
  };
}

/** For 512 entries: powers of two and their neighbours, where shifts change. */
const CHOSEN_VALUES: readonly number[] = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 200, 254, 255, 256, 257, 300, 383, 384, 448, 509, 510,
  511,
];
/** All sizes, all but huge pages, and each size beside huge pages. */
const CHOSEN_SETS: readonly string[] = ['2-9', '2-8', '2,9', '3,9', '4,9', '5,9', '6,9', '7,9', '8,9', '4,6,9'];
