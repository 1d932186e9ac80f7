/** `thplab report`: tables and pictures of what DAMON recorded, in damo's layouts. */
import type { DamonRecord } from '@thplab/scenario';
import { Argument, type Command } from 'commander';
import type { Context } from '../context.js';
import { InputError, UsageError } from '../errors.js';
import { showExamples } from '../help.js';
import { readRecordFile } from '../input/damo-record.js';
import { shownPath } from '../input/open-file.js';
import { outputOptions, wholeNumber } from '../options.js';
import { jsonDocument } from '../output/json.js';
import { withTarget } from '../output/target.js';
import { reportDocument, reportText } from './report/kinds.js';

export const REPORT_KINDS = ['access', 'heatmap', 'wss', 'nr_regions'] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

export interface ReportOptions {
  readonly raw?: boolean;
  readonly resol?: readonly [number, number];
  readonly timeRange?: string;
  readonly addressRange?: string;
  readonly absTime?: boolean;
  readonly absAddr?: boolean;
  readonly guide?: boolean;
  readonly skip: number;
  readonly workTime?: string;
  readonly accThres: number;
  readonly szThres?: string;
  readonly target?: number;
  readonly json?: boolean;
  readonly output?: string;
}

export function define(command: Command, context: Context): void {
  command
    .addArgument(new Argument('<kind>', 'what to show').choices([...REPORT_KINDS]))
    .argument('<record>', 'a record of damo (damon.data), or of "thplab run --damo-record"; "-": stdin')
    .option('--raw', 'access: regions as damo prints them raw; heatmap: one line per pixel')
    .option('--resol <TxA>', 'heatmap: rows of time by columns of address, e.g. 40x80', resolution)
    .option('--time-range <from-to>', 'heatmap: e.g. "0 s-2 s"')
    .option('--address-range <from-to>', 'heatmap: e.g. 1G-2G (default: the hottest area)')
    .option('--abs-time', 'heatmap --raw: times as recorded, not from the beginning of the map')
    .option('--abs-addr', 'heatmap --raw: addresses as recorded')
    .option('--guide', 'heatmap: what can be drawn, instead of a map')
    .option('--skip <n>', 'wss, nr_regions: snapshots to leave out at the beginning', wholeNumber, 20)
    .option('--work-time <time>', 'wss: put snapshots together to this time, e.g. "1 s"')
    .option('--acc-thres <n>', 'wss: least samples of what counts as used', wholeNumber, 1)
    .option('--sz-thres <size>', 'wss: least size of a region that counts')
    .option('--target <id>', 'only this target', wholeNumber);
  outputOptions(command, null).action((kind: ReportKind, path: string, options: ReportOptions) =>
    report(context, kind, path, options),
  );
  showExamples(command, context, [
    ['thplab report heatmap damon.data', 'time down, addresses across, heat as a digit'],
    ['thplab report wss damon.data', 'percentiles of the working set'],
    ['perf script -i perf.data | thplab report access --raw -', 'regions of each snapshot'],
  ]);
}

async function report(context: Context, kind: ReportKind, path: string, options: ReportOptions): Promise<void> {
  const records = (await readRecordFile(context, path)).filter(
    ({ target }) => options.target === undefined || target === options.target,
  );
  const seen = records.filter(({ snapshots }) => snapshots.length > 0);
  if (seen.length === 0) throw noRecord(shownPath(path), options);
  const texts: string[] = [];
  const documents: unknown[] = [];
  for (const record of seen) {
    if (options.json) documents.push(await reportDocument(kind, record, options));
    else texts.push(await reportText(kind, record, options));
  }
  await withTarget(context, options.output, (target) => {
    target.write(
      options.json
        ? jsonDocument({
            format: 'thplab/report@1',
            version: context.version,
            kind,
            from: shownPath(path),
            records: documents,
          })
        : texts.join('\n'),
    );
  });
  const skipsNothing = (record: DamonRecord): boolean => record.snapshots.length <= options.skip;
  if ((kind === 'wss' || kind === 'nr_regions') && options.skip > 0 && seen.some(skipsNothing)) {
    context.say(`note: the record has no more than ${options.skip} snapshots, so none was left out at the beginning`);
  }
}

function noRecord(shown: string, { target }: ReportOptions): Error {
  if (target === undefined) return new InputError(`${shown}:1:1: the record has no snapshots`, { hasPlace: true });
  return new UsageError(`${shown} has nothing of target ${target}`);
}

function resolution(text: string): readonly [number, number] {
  const match = /^([0-9]{1,4})x([0-9]{1,4})$/.exec(text);
  const [rows, columns] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  if (rows > 0 && columns > 0) return [rows, columns];
  throw new UsageError(`--resol ${text}: rows by columns such as 40x80, each from 1 to 9999`);
}
