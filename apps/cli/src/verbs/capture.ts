/** `thplab capture`: the page tables of a live process into a snapshot file. The process runs on and is not changed. */
import type { CaptureProgress, CaptureResult, NameDetail } from '@thplab/capture';
import { type Command, Option } from 'commander';
import type { Context } from '../context.js';
import { UsageError } from '../errors.js';
import { showExamples } from '../help.js';
import { captureFrom } from '../input/capture-process.js';
import { processId } from '../options.js';
import { jsonDocument } from '../output/json.js';
import { bar, progressOf } from '../output/progress.js';
import { openTarget, withTarget } from '../output/target.js';
import { captureDocument, writeCaptureSummary } from './capture/summary.js';

interface Options {
  readonly pid?: number;
  readonly output?: string;
  readonly json?: boolean;
  readonly names: NameDetail;
  readonly keepFrames?: boolean;
  readonly quiet?: boolean;
}

export function define(command: Command, context: Context): void {
  command
    .option('-p, --pid <n>', 'the process (required)', processId)
    .option('-o, --output <file>', 'the snapshot file (required), written whole or not at all ("-": stdout)')
    .addOption(
      new Option('--names <detail>', 'names of mappings: with folders, file names only, or none')
        .choices(['full', 'base', 'none'])
        .default('base'),
    )
    .option('--keep-frames', 'keep physical frame numbers too, to place perf samples by (needs root)')
    .option('--json', 'print the summary as one JSON document')
    .option('-q, --quiet', 'no progress and no summary')
    .action((options: Options) => capture(context, options));
  showExamples(command, context, [
    ['thplab capture --pid 1234 -o app.thpsnap', 'all of it as root; without root, what pagemap shows'],
    ['thplab capture --pid 1234 -o app.thpsnap --names none', 'no file names in the snapshot'],
    ['ssh root@host thplab capture --pid 1 -o - | thplab what-if -', 'captured there, looked at here'],
  ]);
}

async function capture(context: Context, options: Options): Promise<void> {
  const { pid, output } = options;
  if (pid === undefined) throw new UsageError('which process? give --pid N; "ps -e" lists them');
  if (output === undefined) throw new UsageError('where to? give -o FILE, or -o - for stdout');
  const toStdout = output === '-';
  if (toStdout && context.io.stdout.isTerminal) {
    throw new UsageError('a snapshot is not for a terminal; name a file with -o, or redirect stdout');
  }
  if (toStdout && options.json) throw new UsageError('--json and -o - both want stdout; name a file with -o');
  const begun = context.io.nowMs();
  // Opened first: a file that cannot be written is better known before the work.
  const target = openTarget(context, output);
  try {
    const { result, fileBytes } = await captureInto(context, pid, options, target.write);
    target.finish();
    const document = captureDocument(result, context.version, toStdout ? '<stdout>' : output, fileBytes);
    if (options.json) await withTarget(context, undefined, (out) => out.write(jsonDocument(document)));
    else if (!options.quiet) await writeCaptureSummary(context, document, toStdout);
    for (const line of result.snapshot.missing) context.say(`missing: ${line}`);
    for (const line of result.snapshot.notes) context.say(`note: ${line}`);
    if (!options.quiet) context.say(`took ${((context.io.nowMs() - begun) / 1000).toFixed(2)} s`);
  } finally {
    target.abandon();
  }
}

async function captureInto(
  context: Context,
  pid: number,
  options: Options,
  write: (bytes: Uint8Array) => void,
): Promise<{ result: CaptureResult; fileBytes: number }> {
  const { writeSnapshot } = await import('@thplab/capture');
  const progress = progressOf(context, options.quiet);
  const { names, keepFrames = false } = options;
  const show = ({ phase, done, total }: CaptureProgress): void =>
    progress.show(`capture of ${pid}: ${phase.padEnd(10)} ${bar(done, total)}`);
  try {
    const result = await captureFrom(context, { pid, names, keepFrames }, show);
    const bytes = writeSnapshot(result.snapshot);
    write(bytes);
    return { result, fileBytes: bytes.length };
  } finally {
    progress.clear();
  }
}
