/** `thplab check`: searches the schedules of a case for one that breaks it. */
import type { CheckCase, CheckReport, SearchSpec } from '@thplab/scenario';
import { type Command, Option } from 'commander';
import type { Context } from '../context.js';
import { InputError, UsageError } from '../errors.js';
import { EXIT } from '../exit.js';
import { showExamples } from '../help.js';
import { readInput } from '../input/read-input.js';
import { mustBeScenario } from '../input/scenario-input.js';
import { type OutputOptions, outputOptions, wholeNumber } from '../options.js';
import { jsonDocument } from '../output/json.js';
import { progressOf } from '../output/progress.js';
import { withTarget } from '../output/target.js';
import { FORMAT, resultOf } from './check/result.js';

/** How long the search may go on without looking whether somebody wants it to end. */
const BREATH_MS = 50;

interface Options extends OutputOptions {
  readonly fixed?: boolean;
  readonly strategy?: SearchSpec['strategy'];
  readonly preemptions?: number;
  readonly maxSchedules?: number;
  readonly seed?: number;
  readonly replay?: string;
  readonly reduction: boolean;
  readonly timeLimit?: number;
}

export function define(command: Command, context: Context): void {
  command
    .argument('<case>', 'case file; "-" is standard input')
    .option('--fixed', 'the same actors on the merged kernel, without the fault')
    .addOption(
      new Option('--strategy <name>', 'default: what the case says, else dfs').choices(['dfs', 'pct', 'random']),
    )
    .option('--preemptions <n>', 'dfs: only schedules with at most so many pre-emptions', wholeNumber)
    .option('--max-schedules <n>', 'end without a verdict after so many', wholeNumber)
    .option('--time-limit <seconds>', 'end without a verdict after so long', wholeNumber)
    .option('--seed <n>', 'pct, random: what chance derives from', wholeNumber)
    .option('--no-reduction', 'dfs: try also schedules that differ only in the order of independent steps')
    .option('--replay <code>', 'follow one schedule, as a failure prints it');
  outputOptions(command, null).action((path: string, options: Options) => check(context, path, options));
  showExamples(command, context, [
    ['thplab check examples/check/b07-rmap-empty-pmd.yaml', 'a schedule that breaks a faulty variant'],
    ['thplab check CASE --fixed', 'the same on the kernel without the fault'],
    ['thplab check CASE --replay AQIHCSoFpkM', 'one schedule again, step by step'],
  ]);
}

async function check(context: Context, path: string, options: Options): Promise<void> {
  const input = mustBeScenario(await readInput(context, path), 'check');
  const parsed = await caseOf(input);
  const started = context.io.nowMs();
  const { report, interrupted } = await searched(() => search(context, parsed, options));
  const wallMs = context.io.nowMs() - started;
  const result = resultOf(parsed, report, wallMs, replayCommand(path, options, report), interrupted);
  const { checkText } = await import('./check/text.js');
  await withTarget(context, options.output, (target) => {
    if (options.json) target.write(jsonDocument({ format: FORMAT, version: context.version, ...result }));
    else target.write(checkText(result, target.colors));
  });
  if (report.verdict === 'fail') context.exitCode = EXIT.failed;
  if (report.verdict === 'limit') context.exitCode = interrupted ? EXIT.interrupted : EXIT.limit;
}

/** Searches, coming up for air so that Ctrl-C is noticed: then what was tried up to there is the result. */
async function search(
  context: Context,
  parsed: CheckCase,
  options: Options,
): Promise<{ readonly report: CheckReport; readonly interrupted: boolean }> {
  const { checking } = await import('@thplab/scenario');
  const { io } = context;
  const signal = context.interruptible();
  const progress = progressOf(context);
  let breathMs = io.nowMs();
  const endMs = options.timeLimit === undefined ? Number.POSITIVE_INFINITY : breathMs + options.timeLimit * 1000;
  const schedules = checking(parsed, {
    fixed: options.fixed ?? false,
    reduction: options.reduction,
    search: overrides(options, parsed.search),
    ...(options.replay === undefined ? {} : { replay: options.replay }),
    shouldStop: () => signal.aborted || io.nowMs() >= endMs,
  });
  for (;;) {
    const made = schedules.next();
    if (made.done === true) {
      progress.clear();
      return { report: made.value, interrupted: signal.aborted };
    }
    progress.show(`${made.value.schedules} schedules tried`);
    if (io.nowMs() - breathMs < BREATH_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    breathMs = io.nowMs();
  }
}

/** The case in a text. Errors: InputError. */
async function caseOf(input: { readonly text: string; readonly path: string }): Promise<CheckCase> {
  const { parseCheck } = await import('@thplab/scenario');
  return await searched(() => parseCheck(input.text, input.path));
}

/** Does something that fails if the case or the schedule's code is wrong. Errors: InputError, UsageError. */
async function searched<T>(work: () => T | Promise<T>): Promise<T> {
  const { ScenarioError, scheduleErrorText } = await import('@thplab/scenario');
  try {
    return await work();
  } catch (error) {
    if (error instanceof ScenarioError) throw new InputError(error.message, { hasPlace: true, cause: error });
    const text = scheduleErrorText(error);
    if (text !== undefined) throw new UsageError(`--replay: ${text}`);
    throw error;
  }
}

function overrides(options: Options, said: SearchSpec): Partial<SearchSpec> {
  const { strategy, preemptions, maxSchedules, seed } = options;
  if (maxSchedules === 0) throw new UsageError('--max-schedules must be at least 1');
  const taken = strategy ?? said.strategy;
  if (preemptions !== undefined && taken !== 'dfs') {
    throw new UsageError(`--preemptions is for strategy dfs, and this search is by ${taken}`);
  }
  return {
    ...(strategy === undefined ? {} : { strategy }),
    ...(preemptions === undefined ? {} : { preemptions }),
    ...(maxSchedules === undefined ? {} : { maxSchedules }),
    ...(seed === undefined ? {} : { seed }),
  };
}

/** The one command that replays a failure; null if there is none. */
function replayCommand(path: string, options: Options, report: CheckReport): string | null {
  if (report.failure === undefined) return null;
  return `thplab check ${path}${options.fixed ? ' --fixed' : ''} --replay ${report.failure.schedule}`;
}
