/** `thplab import perf-script`: sampled accesses to hot and cold parts of huge pages, and ranges to split (DAMON spec 5). */
import type { HotRule, PerfSamples, PerfScriptOptions } from '@thplab/capture';
import { type Command, Option } from 'commander';
import type { Context } from '../../context.js';
import { InputError, UsageError } from '../../errors.js';
import { showExamples } from '../../help.js';
import { shownPath } from '../../input/open-file.js';
import { forEachLine } from '../../input/read-lines.js';
import { geometryOf, processId, wholeNumber } from '../../options.js';
import { jsonDocument } from '../../output/json.js';
import { withTarget } from '../../output/target.js';
import { chooseAddresses, type Placed } from './addresses.js';
import { type RangeOptions, rangeOptions, writeLines } from './range-options.js';
import { remarks, type Sampled, sampledDocument, writeSampled } from './sampled-report.js';

export interface PerfOptions extends RangeOptions {
  readonly process?: number;
  readonly event?: string;
  readonly snapshot?: string;
  readonly pid?: number;
  readonly by?: 'virtual' | 'physical';
  readonly threshold: number;
  readonly minSamples: number;
  readonly hotRule: HotRule;
  readonly skipBadLines?: boolean;
}

export function definePerfScript(command: Command, context: Context): void {
  command
    .argument('<file>', 'what "perf script" or "perf mem -D report" printed; "-": stdin')
    .option('--process <pid>', 'only samples of this process (or thread, as perf printed it)', processId)
    .option('--event <name>', 'count samples under this event (default: memory, else the most frequent)')
    .addOption(
      new Option(
        '--snapshot <file>',
        'page tables: which blocks are huge, and where physical addresses are mapped',
      ).conflicts('pid'),
    )
    .option('-p, --pid <n>', 'the same from the live process', processId)
    .addOption(
      new Option('--by <address>', 'which addresses to use (default: virtual, where there are any)').choices([
        'virtual',
        'physical',
      ]),
    )
    .option('--threshold <percent>', 'candidates have fewer hot pages than this', wholeNumber, 30)
    .option('--min-samples <n>', 'leave out blocks with fewer samples', wholeNumber, 0)
    .addOption(
      new Option('--hot-rule <rule>', 'hot pages: a tenth of the peak and at least 1, or as the published tool counts')
        .choices(['corrected', 'published'])
        .default('corrected'),
    )
    .option('--skip-bad-lines', 'pass over lines that are no samples');
  rangeOptions(command).action((path: string, options: PerfOptions) => run(context, path, options));
  showExamples(command, context, [
    ['perf record -e arm_spe_0/ts_enable=1,pa_enable=1/ -p PID', 'on the machine'],
    ['perf script -F comm,pid,time,event,addr,phys_addr > spe.txt', 'there too'],
    ['thplab import perf-script spe.txt --process PID', 'by virtual addresses'],
    ['thplab capture --pid PID --keep-frames -o app.thpsnap', 'if there are only physical ones'],
    ['thplab import perf-script spe.txt --snapshot app.thpsnap --as sysfs', 'lines that split sparse huge pages'],
  ]);
}

async function run(context: Context, path: string, options: PerfOptions): Promise<void> {
  if (options.threshold > 100)
    throw new UsageError(`--threshold is a share of the pages: 0 to 100, not ${options.threshold}`);
  const capture = await import('@thplab/capture');
  const { pageShift, pmdOrder } = geometryOf(options);
  const pageSize = 2 ** pageShift;
  const shown = shownPath(path);
  const samples = await read(context, path, options, pageSize);
  const placed = await chooseAddresses(context, shown, samples, options, pageSize);
  const blocks = placed.blocks(pmdOrder, options.hotRule);
  const selected = placed.huge === null ? blocks : blocks.filter(({ startPage }) => placed.huge?.has(startPage));
  const candidates = capture.selectCandidates(selected, pmdOrder, {
    thresholdPercent: options.threshold,
    minSamples: options.minSamples,
    maxRanges: options.maxFilters,
  });
  const sampled: Sampled = { from: shown, samples, placed, blocks, selected, candidates, pageSize, pmdOrder };
  await withTarget(context, options.output, async (target) => {
    if (options.json) target.write(jsonDocument(sampledDocument(sampled, options, context.version)));
    else if (options.as === 'table') await writeSampled(target, sampled, options);
    else {
      const scheme = {
        pid: processOf(options, samples, placed),
        action: options.action,
        targetOrder: options.order,
        pageSize,
      };
      await writeLines(target, candidates.ranges, scheme, options.as);
    }
  });
  if (!options.quiet) for (const line of await remarks(sampled, options)) context.say(`note: ${line}`);
}

async function read(context: Context, path: string, options: PerfOptions, pageSize: number): Promise<PerfSamples> {
  const { ImportError, PerfSampleReader } = await import('@thplab/capture');
  const given: PerfScriptOptions = { pageSize, skipBadLines: options.skipBadLines === true };
  const reader = new PerfSampleReader(options.process === undefined ? given : { ...given, process: options.process });
  await forEachLine(context, path, { what: 'samples', ...options }, (line, number) => {
    try {
      reader.read(line, number);
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      const message = `${shownPath(path)}:${error.line}:${error.column}: ${error.message}`;
      throw new InputError(message, { hasPlace: true, cause: error });
    }
  });
  return reader.finish();
}

/** The process that lines for a machine name. */
function processOf(options: PerfOptions, samples: PerfSamples, placed: Placed): number {
  const only = samples.processes.length === 1 ? samples.processes[0][0] : undefined;
  const process = options.pid ?? placed.pid ?? options.process ?? only;
  if (process !== undefined) return process;
  throw new UsageError('for which process? give --process PID; the samples are of several, or do not say');
}
