/** `thplab validate`: are these files right? Nothing is run. */

import type { Snapshot } from '@thplab/capture';
import type { Problem, Scenario } from '@thplab/scenario';
import type { Command } from 'commander';
import type { Context } from '../context.js';
import { InputError } from '../errors.js';
import { EXIT } from '../exit.js';
import { showExamples } from '../help.js';
import { type Input, readInput } from '../input/read-input.js';
import { runnable } from '../input/runnable.js';
import { snapshotOf } from '../input/scenario-input.js';
import { type OutputOptions, outputOptions } from '../options.js';
import { jsonDocument, jsonLine } from '../output/json.js';
import { withTarget } from '../output/target.js';

const FORMAT = 'thplab/validation@1';

interface FileReport {
  readonly path: string;
  readonly ok: boolean;
  readonly kind: Input['kind'] | null;
  /** What a good file holds, in a few words. */
  readonly summary: string;
  /** What is wrong, as printed. */
  readonly messages: readonly string[];
  readonly problems: readonly Problem[];
}

export function define(command: Command, context: Context): void {
  command
    .argument('<file...>', 'scenario or snapshot files; "-" is standard input')
    .action((files: readonly string[], options: OutputOptions & { quiet?: boolean }) =>
      validate(context, files, options),
    );
  outputOptions(command, 'one per file');
  command.option('-q, --quiet', 'say nothing of good files');
  showExamples(command, context, [
    ['thplab validate scenario.yaml', 'one file'],
    ['thplab validate examples/*.yaml', 'many; all problems of all files'],
    ['thplab validate --json - < scenario.yaml', 'for an editor or a script'],
  ]);
}

async function validate(
  context: Context,
  files: readonly string[],
  options: OutputOptions & { quiet?: boolean },
): Promise<void> {
  const reports: FileReport[] = [];
  for (const file of files) reports.push(await examine(context, file));
  await withTarget(context, options.output, (target) => {
    if (options.json) target.write(jsonDocument({ format: FORMAT, version: context.version, files: reports }));
    else if (options.ndjson) for (const report of reports) target.write(jsonLine(report));
    else
      for (const { path, ok, summary, messages } of reports) {
        if (!ok) target.write(messages.map((line) => `${line}\n`).join(''));
        else if (!options.quiet) target.write(`${path}: ${target.colors.good('ok')}, ${summary}\n`);
      }
  });
  if (reports.some(({ ok }) => !ok)) context.exitCode = EXIT.input;
}

async function examine(context: Context, path: string): Promise<FileReport> {
  let kind: Input['kind'] | null = null;
  try {
    const input = await readInput(context, path);
    kind = input.kind;
    const summary =
      input.kind === 'scenario'
        ? ofScenario((await runnable(context, input)).scenario)
        : ofSnapshot(await snapshotOf(input));
    return { path: input.path, ok: true, kind, summary, messages: [], problems: [] };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const messages = error.message.split('\n');
    return {
      path: path === '-' ? '<stdin>' : path,
      ok: false,
      kind,
      summary: '',
      messages,
      problems: problemsOf(error),
    };
  }
}

function problemsOf(error: InputError): readonly Problem[] {
  const { cause } = error;
  const isList = typeof cause === 'object' && cause !== null && 'problems' in cause && Array.isArray(cause.problems);
  return isList ? (cause.problems as readonly Problem[]) : [];
}

function ofScenario({ name, machine, processes, events }: Scenario): string {
  const vmas = processes.reduce((sum, process) => sum + process.vmas.length, 0);
  const parts = [plural(processes.length, 'process', 'processes'), plural(vmas, 'VMA'), plural(events.length, 'event')];
  return `scenario ${JSON.stringify(name)} on kernel ${machine.kernel}: ${parts.join(', ')}`;
}

function ofSnapshot({ process, vmas, pages, kernel }: Snapshot): string {
  const what = `${plural(vmas.length, 'VMA')}, ${plural(pages.length, 'page')}`;
  return `snapshot of process ${process.pid}${process.name === '' ? '' : ` (${process.name})`} on Linux ${kernel.release}: ${what}`;
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
