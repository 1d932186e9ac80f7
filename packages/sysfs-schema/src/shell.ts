/** Settings as lines for a real machine. */
import { SysfsSchemaError } from './errors.js';
import { formatValue } from './format-read.js';
import type { SysfsFile, SysfsNode } from './node.js';
import type { SettingCells } from './order-masks.js';
import { parseWrite } from './parse-write.js';
import { findNode, nearestPath } from './paths.js';
import { filesOf } from './tree.js';

/** One file whose setting differs between two stores. */
export interface SettingDifference {
  readonly file: SysfsFile;
  readonly path: string;
  /** The words or numbers that would write the value before and after. */
  readonly before: string;
  readonly after: string;
}

/** The files whose settings differ, in the order of the tree. */
export function describeDifference(
  nodes: readonly SysfsNode[],
  before: SettingCells,
  after: SettingCells,
): readonly SettingDifference[] {
  return filesOf(nodes).flatMap((file) => {
    const { storage } = file;
    if (storage.kind !== 'setting' && storage.kind !== 'order-setting') return [];
    const [old, now] = [before[storage.cell] ?? file.default, after[storage.cell] ?? file.default];
    return old === now
      ? []
      : [{ file, path: file.path, before: formatValue(file, old), after: formatValue(file, now) }];
  });
}

/**
 * One `echo VALUE > PATH` per pair, in the order given, for a root shell. Paths may be in any form that absolutePath takes.
 * Throws `unknown-path` (with the nearest path) or `bad-write` (with the file's own message) instead of printing a line that
 * the machine would refuse.
 */
export function exportShell(
  nodes: readonly SysfsNode[],
  values: Iterable<readonly [path: string, value: string | number]>,
): readonly string[] {
  return Array.from(values, ([path, value]) => {
    const file = requireFile(nodes, path);
    const text = String(value).replace(/\n$/, '');
    const result = parseWrite(file, text);
    if (!result.ok) throw new SysfsSchemaError('bad-write', `${result.message} (${result.errno})`);
    return `echo ${shellQuote(text)} > ${shellQuote(file.path)}`;
  });
}

/** The file at a path, in any form that absolutePath takes. Throws `unknown-path` with the nearest path otherwise. */
export function requireFile(nodes: readonly SysfsNode[], path: string): SysfsFile {
  const node = findNode(nodes, path);
  if (node?.kind === 'file') return node;
  if (node !== null) throw new SysfsSchemaError('unknown-path', `${node.path} is a directory; name a file in it`);
  const near = nearestPath(nodes, path);
  const hint = near === null ? '' : `; did you mean ${near}?`;
  throw new SysfsSchemaError('unknown-path', `this kernel has no file ${JSON.stringify(path)}${hint}`);
}

/** A word for a POSIX shell: as it is where no letter is special, else in single quotes. */
export function shellQuote(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
