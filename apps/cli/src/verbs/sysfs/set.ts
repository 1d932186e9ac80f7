/** `thplab sysfs set`: writes to a fresh machine, one after the other, and what the kernel answers to each. */
import { checkWrite, DAMON_ROOT } from '@thplab/sysfs-schema';
import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { UsageError } from '../../errors.js';
import { EXIT } from '../../exit.js';
import { showExamples } from '../../help.js';
import { damonTarget, FreshDamon, requireDamonFile } from '../../input/damon-files.js';
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
import { assignment, outputOptions } from '../../options.js';
import { jsonDocument, jsonLine } from '../../output/json.js';
import { type Target, withTarget } from '../../output/target.js';

interface Written {
  readonly path: string;
  readonly value: string;
  /** null: the write succeeds. */
  readonly errno: string | null;
  readonly message: string;
  /** What a read shows afterwards. */
  readonly read: string;
}

export function defineSet(command: Command, context: Context): void {
  treeOptions(command.argument('<path=value...>', 'writes, made in this order'));
  outputOptions(command, 'one per write').action((writes: readonly string[], options: TreeOptions) =>
    set(context, writes, options),
  );
  showExamples(command, context, [
    ['thplab sysfs set khugepaged/max_ptes_none=600', 'refused: the range, and what a read still shows'],
    ['thplab sysfs set enabled=always khugepaged/defrag=0', 'several, one after the other'],
    ['thplab sysfs set use_zero_page=enabled --kernel v6.13', 'does this kernel know the word?'],
  ]);
}

async function set(context: Context, writes: readonly string[], options: TreeOptions): Promise<void> {
  const files = filesFor(options);
  const pairs = writes.map((text) => parseAssignment(text));
  const damon = pairs.some(([path]) => damonTarget(files, path) !== null) ? await FreshDamon.of(files) : null;
  const answers = pairs.map(([path, value]) => {
    const inDamon = damonTarget(files, path);
    if (inDamon === null || damon === null) return write(files, path, value);
    requireDamonFile(files, path, inDamon);
    return { path: inDamon, value, ...damon.write(inDamon, value) };
  });
  await withTarget(context, options.output, (target) => {
    if (options.json) {
      const head = documentHead('thplab/sysfs-set@1', context.version, files);
      target.write(jsonDocument({ ...head, writes: answers }));
    } else if (options.ndjson) for (const answer of answers) target.write(jsonLine(answer));
    else for (const answer of answers) show(target, answer);
  });
  if (answers.some(({ errno }) => errno !== null)) context.exitCode = EXIT.failed;
}

/** `PATH=VALUE`. Errors: UsageError. */
export function parseAssignment(text: string): readonly [path: string, value: string] {
  const found = assignment(text);
  if (found !== null) return found;
  throw new UsageError(`${JSON.stringify(text)} is no PATH=VALUE; for instance khugepaged/max_ptes_none=0`);
}

function write(files: Files, path: string, value: string): Written {
  const file = requireFileAt(files, path);
  // As `echo` writes it.
  const answer = checkWrite(file, `${value}\n`, files.settings, files.geometry);
  const { storage } = file;
  if (answer.ok && 'cell' in storage) files.settings[storage.cell] = answer.value;
  const read = readText(files.settings, file);
  if (answer.ok) return { path: file.path, value, errno: null, message: '', read };
  return { path: file.path, value, errno: answer.errno, message: answer.message.replace(`${file.path}: `, ''), read };
}

/** As users write it. */
function shortPath(path: string): string {
  return path.startsWith(DAMON_ROOT) ? path.slice('/sys/kernel/mm/'.length) : relative(path);
}

function show(target: Target, { path, value, errno, message, read }: Written): void {
  const { good, bad, faint } = target.colors;
  const answer = errno === null ? `${good('ok')}${message === '' ? '' : `, ${message}`}` : `${bad(errno)}: ${message}`;
  target.write(`${shortPath(path)} = ${value}: ${answer}\n${faint('  reads')} ${read}\n`);
}
