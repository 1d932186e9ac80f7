/** Rows of an interleaving as text: one column per task. */
import type { InterleavingRow } from './interleaving.js';

const MOST_COLUMN = 44;

/**
 * A table with one column per task and the locks beside it. `*` marks a pre-emption: the task of the step before could
 * have gone on.
 */
export function interleavingText(rows: readonly InterleavingRow[]): string {
  const names = new Map<number, string>();
  for (const row of rows) names.set(row.task, row.name);
  const tasks = [...names.keys()].sort((a, b) => a - b);
  const width = (task: number): number =>
    rows.reduce(
      (most, row) => (row.task === task ? Math.max(most, row.operation.length) : most),
      names.get(task)?.length ?? 0,
    );
  const widths = tasks.map((task) => Math.min(MOST_COLUMN, width(task)));
  const number = Math.max(4, String(rows.length).length);
  const line = (step: string, mark: string, cells: readonly string[], locks: string): string =>
    `${step.padStart(number)} ${mark} ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}  ${locks}`.trimEnd();
  const lines = [
    line(
      'step',
      ' ',
      tasks.map((task) => names.get(task) ?? ''),
      'locks after the step',
    ),
  ];
  for (const row of rows) {
    const cells = tasks.map((task) => (task === row.task ? row.operation : ''));
    lines.push(line(String(row.step), row.preempts ? '*' : ' ', cells, row.locks));
  }
  return `${lines.join('\n')}\n`;
}
