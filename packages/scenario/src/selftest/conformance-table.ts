/** The table of the selftest's cases for docs/conformance.md: what was expected, and what the model did. */
import type { ExpectationResult } from '../report/result.js';
import type { SelftestCase } from './cases.js';

/** A case that was run. */
export interface CaseRun {
  readonly one: SelftestCase;
  readonly expectations: readonly ExpectationResult[];
}

/** Lines of a Markdown table, one row per case; mthp cases that agree at every order share a row. */
export function conformanceTable(runs: readonly CaseRun[]): string[] {
  const rows = new Map<string, { cells: string[]; sizes: string[] }>();
  for (const run of runs) {
    const { one } = run;
    const size = one.script.context === 'mthp' ? sizeOf(one) : '';
    const cells = [one.test, one.script.context, one.script.memory, expectedOf(one), modelOf(run)];
    const key = size === '' ? one.name : cells.map((cell) => cell.replaceAll(/\d+ x \w+/g, 'n')).join('|');
    const row = rows.get(key) ?? { cells, sizes: [] };
    row.sizes.push(size);
    rows.set(key, row);
  }
  const lines = [...rows.values()].map(({ cells, sizes }) => {
    const [test, context, memory, expected, model] = cells;
    const orders = sizes[0] === '' ? '' : ` (${sizes[0]}${sizes.length > 1 ? ` to ${sizes.at(-1)}` : ''})`;
    return [`\`${test}\``, `${context}${orders}`, memory, expected, model];
  });
  return markdownTable([['case', 'context', 'memory', 'expected', 'model'], ...lines]);
}

function sizeOf({ name }: SelftestCase): string {
  return name.slice(name.lastIndexOf('-') + 1);
}

function expectedOf({ script }: SelftestCase): string {
  return script.asked.map(({ words }) => words).join('; ');
}

/** The words of the checks that held; of one that did not, what was found. Any other expectation that failed is told too. */
function modelOf({ one, expectations }: CaseRun): string {
  const words = one.script.asked.map(({ key, words: expected }) => {
    const judged = expectations.find((row) => row.key.startsWith(`${key}.`));
    if (judged === undefined) return 'not judged';
    return judged.ok ? expected : `${judged.actual} instead of ${judged.expected}`;
  });
  const other = expectations
    .filter((row) => !row.ok && !one.script.asked.some(({ key }) => row.key.startsWith(`${key}.`)))
    .map((row) => `${row.what}: ${row.actual} instead of ${row.expected}`);
  return [...words, ...other].join('; ');
}

/** Columns padded to equal width, as the formatter of this repository would. */
function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(rows[0]), rule, ...rows.slice(1).map(line)];
}
