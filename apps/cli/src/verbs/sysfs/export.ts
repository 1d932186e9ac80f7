/** `thplab sysfs export`: settings as lines for a root shell on a real machine. Nothing is run. */
import { exportShell, SysfsSchemaError } from '@thplab/sysfs-schema';
import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { UsageError } from '../../errors.js';
import { showExamples } from '../../help.js';
import { readInput } from '../../input/read-input.js';
import { mustBeScenario, scenarioOf } from '../../input/scenario-input.js';
import {
  documentHead,
  type Files,
  filesFor,
  filesOfKernel,
  requireFileAt,
  type TreeOptions,
  treeOptions,
} from '../../input/sysfs-files.js';
import { assignment, outputOptions } from '../../options.js';
import { jsonDocument } from '../../output/json.js';
import { withTarget } from '../../output/target.js';

type Writes = readonly (readonly [path: string, value: string])[];

export function defineExport(command: Command, context: Context): void {
  treeOptions(command.argument('<path=value|scenario...>', 'settings, or the scenarios that have them; "-": stdin'));
  outputOptions(command, null).action((from: readonly string[], options: TreeOptions) => run(context, from, options));
  showExamples(command, context, [
    ['thplab sysfs export khugepaged/max_ptes_none=0', 'one line'],
    ['thplab sysfs export examples/mthp-only.yaml', 'the sysfs section of a scenario'],
    ['thplab sysfs export enabled=madvise | ssh root@host sh', 'set a machine'],
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
  const { machine, sysfs } = await scenarioOf(mustBeScenario(await readInput(context, path), 'sysfs export'));
  const geometry = { pageShift: Math.log2(machine.pageSize), pmdOrder: machine.pmdOrder };
  return {
    files: filesOfKernel(machine.kernel, geometry),
    writes: sysfs.map(({ path, value }) => [path, value] as const),
  };
}

function shellLines(files: Files, writes: Writes): readonly string[] {
  try {
    for (const [path] of writes) requireFileAt(files, path);
    return exportShell(files.nodes, writes);
  } catch (error) {
    if (error instanceof SysfsSchemaError) throw new UsageError(error.message);
    throw error;
  }
}

function asJson(files: Files, writes: Writes): readonly { path: string; value: string }[] {
  return writes.map(([path, value]) => ({ path: requireFileAt(files, path).path, value }));
}
