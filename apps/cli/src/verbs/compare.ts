/** `thplab compare`: one scenario under several settings or kernels. */
import type { ExplainRow, Scenario } from '@thplab/scenario';
import { type Command, Option } from 'commander';
import type { Context } from '../context.js';
import { InputError, InterruptedError, UsageError } from '../errors.js';
import { EXIT } from '../exit.js';
import { showExamples } from '../help.js';
import { filesOfScenario, kernelNamed, type Overrides, override, overrideOptions } from '../input/overrides.js';
import { readInput } from '../input/read-input.js';
import { type Runnable, runnable } from '../input/runnable.js';
import { mustBeScenario } from '../input/scenario-input.js';
import { MOST_VARIANTS, variations } from '../input/vary.js';
import { gather, type OutputOptions, outputOptions } from '../options.js';
import { jsonDocument, jsonLine } from '../output/json.js';
import type { Palette } from '../output/palette.js';
import { progressOf } from '../output/progress.js';
import { withTarget } from '../output/target.js';
import { simulate } from '../simulate.js';

interface Options extends OutputOptions, Overrides {
  readonly vary?: readonly string[];
  readonly kernels?: string;
  readonly hints?: string;
  /** Further scenarios, each a variant. */
  readonly with?: readonly string[];
  /** Names of designs, or true: all. */
  readonly pingPong?: string | true;
  readonly metric?: readonly string[];
  readonly why?: boolean;
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
    .option('--kernels <a,b>', 'kernel profiles')
    .option(
      '--hints <a,b>',
      'queues of collapse hints: none, as-posted, fair, ..., with changes such as fair:rotateAfter=2',
    )
    .option('--ping-pong [a,b]', 'designs against khugepaged building again what DAMOS split (default: all six)')
    .option('--with <scenario>', 'another scenario beside the first (repeatable)', gather);
  overrideOptions(command);
  command.addOption(
    new Option('-m, --metric <name>', 'a column: a metric of "--metric help", or a counter (repeatable)').argParser(
      gather,
    ),
  );
  command.option(
    '--why',
    'where the first variant and each other one part: the first range, and the rule that decides',
  );
  outputOptions(command, 'one per variant');
  command
    .option('-q, --quiet', 'no progress')
    .action((path: string, options: Options) => compare(context, path, options));
  showExamples(command, context, [
    ['thplab compare heap.yaml --vary enabled=always,madvise --vary defrag=always,never', 'all four combinations'],
    ['thplab compare heap.yaml --kernels v12,merged --why', 'two kernels, and the rule on which they part'],
    ['thplab compare hot.yaml --hints none,as-posted,best -m hot90 -m cold', 'queues of hints, chosen columns'],
    ['thplab compare examples/damon/ping-pong.yaml --ping-pong', 'what DAMOS splits and khugepaged builds again'],
  ]);
}

async function compare(context: Context, path: string, options: Options): Promise<void> {
  const { METRICS, metricsNamed, DEFAULT_METRICS, KERNEL_METRICS } = await import('./compare/metrics.js');
  const { DAMON_DEFAULTS, PING_PONG_DEFAULTS } = await import('./compare/damon-metrics.js');
  const { DEFAULT_HINT_METRICS } = await import('./compare/hint-metrics.js');
  if (options.metric?.includes('help')) {
    context.io.stdout.write(METRICS.map(({ name, doc }) => `${name.padEnd(12)}${doc}\n`).join(''));
    return;
  }
  if (
    [options.kernels, options.vary, options.hints, options.pingPong, options.with].every((one) => one === undefined)
  ) {
    throw new UsageError('nothing is varied; give --vary PATH=a,b,c, --kernels a,b, --hints a,b or --ping-pong');
  }
  if (options.why && options.ndjson)
    throw new UsageError('--why is one account of all variants: give --json, not --ndjson');
  const found = await runnable(context, await readInput(context, path), options);
  const base = await override(found.scenario, { ...options, expect: false });
  const variants = [...(await variantsOf(base, options)), ...(await others(context, base, options))];
  const defaults = (): readonly string[] => {
    if (options.hints !== undefined) return DEFAULT_HINT_METRICS;
    if (options.pingPong !== undefined) return PING_PONG_DEFAULTS;
    if (base.damon.kdamonds.length > 0) return DAMON_DEFAULTS;
    return options.kernels === undefined ? DEFAULT_METRICS : KERNEL_METRICS;
  };
  const metrics = metricsNamed(options.metric ?? defaults());
  if (options.why && variants.length < 2) throw new UsageError('--why needs two variants to hold against each other');
  const runs = await runVariants(context, variants, found.options, options);
  const { compareText, variantRows } = await import('./compare/table.js');
  const rows = variantRows(runs, metrics);
  const partial = runs.length < variants.length;
  const why = options.why && !partial ? await whyOf(context, runs, found.options, options.quiet) : null;
  await withTarget(context, options.output, (target) => {
    const head = headOf(context, base, partial);
    if (options.json)
      target.write(jsonDocument({ ...head, variants: rows, ...(why === null ? {} : { why: why.partings }) }));
    else if (options.ndjson) for (const row of rows) target.write(jsonLine(row));
    else {
      const { strong, faint, bad } = target.colors;
      const what = `kernel ${base.machine.kernel}, seed ${base.seed}, thplab ${context.version}`;
      target.write(`${strong(base.name)}  ${faint(what)}\n`);
      if (partial) target.write(`${bad(`PARTIAL: interrupted after ${runs.length} of ${variants.length} variants`)}\n`);
      target.write(`\n${compareText(rows, metrics, target.colors)}`);
      if (why !== null) target.write(why.text(target.colors));
    }
  });
  if (partial) context.exitCode = EXIT.interrupted;
}

function headOf(context: Context, base: Scenario, partial: boolean): Record<string, unknown> {
  const { name, seed, machine } = base;
  return { format: 'thplab/compare@1', version: context.version, name, seed, kernel: machine.kernel, partial };
}

/** Kernels times queues of hints times settings. Errors: UsageError for too many. */
async function variantsOf(base: Scenario, options: Options): Promise<readonly Variant[]> {
  const kernels = options.kernels?.split(',').map((name) => kernelNamed(name.trim())) ?? null;
  const designs = await designsOf(options.pingPong);
  const variants: Variant[] = [];
  for (const kernel of kernels ?? [base.machine.kernel]) {
    const { hintVariants } = await import('./compare/hint-variants.js');
    for (const { name: hints, scenario } of await hintVariants(await override(base, { kernel }), options.hints)) {
      for (const { name, sysfs } of variations(options.vary ?? [], filesOfScenario(scenario))) {
        for (const design of designs) {
          const names = [kernels === null ? '' : kernel, hints, name, design.name].filter((part) => part !== '');
          const changed = { ...scenario, sysfs: [...scenario.sysfs, ...sysfs] };
          variants.push({ name: names.join(' ') || base.name, scenario: design.apply(changed) });
        }
      }
    }
  }
  if (variants.length <= MOST_VARIANTS) return variants;
  throw new UsageError(`${variants.length} variants; at most ${MOST_VARIANTS} are compared at once`);
}

/** What `--ping-pong` asks for; without it the scenario as it is. Errors: UsageError. */
async function designsOf(
  asked: Options['pingPong'],
): Promise<readonly { readonly name: string; readonly apply: (scenario: Scenario) => Scenario }[]> {
  if (asked === undefined) return [{ name: '', apply: (scenario) => scenario }];
  const { PING_PONG_DESIGNS, withPingPong } = await import('@thplab/scenario');
  const known = PING_PONG_DESIGNS.map(({ name }) => name);
  const names = asked === true ? known : asked.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--ping-pong ${JSON.stringify(unknown)} is no design; there are ${known.join(', ')}`);
  }
  return names.map((name) => ({ name, apply: (scenario) => withPingPong(scenario, name) }));
}

/** The scenarios of `--with`, under the same overrides. */
async function others(context: Context, base: Scenario, options: Options): Promise<readonly Variant[]> {
  const found: Variant[] = [];
  for (const path of options.with ?? []) {
    const { scenario, options: needs } = await runnable(
      context,
      mustBeScenario(await readInput(context, path), 'compare'),
    );
    if ((needs.snapshots?.size ?? 0) > 0) throw new UsageError(`${path} has snapshots; put it first`);
    const changed = await override(scenario, { ...options, expect: false });
    found.push({ name: scenario.name === base.name ? path : scenario.name, scenario: changed });
  }
  return found;
}

/** Runs them one after the other. Ctrl-C ends it; the variant that was running is left out. */
async function runVariants(
  context: Context,
  variants: readonly Variant[],
  options: Runnable['options'],
  { quiet, why }: Options,
): Promise<readonly VariantRun[]> {
  const progress = progressOf(context, quiet);
  const done: VariantRun[] = [];
  const { explainRanges } = await import('@thplab/scenario');
  for (const { name, scenario } of variants) {
    const label = `${done.length + 1}/${variants.length} ${name}`;
    try {
      const { result, world } = await simulate(context, scenario, options, progress, label);
      if (result.end.partial) break;
      done.push({ name, scenario, result, rows: why ? [...explainRanges(world)] : [] });
    } catch (error) {
      if (error instanceof InterruptedError) break;
      if (error instanceof InputError)
        throw new InputError(`${error.message}\n  under ${name}`, { hasPlace: error.hasPlace });
      throw error;
    }
  }
  if (done.length > 0) return done;
  throw new InterruptedError('no variant was done yet');
}

/** A variant that has run; its ranges are kept for --why only. */
interface VariantRun extends Variant {
  readonly result: Awaited<ReturnType<typeof simulate>>['result'];
  readonly rows: readonly ExplainRow[];
}

/** Where they part, as data and as text. */
async function whyOf(
  context: Context,
  runs: readonly VariantRun[],
  options: Runnable['options'],
  quiet: boolean | undefined,
): Promise<{ readonly partings: unknown; readonly text: (colors: Palette) => string }> {
  const [{ partings }, { whyText }] = await Promise.all([import('./compare/why.js'), import('./compare/why-text.js')]);
  const found = await partings(context, runs, options, progressOf(context, quiet));
  return { partings: found, text: (colors) => whyText(found, colors) };
}
