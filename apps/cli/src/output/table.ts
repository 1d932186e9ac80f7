/** Tables without lines: columns apart by two spaces, as wide as their contents, whatever the terminal. */
import CliTable from 'cli-table3';
import type { Palette } from './palette.js';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
} as const;

/** Lines of a table; the head is left out where no column has a title. Cells may be coloured. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  colors: Palette,
  indent = '  ',
): string {
  if (rows.length === 0) return '';
  const head = columns.some(({ title }) => title !== '') ? columns.map(({ title }) => colors.faint(title)) : [];
  const made = new CliTable({
    ...(head.length > 0 ? { head } : {}),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true },
  });
  for (const row of rows) made.push([...row]);
  return made
    .toString()
    .split('\n')
    .map((line) => `${indent}${trimEnd(line)}\n`)
    .join('');
}

/** Without the blanks that fill the last column, also where a colour ends in front of them. */
function trimEnd(line: string): string {
  return line.replace(/\s+$/, '');
}
