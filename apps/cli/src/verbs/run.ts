/** `thplab run`: runs a scenario and shows what happened. */
import type { RunOptions, Scenario, ScenarioResult, ScenarioRun } from '@thplab/scenario';
import { type Command, Option } from 'commander';
import type { Context } from '../context.js';
import { InputError } from '../errors.js';
import { EXIT } from '../exit.js';
import { showExamples } from '../help.js';
import { type Overrides, override, overrideOptions } from '../input/overrides.js';
import { readInput } from '../input/read-input.js';
import { runnable } from '../input/runnable.js';
import { mustBeScenario } from '../input/scenario-input.js';
import { threadsOption, warnOfThreads } from '../input/threads.js';
import { type OutputOptions, outputOptions } from '../options.js';
import { jsonDocument, jsonLine } from '../output/json.js';
import { type Progress, progressOf } from '../output/progress.js';
import { withTarget } from '../output/target.js';
import { repeatCommand } from '../repeat.js';
import { simulate } from '../simulate.js';
import { TRACE_FORMATS, type TraceFileFormat, traceFormatOf } from './run/trace-format.js';

interface Options extends OutputOptions, Overrides {
  readonly trace?: string;
  readonly traceFormat?: TraceFileFormat;
  readonly damoRecord?: string;
  readonly timeline?: string | true;
  readonly quiet?: boolean;
  readonly threads: number;
}

export function define(command: Command, context: Context): void {
  command.argument('<scenario>', 'scenario file; "-" is standard input');
  overrideOptions(command)
    .option('--no-expect', 'do not check what the scenario expects')
    .option('--timeline [every]', 'also show how it went on, in steps such as 1s (default: the scenario’s "sample")')
    .option('--trace <file>', 'write the tracepoints: .txt as ftrace, .ndjson, .json for Perfetto')
    .option(
      '--damo-record <file>',
      'write what DAMON saw as a record for damo (zlib-compressed JSON, as damo writes it)',
    )
    .addOption(new Option('--trace-format <format>', 'whatever the suffix says').choices(TRACE_FORMATS));
  threadsOption(command, 'work ahead of khugepaged with so many threads; the result does not depend on it');
  outputOptions(command, 'head, time line, processes, counters, expectations')
    .option('-q, --quiet', 'no progress and no result; only failed expectations and the exit code')
    .action((path: string, options: Options) => run(context, path, options));
  showExamples(command, context, [
    ['thplab run examples/quickstart.yaml', 'what happens'],
    ['thplab run heap.yaml --kernel v6.18 --set khugepaged/max_ptes_none=0 --timeline 1s', 'elsewhere, step by step'],
    ['thplab run heap.yaml --trace heap.json --damo-record damon.data', 'for ui.perfetto.dev, and for damo report'],
    ['thplab run examples/fleet.yaml --threads 2', 'many processes on two processors'],
  ]);
}

async function run(context: Context, path: string, options: Options): Promise<void> {
  const format = traceFormatOf(options);
  const found = await runnable(context, mustBeScenario(await readInput(context, path), 'run'), options);
  const scenario = await withSamples(await override(found.scenario, options), options.timeline);
  const progress = progressOf(context, options.quiet);
  const traced = format === null ? {} : { trace: true, lockHolds: format === 'chrome' };
  const { threads, damoRecord } = options;
  const recorded = damoRecord === undefined ? {} : { recordDamon: true };
  const runOptions = { ...found.options, ...traced, ...recorded };
  const done =
    threads === 0
      ? await simulate(context, scenario, runOptions, progress)
      : await withThreads(context, scenario, runOptions, progress, options);
  if (format !== null) await writeTrace(context, done, options.trace ?? '', format);
  if (damoRecord !== undefined) await writeRecord(context, done, damoRecord);
  const { result } = done;
  if (!options.quiet || options.output !== undefined) await writeResult(context, result, options);
  const seen = !options.quiet && !options.json && !options.ndjson && (options.output ?? '-') === '-';
  conclude(context, result, seen);
}

async function withThreads(
  context: Context,
  scenario: Scenario,
  options: RunOptions,
  progress: Progress,
  { threads, quiet }: Options,
): Promise<ScenarioRun> {
  const [{ simulateOnThreads }, { threadsNote }] = await Promise.all([
    import('../simulate-on-threads.js'),
    import('./run/threads-note.js'),
  ]);
  if (!quiet) warnOfThreads(context, threads);
  const done = await simulateOnThreads(context, scenario, options, progress, threads);
  if (!quiet) context.say(`thplab: ${threadsNote(done, threads)}`);
  return done;
}

async function withSamples<S extends { readonly run: { readonly sample: number | null; readonly atMost: number } }>(
  scenario: S,
  timeline: Options['timeline'],
): Promise<S> {
  if (timeline === undefined) return scenario;
  const { sampleOf } = await import('./run/timeline.js');
  return { ...scenario, run: { ...scenario.run, sample: sampleOf(timeline, scenario.run) } };
}

async function writeTrace(context: Context, done: ScenarioRun, file: string, format: TraceFileFormat): Promise<void> {
  const { traceText } = await import('./run/trace.js');
  await withTarget(context, file, (target) => {
    for (const chunk of traceText(done, format)) target.write(chunk);
  });
}

/** A record as `damo record` makes it. Errors: InputError where the scenario has no kdamond. */
async function writeRecord(context: Context, { damonRecords }: ScenarioRun, file: string): Promise<void> {
  if (damonRecords.length === 0) {
    throw new InputError('--damo-record: no kdamond came to the end of an aggregation; see the key damon of scenarios');
  }
  const [{ writeDamoRecord }, { deflateSync }] = await Promise.all([import('@thplab/scenario'), import('node:zlib')]);
  await withTarget(context, file, (target) => target.write(deflateSync(writeDamoRecord(damonRecords))));
}

async function writeResult(context: Context, result: ScenarioResult, options: Options): Promise<void> {
  const [{ runReport }, { timelineTable }, { resultLines }] = await Promise.all([
    import('./run/report.js'),
    import('./run/timeline.js'),
    import('./run/lines.js'),
  ]);
  await withTarget(context, options.output, (target) => {
    if (options.json) target.write(jsonDocument(result));
    else if (options.ndjson) for (const line of resultLines(result)) target.write(jsonLine(line));
    else {
      target.write(runReport(result, context.version, target.colors));
      if (options.timeline !== undefined) target.write(`\n${timelineTable(result, target.colors)}`);
    }
  });
}

/** The exit code, and on stderr what failed (`seen`: only how many, the result says the rest) and how to repeat it. */
function conclude(context: Context, { header, end, expectations, invariants }: ScenarioResult, seen: boolean): void {
  const failed = expectations.filter(({ ok }) => !ok);
  const broken = invariants ?? [];
  if (end.partial) {
    context.say('thplab: interrupted; the result is partial, expectations were judged as far as it came');
    context.exitCode = EXIT.interrupted;
    return;
  }
  if (failed.length === 0 && broken.length === 0) return;
  if (seen && failed.length > 0) {
    context.say(`thplab: ${failed.length} of ${expectations.length} expectations failed`);
  }
  for (const { what, expected, actual, key } of seen ? [] : failed) {
    context.say(`thplab: expectation failed: ${what} is ${actual}, expected ${expected} (${key})`);
  }
  for (const what of broken) context.say(`thplab: invariant broken, a defect in the model: ${what}`);
  context.say(`repeat: ${repeatCommand(context, header.seed)}`);
  context.exitCode = EXIT.failed;
}
