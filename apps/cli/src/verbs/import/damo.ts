/** `thplab import damo`: a record of DAMON as a scenario that replays its accesses (DAMON spec 8.6). */
import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { InputError, UsageError } from '../../errors.js';
import { showExamples } from '../../help.js';
import { readRecordFile } from '../../input/damo-record.js';
import { shownPath } from '../../input/open-file.js';
import { wholeNumber } from '../../options.js';
import { withTarget } from '../../output/target.js';
import { scenarioText } from './scenario-text.js';

interface Options {
  readonly output?: string;
  readonly target?: number;
}

const MiB = 2 ** 20;
const BLOCK = 2 * MiB;

export function defineDamo(command: Command, context: Context): void {
  command
    .argument('<record>', 'a record of damo (damon.data); the scenario names it, so that it must stay')
    .option('--target <id>', 'only this target', wholeNumber)
    .option('-o, --output <file>', 'write the scenario to a file, whole or not at all ("-": stdout)')
    .action((path: string, options: Options) => run(context, path, options));
  showExamples(command, context, [
    ['thplab import damo damon.data -o replay.yaml', 'a scenario, to be edited'],
    ['thplab run replay.yaml', 'and run'],
  ]);
}

async function run(context: Context, path: string, options: Options): Promise<void> {
  if (path === '-') throw new UsageError('the scenario names the record, so that it must be a file');
  const records = await readRecordFile(context, path);
  const found = records.filter(({ target }) => options.target === undefined || target === options.target);
  const [record] = found;
  if (record === undefined) throw new UsageError(`${path} has nothing of target ${options.target ?? '(any)'}`);
  if (records.length > 1) {
    const targets = records.map(({ target }) => target).join(', ');
    throw new UsageError(`${path} has records of several targets (${targets}); a replay takes a record of one`);
  }
  const { areasOf, parseScenario, ScenarioError } = await import('@thplab/scenario');
  const first = record.snapshots[0];
  if (first === undefined)
    throw new InputError(`${shownPath(path)}:1:1: the record has no snapshots`, { hasPlace: true });
  const lengthNs = (record.snapshots[record.snapshots.length - 1]?.endNs ?? 0) - first.startNs;
  const vmas = areasOf(record).map(([start, end], at) => {
    const from = Math.floor(start / BLOCK) * BLOCK;
    return { name: `area-${at}`, at: from, size: Math.ceil((end - from) / BLOCK) * BLOCK, populate: [] };
  });
  const text = scenarioText({
    name: `replay of ${path}`,
    remarks: [
      `What DAMON saw of target ${record.target}, replayed: regions with n samples are swept n times in each snapshot.`,
      'Where the process had mapped what, and how much memory there was, the record does not say.',
    ],
    process: 'replay',
    vmas,
    workload: [`record: ${JSON.stringify(path)}`],
    seconds: Math.max(1e-3, lengthNs / 1e9),
  });
  try {
    parseScenario(text);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    throw new InputError(`${path}: no scenario can be made of it: ${error.message}`, { cause: error });
  }
  await withTarget(context, options.output, (target) => target.write(text));
  context.say('note: the path of the record in the scenario is relative to the scenario');
}
