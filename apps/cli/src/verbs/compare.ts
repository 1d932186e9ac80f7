/** `thplab compare`: one scenario under several settings or kernels. */
import type { Scenario } from '@thplab/scenario';
import { type Command, Option } from 'commander';
import type { Context } from '../context.js';
import { InterruptedError, UsageError } from '../errors.js';
import { EXIT } from '../exit.js';
import { showExamples } from '../help.js';
import { filesOfScenario, kernelNamed, type Overrides, override, overrideOptions } from '../input/overrides.js';
import { readInput } from '../input/read-input.js';
import { type Runnable, runnable } from '../input/runnable.js';
import { MOST_VARIANTS, variations } from '../input/vary.js';
import { gather, type OutputOptions, outputOptions } from '../options.js';
import { jsonDocument, jsonLine } from '../output/json.js';
import { progressOf } from '../output/progress.js';
import { withTarget } from '../output/target.js';
import { simulate } from '../simulate.js';

interface Options extends OutputOptions, Overrides {
  readonly vary?: readonly string[];
  readonly kernels?: string;
  readonly metric?: readonly string[];
  readonly quiet?: boolean;
}

/** One run to make. */
interface Variant {
  readonly name: string;
  readonly scenario: Scenario;
}

export function define(command: Command, context: Context): void {
  command.argument('<scenario|snapshot>', 'what to run under each variant; "-" is standard input');
  command
    .option('--vary <path=a,b,c>', 'the values of a sysfs file (repeatable: every combination, at most 64)', gather)
    .option('--kernels <a,b>', 'kernel profiles');
  overrideOptions(command);
  command.addOption(
    new Option('-m, --metric <name>', 'a column: a metric of "--metric help", or a counter (repeatable)').argParser(
      gather,
    ),
  );
  outputOptions(command, 'one per variant');
  command
    .option('-q, --quiet', 'no progress')
    .action((path: string, options: Options) => compare(context, path, options));
  showExamples(command, context, [
    ['thplab compare heap.yaml --vary khugepaged/max_ptes_none=0,64,511', 'one setting'],
    ['thplab compare heap.yaml --vary enabled=always,madvise --vary defrag=always,never', 'all four combinations'],
    ['thplab compare heap.yaml --kernels v6.18,merged', 'two kernels'],
    ['thplab compare heap.yaml --kernels v17,v18 -m huge -m thp_collapse_alloc', 'chosen columns'],
  ]);
}

async function compare(context: Context, path: string, options: Options): Promise<void> {
  const { METRICS, metricsNamed, DEFAULT_METRICS } = await import('./compare/metrics.js');
  if (options.metric?.includes('help')) {
    context.io.stdout.write(METRICS.map(({ name, doc }) => `${name.padEnd(12)}${doc}\n`).join(''));
    return;
  }
  const metrics = metricsNamed(options.metric ?? DEFAULT_METRICS);
  if (options.kernels === undefined && options.vary === undefined) {
    throw new UsageError('nothing is varied; give --vary PATH=a,b,c or --kernels a,b');
  }
  const found = await runnable(context, await readInput(context, path), options);
  const base = await override(found.scenario, { ...options, expect: false });
  const variants = await variantsOf(base, options);
  const runs = await runVariants(context, variants, found.options, options.quiet);
  const { compareText, variantRows } = await import('./compare/table.js');
  const rows = variantRows(runs, metrics);
  const partial = runs.length < variants.length;
  await withTarget(context, options.output, (target) => {
    const head = headOf(context, base, partial);
    if (options.json) target.write(jsonDocument({ ...head, variants: rows }));
    else if (options.ndjson) for (const row of rows) target.write(jsonLine(row));
    else {
      const { strong, faint, bad } = target.colors;
      const what = `kernel ${base.machine.kernel}, seed ${base.seed}, thplab ${context.version}`;
      target.write(`${strong(base.name)}  ${faint(what)}\n`);
      if (partial) target.write(`${bad(`PARTIAL: interrupted after ${runs.length} of ${variants.length} variants`)}\n`);
      target.write(`\n${compareText(rows, metrics, target.colors)}`);
    }
  });
  if (partial) context.exitCode = EXIT.interrupted;
}

function headOf(context: Context, base: Scenario, partial: boolean): Record<string, unknown> {
  const { name, seed, machine } = base;
  return { format: 'thplab/compare@1', version: context.version, name, seed, kernel: machine.kernel, partial };
}

/** Kernels times settings. Errors: UsageError for too many. */
async function variantsOf(base: Scenario, options: Options): Promise<readonly Variant[]> {
  const kernels = options.kernels?.split(',').map((name) => kernelNamed(name.trim())) ?? null;
  const variants: Variant[] = [];
  for (const kernel of kernels ?? [base.machine.kernel]) {
    const scenario = await override(base, { kernel });
    for (const { name, sysfs } of variations(options.vary ?? [], filesOfScenario(scenario))) {
      const names = [...(kernels === null ? [] : [kernel]), ...(name === '' ? [] : [name])];
      variants.push({ name: names.join(' '), scenario: { ...scenario, sysfs: [...scenario.sysfs, ...sysfs] } });
    }
  }
  if (variants.length <= MOST_VARIANTS) return variants;
  throw new UsageError(`${variants.length} variants; at most ${MOST_VARIANTS} are compared at once`);
}

/** Runs them one after the other. Ctrl-C ends it; the variant that was running is left out. */
async function runVariants(
  context: Context,
  variants: readonly Variant[],
  options: Runnable['options'],
  quiet: boolean | undefined,
): Promise<readonly { readonly name: string; readonly result: VariantResult }[]> {
  const progress = progressOf(context, quiet);
  const done: { name: string; result: VariantResult }[] = [];
  for (const { name, scenario } of variants) {
    const label = `${done.length + 1}/${variants.length} ${name}`;
    try {
      const { result } = await simulate(context, scenario, options, progress, label);
      if (result.end.partial) break;
      done.push({ name, result });
    } catch (error) {
      if (error instanceof InterruptedError) break;
      throw error;
    }
  }
  if (done.length > 0) return done;
  throw new InterruptedError('no variant was done yet');
}

type VariantResult = Awaited<ReturnType<typeof simulate>>['result'];
