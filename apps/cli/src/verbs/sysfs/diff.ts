/** `thplab sysfs diff`: two sides, file by file. A side is a kernel's defaults, a scenario's settings, or this machine. */
import { isKernelProfile } from '@thplab/sysfs-schema';
import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { UsageError } from '../../errors.js';
import { showExamples } from '../../help.js';
import {
  documentHead,
  type Files,
  filesFor,
  filesOfKernel,
  relative,
  type TreeOptions,
  treeOptions,
} from '../../input/sysfs-files.js';
import { outputOptions } from '../../options.js';
import { jsonDocument, jsonLine } from '../../output/json.js';
import { table } from '../../output/table.js';
import { withTarget } from '../../output/target.js';
import { type Side, sideOfDefaults, sideOfMachine, sideOfScenario } from './sides.js';

interface Options extends TreeOptions {
  readonly live?: boolean;
}

interface Difference {
  readonly path: string;
  /** What a read shows; null: the side has no such file. */
  readonly before: string | null;
  readonly after: string | null;
}

export function defineDiff(command: Command, context: Context): void {
  treeOptions(
    command.argument('[sides...]', 'one or two: kernel profiles or scenarios; one is held against the defaults'),
  );
  command.option('--live', 'hold it against this machine, whose files are only read');
  outputOptions(command, 'one per difference').action((sides: readonly string[], options: Options) =>
    diff(context, sides, options),
  );
  showExamples(command, context, [
    ['thplab sysfs diff v6.18 merged', 'files and defaults of two kernels'],
    ['thplab sysfs diff examples/mthp-only.yaml', 'what a scenario sets'],
    ['thplab sysfs diff --live --kernel v6.18', 'what this machine has set'],
    ['thplab sysfs diff scenario.yaml --live', 'would this machine behave like the scenario?'],
  ]);
}

async function diff(context: Context, names: readonly string[], options: Options): Promise<void> {
  const { before, after, files } = await sidesOf(context, names, options);
  const differences = compare(before, after);
  await withTarget(context, options.output, (target) => {
    if (options.json) {
      const head = documentHead('thplab/sysfs-diff@1', context.version, files);
      target.write(jsonDocument({ ...head, before: before.name, after: after.name, differences }));
    } else if (options.ndjson) for (const difference of differences) target.write(jsonLine(difference));
    else if (differences.length === 0) target.write(`no difference between ${before.name} and ${after.name}\n`);
    else {
      const absent = target.colors.faint('(no such file)');
      const rows = sizesTogether(differences).map(({ path, before, after }) => [
        path,
        before ?? absent,
        after ?? absent,
      ]);
      target.write(table([{ title: 'file' }, { title: before.name }, { title: after.name }], rows, target.colors, ''));
    }
  });
}

async function sidesOf(
  context: Context,
  names: readonly string[],
  options: Options,
): Promise<{ before: Side; after: Side; files: Files }> {
  const most = options.live ? 1 : 2;
  if (names.length > most || (names.length === 0 && !options.live)) {
    throw new UsageError(
      `${names.length} sides given${options.live ? ' beside --live' : ''}; diff takes one or two kernel profiles or scenarios, or at most one with --live`,
    );
  }
  const [first, second] = names;
  const left = first === undefined ? null : await sideOf(context, first, options);
  const right = second === undefined ? null : await sideOf(context, second, options);
  const files = left?.files ?? filesFor(options);
  const defaults = sideOfDefaults(files, 'default');
  if (options.live) return { before: left?.side ?? defaults, after: sideOfMachine(context.io.sysRoot, files), files };
  if (left === null) throw new UsageError('name a kernel profile or a scenario');
  if (right === null)
    return { before: left.isKernel ? sideOfDefaults(filesFor(options)) : defaults, after: left.side, files };
  return { before: left.side, after: right.side, files };
}

async function sideOf(
  context: Context,
  name: string,
  options: Options,
): Promise<{ side: Side; files: Files; isKernel: boolean }> {
  if (isKernelProfile(name)) {
    const files = filesOfKernel(name, filesFor(options).geometry);
    return { side: sideOfDefaults(files), files, isKernel: true };
  }
  return { ...(await sideOfScenario(context, name)), isKernel: false };
}

function compare(before: Side, after: Side): readonly Difference[] {
  const paths = [...before.reads.keys(), ...[...after.reads.keys()].filter((path) => !before.reads.has(path))];
  return paths
    .map((path) => ({ path, before: before.reads.get(path) ?? null, after: after.reads.get(path) ?? null }))
    .filter(({ before, after }) => before !== after)
    .sort((a, b) => compareTexts(a.path, b.path));
}

/** Paths from the root; files that differ alike in several sizes as one line `hugepages-*kB/...`. */
function sizesTogether(differences: readonly Difference[]): readonly Difference[] {
  const groups = new Map<string, Difference[]>();
  for (const difference of differences) {
    const path = relative(difference.path).replace(/^hugepages-\d+kB\//, 'hugepages-*kB/');
    const key = JSON.stringify([path, difference.before, difference.after]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [difference]);
    else group.push(difference);
  }
  return [...groups.values()].map((group) => {
    const [first] = group as [Difference];
    const path = relative(first.path);
    if (group.length === 1) return { ...first, path };
    return { ...first, path: `${path.replace(/^hugepages-\d+kB/, 'hugepages-*kB')} (${group.length} sizes)` };
  });
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
