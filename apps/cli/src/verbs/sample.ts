/** `thplab sample`: what a processor's sampling unit would have recorded of a scenario's workloads, as perf script prints it. */
import type { AccessSample, RunOptions } from '@thplab/scenario';
import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../context.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit.js';
import { showExamples } from '../help.js';
import { type Overrides, override, overrideOptions } from '../input/overrides.js';
import { readInput } from '../input/read-input.js';
import { runnable } from '../input/runnable.js';
import { mustBeScenario } from '../input/scenario-input.js';
import { progressOf } from '../output/progress.js';
import { withTarget } from '../output/target.js';
import { simulate } from '../simulate.js';

interface Options extends Overrides {
  readonly period: number;
  readonly jitter: number;
  readonly loss: number;
  readonly event: string;
  readonly output?: string;
  readonly quiet?: boolean;
}

export function define(command: Command, context: Context): void {
  command.argument('<scenario>', 'scenario file with a workload; "-" is standard input');
  overrideOptions(command)
    .option('--period <n>', 'accesses from one sample to the next, of each workload', period, 1024)
    .option('--jitter <share>', 'distances vary by up to this share', share, 0.1)
    .option('--loss <share>', 'samples lost to collisions', share, 0)
    .option('--event <name>', 'name of the event', 'memory')
    .option('-o, --output <file>', 'write to a file, whole or not at all ("-": stdout)')
    .option('-q, --quiet', 'no progress and no summary')
    .action((path: string, options: Options) => sample(context, path, options));
  showExamples(command, context, [
    [
      'thplab sample examples/damon/t2-a-inflated.yaml -o spe.txt',
      'as perf script -F comm,pid,time,event,addr,phys_addr',
    ],
    ['thplab sample examples/damon/t2-a-inflated.yaml | thplab import perf-script -', 'which huge pages are sparse'],
    ['thplab sample app.yaml --period 4096 --loss 5%', 'fewer samples, some of them lost'],
  ]);
}

async function sample(context: Context, path: string, options: Options): Promise<void> {
  const found = await runnable(context, mustBeScenario(await readInput(context, path), 'sample'), options);
  const scenario = await override(found.scenario, options);
  if (scenario.workload.length === 0) {
    throw new UsageError(`${path} has no workload, so there are no accesses to sample; see docs/workloads.md`);
  }
  const progress = progressOf(context, options.quiet);
  await withTarget(context, options.output, async (target) => {
    const lines: string[] = [];
    let count = 0;
    const flush = (): void => target.write(lines.splice(0).join(''));
    const take = (one: AccessSample): void => {
      lines.push(lineOf(one, options.event, scenario.machine.pageSize));
      count++;
      if (lines.length >= 4096) flush();
    };
    const { period, jitter, loss } = options;
    const runOptions: RunOptions = { ...found.options, samples: { period, jitter, loss, take } };
    const { result } = await simulate(context, scenario, runOptions, progress);
    flush();
    if (!options.quiet) context.say(`thplab: ${count} samples of ${(result.end.atNs / 1e9).toFixed(3)} s`);
    if (!result.end.partial) return;
    context.say('thplab: interrupted; the samples go as far as the run came');
    context.exitCode = EXIT.interrupted;
  });
}

/** `comm pid time: event: addr phys_addr`; a page that is not mapped has the physical address 0, as perf prints it. */
function lineOf({ timeNs, stream, page, frame, offset }: AccessSample, event: string, pageSize: number): string {
  const { name, mm } = stream.process;
  const at = (number: number): string => (number * pageSize + offset).toString(16);
  const physical = frame === null ? '0' : at(frame);
  return `${name} ${mm} ${(timeNs / 1e9).toFixed(6)}: ${event}: ${at(page)} ${physical}\n`;
}

function period(text: string): number {
  const value = Number(text.replace(/k$/i, '000'));
  if (/^[1-9][0-9]{0,9}k?$/i.test(text)) return value;
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

function share(text: string): number {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a share from 0 to 1, such as 0.1 or 10%.');
}
