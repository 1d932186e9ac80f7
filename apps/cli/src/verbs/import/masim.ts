/** `thplab import masim`: a configuration of masim as a scenario that runs it. */
import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { InputError } from '../../errors.js';
import { showExamples } from '../../help.js';
import { shownPath } from '../../input/open-file.js';
import { readInput } from '../../input/read-input.js';
import { withTarget } from '../../output/target.js';
import { nameFrom, scenarioText } from './scenario-text.js';

interface Options {
  readonly output?: string;
  readonly rate: string;
}

export function defineMasim(command: Command, context: Context): void {
  command
    .argument('<file>', 'a configuration of masim; the scenario names it, so that it must stay')
    .option('--rate <n>', 'accesses in a second; masim itself makes as many as it can', '10M')
    .option('-o, --output <file>', 'write the scenario to a file, whole or not at all ("-": stdout)')
    .action((path: string, options: Options) => run(context, path, options));
  showExamples(command, context, [
    ['thplab import masim zigzag.cfg -o zigzag.yaml', 'a scenario, to be edited'],
    ['thplab run zigzag.yaml', 'and run'],
  ]);
}

async function run(context: Context, path: string, options: Options): Promise<void> {
  const input = await readInput(context, path);
  if (input.kind === 'snapshot') throw new InputError(`${input.path} is a snapshot; expected a masim configuration`);
  const { MasimError, parseMasim, parseScenario, ScenarioError } = await import('@thplab/scenario');
  const page = 4096;
  try {
    const { regions, phases } = parseMasim(input.text, input.path);
    const taken = new Set<string>();
    const renamed = regions.filter(({ name }) => nameFrom(name, taken) !== name);
    const total = regions.reduce((sum, { bytes }) => sum + Math.ceil(bytes / page) * page, 0);
    // Names that a scenario cannot have: one mapping for all, in which the regions follow each other.
    const vmas =
      renamed.length > 0
        ? [{ name: 'regions', at: null, size: total, populate: [] }]
        : regions.map(({ name, bytes }) => ({ name, at: null, size: Math.ceil(bytes / page) * page, populate: [] }));
    const milliseconds = phases.reduce((sum, phase) => sum + phase.milliseconds, 0);
    const text = scenarioText({
      name: `masim ${shownPath(path)}`,
      remarks: [
        `Regions and phases of ${shownPath(path)}: ${phases.map(({ name }) => name).join(', ')}.`,
        'masim accesses as fast as it can; how fast that is stands under rate.',
      ],
      process: 'masim',
      vmas,
      workload: [`${renamed.length > 0 ? 'vma: regions, ' : ''}masim: ${JSON.stringify(path)}, rate: ${options.rate}`],
      seconds: milliseconds / 1000,
    });
    parseScenario(text);
    await withTarget(context, options.output, (target) => target.write(text));
    context.say('note: the path of the configuration in the scenario is relative to the scenario');
  } catch (error) {
    if (error instanceof MasimError) throw new InputError(error.message, { hasPlace: true, cause: error });
    if (error instanceof ScenarioError)
      throw new InputError(`no scenario can be made of it: ${error.message}`, { cause: error });
    throw error;
  }
}
