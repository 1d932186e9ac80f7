/** The reference page of a kernel's files, written from the same data as everything else. */

import { VMSTAT_NAMES } from './counters.js';
import { formatRead, formatValue } from './format-read.js';
import { GEOMETRY_4K, type Geometry, pmdBytes, sizeDirectoryName } from './geometry.js';
import type { SysfsFile } from './node.js';
import { describeGrammar } from './parse-write.js';
import { describeProfile, type KernelProfile } from './profiles.js';
import { filesOf, isWritable, SYSFS_ROOT, sysfsTree } from './tree.js';
import { describeVmstat } from './vmstat.js';

/**
 * A Markdown page: a table of the settings, one of the read-only files, one of vmstat. Files that exist per size stand once,
 * with the sizes that have them.
 */
export function renderMarkdownTable(profile: KernelProfile, geometry: Geometry = GEOMETRY_4K): string {
  const files = mergeSizes(filesOf(sysfsTree(profile, geometry)));
  const settings = files.filter(({ file }) => isWritable(file));
  const counters = files.filter(({ file }) => !isWritable(file));
  return [
    `# Huge page files of ${profile}`,
    '',
    `${describeProfile(profile).title}. Base pages of ${2 ** (geometry.pageShift - 10)} KiB, PMD size ${pmdBytes(geometry) / 1024} KiB.`,
    `Paths count from \`${SYSFS_ROOT}/\`. This page is generated from the package; a test keeps it true.`,
    '',
    '## Settings',
    '',
    ...table(
      ['file', 'shows by default', 'takes', 'errors', 'what it does'],
      settings.map((merged) => [
        code(merged.name),
        defaultText(merged),
        describeGrammar(merged.file),
        errnoText(merged.file),
        merged.file.doc + sizeText(merged.orders, geometry),
      ]),
    ),
    '',
    '## Read-only files',
    '',
    ...table(
      ['file', 'what it shows'],
      counters.map(({ file, name, orders }) => [code(name), file.doc + sizeText(orders, geometry)]),
    ),
    '',
    '## /proc/vmstat',
    '',
    ...table(
      ['counter', 'kind', 'what it counts'],
      VMSTAT_NAMES.map(describeVmstat).map(({ name, kind, doc }) => [code(name), kind, doc]),
    ),
    '',
  ].join('\n');
}

interface MergedFile {
  readonly name: string;
  /** The file of the largest order that has it. */
  readonly file: SysfsFile;
  /** The file of the smallest. */
  readonly smallest: SysfsFile;
  /** Orders that have the file; empty for one that exists once. */
  readonly orders: number[];
}

/** Files by name, those of the size directories merged. */
function mergeSizes(files: readonly SysfsFile[]): readonly MergedFile[] {
  const merged = new Map<string, MergedFile>();
  const ascending = files.toSorted((a, b) => orderOf(a) - orderOf(b));
  for (const file of ascending) {
    const name = file.path.slice(SYSFS_ROOT.length + 1).replace(/^hugepages-\d+kB/, 'hugepages-*kB');
    const orders = [...(merged.get(name)?.orders ?? []), ...('order' in file.storage ? [file.storage.order] : [])];
    merged.set(name, { name, file, smallest: merged.get(name)?.smallest ?? file, orders });
  }
  return [...merged.values()];
}

function orderOf(file: SysfsFile): number {
  return 'order' in file.storage ? file.storage.order : -1;
}

function defaultText({ file, smallest }: MergedFile): string {
  const shown = code(formatRead(file).trimEnd());
  return file.default === smallest.default
    ? shown
    : `${shown}, smaller sizes ${code(formatValue(smallest, smallest.default))}`;
}

function sizeText(orders: readonly number[], geometry: Geometry): string {
  const [first, last] = [orders[0], orders.at(-1)];
  if (first === undefined || last === undefined) return '';
  const size = (order: number): string => sizeDirectoryName(geometry, order).slice('hugepages-'.length);
  return ` (sizes ${size(first)} to ${size(last)})`;
}

function errnoText(file: SysfsFile): string {
  return Object.entries(file.errnos)
    .map(([why, errno]) => `${why}: ${errno}`)
    .join(', ');
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A table with its columns padded to one width, as the repository's formatter wants Markdown. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, i) => Math.max(3, title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((c, i) => c.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}
