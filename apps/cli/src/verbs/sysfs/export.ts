/** `thplab sysfs export`: settings as lines for a root shell on a real machine. Nothing is run. */
import type { Scenario } from '@thplab/scenario';
import { exportShell, SysfsSchemaError, shellQuote } from '@thplab/sysfs-schema';
import { type Command, Option } from 'commander';
import type { Context } from '../../context.js';
import { UsageError } from '../../errors.js';
import { showExamples } from '../../help.js';
import { checkDamonSetting, damonTarget } from '../../input/damon-files.js';
import { filesOfScenario } from '../../input/overrides.js';
import { readInput } from '../../input/read-input.js';
import { type Runnable, runnable } from '../../input/runnable.js';
import { mustBeScenario } from '../../input/scenario-input.js';
import {
  documentHead,
  type Files,
  filesFor,
  requireFileAt,
  type TreeOptions,
  treeOptions,
} from '../../input/sysfs-files.js';
import { assignment, outputOptions } from '../../options.js';
import { jsonDocument } from '../../output/json.js';
import { withTarget } from '../../output/target.js';

interface Options extends TreeOptions {
  readonly damo?: boolean;
  readonly split?: 'keep' | 'drop' | 'stat';
}

type Writes = readonly (readonly [path: string, value: string])[];

export function defineExport(command: Command, context: Context): void {
  treeOptions(command.argument('<path=value|scenario...>', 'settings, or the scenarios that have them; "-": stdin'))
    .option('--damo', "a scenario's kdamonds as a damo document, in place of shell lines")
    .addOption(
      new Option('--split <how>', 'with --damo: schemes that split, which damo 3.3 does not know').choices([
        'keep',
        'drop',
        'stat',
      ]),
    );
  outputOptions(command, null).action((from: readonly string[], options: Options) =>
    options.damo ? exportDamo(context, from, options) : run(context, from, options),
  );
  showExamples(command, context, [
    ['thplab sysfs export khugepaged/max_ptes_none=0', 'one line'],
    ['thplab sysfs export examples/mthp-only.yaml', 'the sysfs section of a scenario'],
    ['thplab sysfs export enabled=madvise | ssh root@host sh', 'set a machine'],
    ['thplab sysfs export examples/damon/grow.yaml --damo', "for damo's --kdamonds"],
  ]);
}

async function run(context: Context, from: readonly string[], options: TreeOptions): Promise<void> {
  const parts: { readonly files: Files; readonly writes: Writes }[] = [];
  for (const text of from) {
    const pair = assignment(text);
    parts.push(pair === null ? await ofScenario(context, text) : { files: filesFor(options), writes: [pair] });
  }
  const lines = parts.flatMap(({ files, writes }) => shellLines(files, writes));
  await withTarget(context, options.output, (target) => {
    if (options.json) {
      const files = parts[0]?.files ?? filesFor(options);
      const head = documentHead('thplab/sysfs-export@1', context.version, files);
      target.write(jsonDocument({ ...head, writes: parts.flatMap((part) => asJson(part.files, part.writes)), lines }));
    } else for (const line of lines) target.write(`${line}\n`);
  });
}

async function ofScenario(context: Context, path: string): Promise<{ files: Files; writes: Writes }> {
  const { scenario, options } = await runnable(context, mustBeScenario(await readInput(context, path), 'sysfs export'));
  const damon = scenario.damon.kdamonds.length === 0 ? [] : await damonWrites(scenario, options);
  return {
    files: filesOfScenario(scenario),
    writes: [...scenario.sysfs.map(({ path, value }) => [path, value] as const), ...damon],
  };
}

/** The writes that set up the scenario's kdamonds. Where a pid is wanted, the shell finds it by the process's name. */
async function damonWrites(scenario: Scenario, options: Runnable['options']): Promise<Writes> {
  const { assembleMachine, damonSetUp } = await import('@thplab/scenario');
  return damonSetUp(assembleMachine(scenario, options), (process) => `$(pidof -s ${process})`);
}

/** The damo document of a scenario. Errors: UsageError where damo would not take it. */
async function exportDamo(context: Context, from: readonly string[], { split, output }: Options): Promise<void> {
  const [path, ...more] = from;
  if (path === undefined || more.length > 0 || assignment(path) !== null) {
    throw new UsageError('--damo takes one scenario');
  }
  const { scenario, options } = await runnable(context, mustBeScenario(await readInput(context, path), 'sysfs export'));
  const { assembleMachine, damoDocument } = await import('@thplab/scenario');
  const splits = scenario.damon.kdamonds.some(({ schemes }) => schemes.some(({ config }) => config.action === 'split'));
  if (splits && split === undefined) {
    throw new UsageError('damo 3.3 refuses the action split; say --split drop, stat (count only) or keep');
  }
  const { kdamonds } = assembleMachine(scenario, options);
  const document = damoDocument(kdamonds.fillFiles(), split === 'drop' || split === 'stat' ? split : null);
  await withTarget(context, output, (target) => target.write(jsonDocument(document)));
}

function shellLines(files: Files, writes: Writes): readonly string[] {
  try {
    return writes.flatMap(([path, value]) => shellLine(files, path, value));
  } catch (error) {
    if (error instanceof SysfsSchemaError) throw new UsageError(error.message);
    throw error;
  }
}

function shellLine(files: Files, path: string, value: string): readonly string[] {
  const inDamon = damonTarget(files, path);
  if (inDamon === null) {
    requireFileAt(files, path);
    return exportShell(files.nodes, [[path, value]]);
  }
  const byName = value.startsWith('$(');
  if (!byName) checkDamonSetting(files, path, inDamon, value);
  return [`echo ${byName ? `"${value}"` : shellQuote(value)} > ${shellQuote(inDamon)}`];
}

function asJson(files: Files, writes: Writes): readonly { path: string; value: string }[] {
  return writes.map(([path, value]) => ({ path: damonTarget(files, path) ?? requireFileAt(files, path).path, value }));
}
