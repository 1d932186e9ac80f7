/** `thplab import smaps`: the fallback without samples. */
import type { Candidates, MapsEntry } from '@thplab/capture';
import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { InputError, UsageError } from '../../errors.js';
import { showExamples } from '../../help.js';
import { shownPath } from '../../input/open-file.js';
import { forEachLine } from '../../input/read-lines.js';
import { geometryOf, processId } from '../../options.js';
import { jsonDocument } from '../../output/json.js';
import { withTarget } from '../../output/target.js';
import { type RangeOptions, rangeOptions, writeLines } from './range-options.js';
import { writeRangeTable } from './range-table.js';

interface Options extends RangeOptions {
  readonly process?: number;
  readonly scenario?: boolean;
}

export function defineSmaps(command: Command, context: Context): void {
  command
    .argument('<file>', 'a copy of /proc/PID/smaps; "-": stdin')
    .option('--process <pid>', 'the process, for the lines', processId)
    .option('--scenario', 'make a scenario of the mappings instead of ranges');
  rangeOptions(command).action((path: string, options: Options) => run(context, path, options));
  showExamples(command, context, [
    ['thplab import smaps /proc/1234/smaps', 'the ranges, and how much too many they are'],
    ['thplab import smaps app.smaps --process 1234 --as sysfs', 'lines that split them'],
    ['thplab import smaps app.smaps --scenario -o app.yaml', 'a scenario with as much in each mapping'],
  ]);
}

async function run(context: Context, path: string, options: Options): Promise<void> {
  const { pageShift, pmdOrder } = geometryOf(options);
  const pageSize = 2 ** pageShift;
  const capture = await import('@thplab/capture');
  const entries = await readEntries(context, path, options);
  if (options.scenario) return writeScenario(context, path, entries, options);
  const blocks = capture.blocksOfSmaps(entries, pageSize, pmdOrder);
  const huge = capture.hugeBlocksCounted(entries, pageSize, pmdOrder);
  const candidates: Candidates = capture.selectCandidates(blocks, pmdOrder, {
    thresholdPercent: 100,
    maxRanges: options.maxFilters,
  });
  const process = options.process ?? pidOfPath(path);
  if (options.as !== 'table' && process === null) throw new UsageError('for which process? give --process PID');
  await withTarget(context, options.output, async (target) => {
    if (options.json) {
      target.write(
        jsonDocument({
          format: 'thplab/import@1',
          version: context.version,
          from: shownPath(path),
          pageSize,
          hugeBlocks: huge,
          candidates,
        }),
      );
    } else if (options.as !== 'table') {
      const scheme = { pid: process ?? 0, action: options.action, targetOrder: options.order, pageSize };
      await writeLines(target, candidates.ranges, scheme, options.as);
    } else writeRangeTable(target, candidates, pageSize, false);
  });
  if (options.quiet) return;
  const much = huge > 0 ? `, ${(blocks.length / huge).toFixed(1)} times as many as are huge (${huge})` : '';
  context.say(
    `note: smaps does not say which blocks are huge, and nothing here says which are cold: ${blocks.length} blocks were taken${much}. Sampled accesses say it: thplab import perf-script`,
  );
  if (candidates.leftOut > 0)
    context.say(`note: ${candidates.leftOut} ranges beyond --max-filters ${options.maxFilters} were left out`);
}

async function writeScenario(
  context: Context,
  path: string,
  entries: readonly MapsEntry[],
  options: Options,
): Promise<void> {
  const { smapsScenario } = await import('./smaps-scenario.js');
  const { parseScenario, ScenarioError } = await import('@thplab/scenario');
  const text = smapsScenario(entries, shownPath(path));
  try {
    parseScenario(text);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    throw new InputError(`${shownPath(path)}: no scenario can be made of it: ${error.message}`, { cause: error });
  }
  await withTarget(context, options.output, (target) => target.write(text));
}

async function readEntries(context: Context, path: string, options: Options): Promise<readonly MapsEntry[]> {
  const { SmapsReader, CaptureError } = await import('@thplab/capture');
  const reader = new SmapsReader();
  await forEachLine(context, path, { what: 'smaps', ...options }, (line, number) => {
    try {
      reader.read(line);
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      throw new InputError(`${shownPath(path)}:${number}:1: ${error.message}`, { hasPlace: true, cause: error });
    }
  });
  const entries = reader.finish();
  if (entries.length === 0)
    throw new InputError(`${shownPath(path)}:1:1: no VMA; expected what /proc/PID/smaps prints`, { hasPlace: true });
  return entries;
}

function pidOfPath(path: string): number | null {
  const match = /^\/proc\/([0-9]+)\/smaps$/.exec(path);
  return match === null ? null : Number(match[1]);
}
