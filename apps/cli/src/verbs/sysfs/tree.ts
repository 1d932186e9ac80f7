/** `thplab sysfs tree` */
import { absolutePath, describeGrammar, isWritable, SYSFS_ROOT, type SysfsNode } from '@thplab/sysfs-schema';
import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { showExamples } from '../../help.js';
import { type DamonRow, damonRows, damonTarget, requireDamon } from '../../input/damon-files.js';
import {
  documentHead,
  type Files,
  filesFor,
  readText,
  relative,
  requireNode,
  type TreeOptions,
  treeOptions,
} from '../../input/sysfs-files.js';
import { outputOptions } from '../../options.js';
import { jsonDocument, jsonLine } from '../../output/json.js';
import { table } from '../../output/table.js';
import { type Target, withTarget } from '../../output/target.js';

interface Options extends TreeOptions {
  readonly settings?: boolean;
  readonly docs?: boolean;
}

export function defineTree(command: Command, context: Context): void {
  treeOptions(command.argument('[path]', 'only what is below this folder'))
    .option('--settings', 'only files that can be written')
    .option('--docs', 'with a line on what each file does');
  outputOptions(command, 'one per file').action((path: string | undefined, options: Options) =>
    tree(context, path, options),
  );
  showExamples(command, context, [
    ['thplab sysfs tree --settings --docs', 'all settings, explained'],
    ['thplab sysfs tree khugepaged --kernel v6.18', 'one folder of another kernel'],
    ['thplab sysfs tree --page-size 64K', 'the sizes of another page size'],
    ['thplab sysfs tree damon --docs', "DAMON's files"],
  ]);
}

async function tree(context: Context, path: string | undefined, options: Options): Promise<void> {
  const files = filesFor(options);
  const inDamon = path === undefined ? null : damonTarget(files, path);
  if (inDamon !== null) {
    requireDamon(files, path ?? '', inDamon);
    await withTarget(context, options.output, (target) => damonTree(context, target, files, inDamon, options));
    return;
  }
  const nodes = selected(files, path, options.settings === true);
  await withTarget(context, options.output, (target) => {
    if (options.json) {
      const head = documentHead('thplab/sysfs-tree@1', context.version, files);
      target.write(jsonDocument({ ...head, nodes: nodes.map((node) => asJson(files, node)) }));
    } else if (options.ndjson) for (const node of nodes) target.write(jsonLine(asJson(files, node)));
    else {
      const size = `${2 ** (files.geometry.pageShift - 10)}K pages`;
      target.write(`${target.colors.strong(SYSFS_ROOT)}  ${target.colors.faint(`kernel ${files.kernel}, ${size}`)}\n`);
      const columns = ['', '', '', ...(options.docs ? [''] : [])].map((title) => ({ title }));
      const rows = nodes
        .filter(({ path }) => path !== SYSFS_ROOT)
        .map((node) => row(files, node, options.docs === true));
      const faintDocs = rows.map((cells) => cells.map((cell, i) => (i === 3 ? target.colors.faint(cell) : cell)));
      target.write(table(columns, faintDocs, target.colors, ''));
    }
  });
}

/** DAMON's folders come and go: the listing shows what there can be, a number of a folder as N. */
function damonTree(context: Context, target: Target, files: Files, root: string, options: Options): void {
  const rows = damonRows(files, root, options.settings === true);
  const asJson = (row: DamonRow): Record<string, unknown> => ({ ...row, mode: `0${row.mode.toString(8)}` });
  if (options.json) {
    const head = documentHead('thplab/sysfs-tree@1', context.version, files);
    target.write(jsonDocument({ ...head, nodes: rows.map(asJson) }));
  } else if (options.ndjson) for (const row of rows) target.write(jsonLine(asJson(row)));
  else {
    target.write(`${target.colors.strong(root)}  ${target.colors.faint(`DAMON ${files.damon}; N: one folder each`)}\n`);
    const cells = rows
      .filter(({ path }) => path !== root)
      .map((row) => {
        const name = `${row.path.slice(root.length + 1)}${row.kind === 'directory' ? '/' : ''}`;
        return [modeText(row), name, row.read, ...(options.docs ? [target.colors.faint(row.doc)] : [])];
      });
    const columns = ['', '', '', ...(options.docs ? [''] : [])].map((title) => ({ title }));
    target.write(table(columns, cells, target.colors, ''));
  }
}

function selected(files: Files, path: string | undefined, settingsOnly: boolean): readonly SysfsNode[] {
  const root = path === undefined ? SYSFS_ROOT : requireNode(files, path).path;
  const below = files.nodes.filter((node) => node.path === root || node.path.startsWith(`${absolutePath(root)}/`));
  return settingsOnly ? below.filter((node) => node.kind === 'file' && isWritable(node)) : below;
}

function row(files: Files, node: SysfsNode, docs: boolean): readonly string[] {
  if (node.kind === 'directory') return [modeText(node), `${relative(node.path)}/`, '', ...(docs ? [''] : [])];
  const cells = [modeText(node), relative(node.path), readText(files.settings, node)];
  return docs ? [...cells, node.doc] : cells;
}

/** `-rw-r--r--`, as ls shows it. */
export function modeText({ kind, mode }: Pick<SysfsNode, 'kind' | 'mode'>): string {
  const bits = [...'rwxrwxrwx'].map((letter, i) => ((mode >> (8 - i)) & 1 ? letter : '-'));
  return `${kind === 'directory' ? 'd' : '-'}${bits.join('')}`;
}

function asJson(files: Files, node: SysfsNode): Record<string, unknown> {
  const head = { path: node.path, kind: node.kind, mode: `0${node.mode.toString(8)}` };
  if (node.kind === 'directory') return head;
  const { unit, doc, spec, errnos } = node;
  return { ...head, read: readText(files.settings, node), takes: describeGrammar(node), unit, errnos, doc, spec };
}
