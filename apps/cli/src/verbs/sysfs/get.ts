/** `thplab sysfs get` */
import { describeDamonGrammar, describeGrammar } from '@thplab/sysfs-schema';
import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { showExamples } from '../../help.js';
import { damonTarget, requireDamonFile } from '../../input/damon-files.js';
import {
  documentHead,
  type Files,
  filesFor,
  readText,
  relative,
  requireFileAt,
  type TreeOptions,
  treeOptions,
} from '../../input/sysfs-files.js';
import { outputOptions } from '../../options.js';
import { jsonDocument, jsonLine } from '../../output/json.js';
import { table } from '../../output/table.js';
import { type Target, withTarget } from '../../output/target.js';
import { modeText } from './tree.js';

interface Options extends TreeOptions {
  readonly long?: boolean;
}

export function defineGet(command: Command, context: Context): void {
  treeOptions(command.argument('<path...>', 'files, from the transparent_hugepage folder or absolute')).option(
    '-l, --long',
    'with what the file does, takes and answers',
  );
  outputOptions(command, 'one per file').action((paths: readonly string[], options: Options) =>
    get(context, paths, options),
  );
  showExamples(command, context, [
    ['thplab sysfs get khugepaged/max_ptes_none', 'the default'],
    ['thplab sysfs get --long hugepages-64kB/enabled', 'with what it does and takes'],
    ['thplab sysfs get enabled defrag --kernel v6.13', 'of another kernel'],
  ]);
}

async function get(context: Context, paths: readonly string[], options: Options): Promise<void> {
  const files = filesFor(options);
  const wanted = paths.map((path) => shownFile(files, path));
  await withTarget(context, options.output, (target) => {
    const documents = wanted.map(({ path, read, takes, doc }) => ({ path, read, takes, doc }));
    if (options.json) {
      const head = documentHead('thplab/sysfs-get@1', context.version, files);
      target.write(jsonDocument({ ...head, files: documents }));
    } else if (options.ndjson) for (const document of documents) target.write(jsonLine(document));
    else if (options.long) for (const file of wanted) writeLong(target, file);
    else
      for (const { path, read } of documents) {
        target.write(documents.length === 1 ? `${read}\n` : `${relative(path)}: ${read}\n`);
      }
  });
}

/** A file and what is told of it. */
interface ShownFile {
  readonly path: string;
  readonly read: string;
  readonly takes: string;
  readonly refuses: string;
  readonly mode: string;
  readonly unit: string;
  readonly doc: string;
  readonly spec: string;
}

function shownFile(files: Files, path: string): ShownFile {
  const inDamon = damonTarget(files, path);
  if (inDamon !== null) {
    const file = requireDamonFile(files, path, inDamon);
    return {
      path: inDamon,
      read: file.default,
      takes: describeDamonGrammar(file),
      refuses: '',
      mode: modeText(file),
      unit: file.unit ?? '',
      doc: file.doc,
      spec: 'DAMON spec 6.1',
    };
  }
  const file = requireFileAt(files, path);
  const errnos = Object.entries(file.errnos).map(([why, errno]) => `${errno} if ${why}`);
  return {
    path: file.path,
    read: readText(files.settings, file),
    takes: describeGrammar(file),
    refuses: errnos.join(', '),
    mode: modeText(file),
    unit: file.unit ?? '',
    doc: file.doc,
    spec: file.spec,
  };
}

function writeLong(target: Target, file: ShownFile): void {
  const rows = [
    ['reads', file.read],
    ['takes', file.takes],
    ['refuses with', file.refuses],
    ['mode', file.mode],
    ['unit', file.unit],
    ['does', file.doc],
    ['source', file.spec],
  ].filter(([, value]) => value !== '');
  target.write(`${target.colors.strong(file.path)}\n`);
  target.write(table([{ title: '' }, { title: '' }], rows, target.colors));
}
