/** The list of ranges, its summary, and one table in detail, in each form of output. */
import { type ExplainRow, type ExplainTable, formatCount, formatDuration, formatShare } from '@thplab/scenario';
import type { OutputOptions } from '../../options.js';
import { jsonDocument, jsonLine } from '../../output/json.js';
import type { Palette } from '../../output/palette.js';
import { table } from '../../output/table.js';
import type { Target } from '../../output/target.js';
import type { ExplainedRun } from './explained-run.js';
import { hintText, stepText } from './hint-text.js';
import { reasonText } from './reasons.js';
import { rangeName } from './select.js';
import { tableDetail } from './table-detail.js';

type Options = OutputOptions & { readonly summary?: boolean };

/** One line per range, or per outcome. */
export function writeRanges(
  target: Target,
  version: string,
  run: ExplainedRun,
  rows: readonly ExplainRow[],
  options: Options,
): void {
  const { colors } = target;
  if (options.json)
    target.write(jsonDocument({ ...documentHead(run, version), ranges: rows, outcomes: countOutcomes(rows) }));
  else if (options.ndjson) for (const row of rows) target.write(jsonLine(row));
  else {
    target.write(`${headLines(run, version, colors)}\n`);
    if (!options.summary) target.write(`${rangeTable(run, rows, colors)}\n`);
    target.write(summaryTable(rows, colors));
  }
}

/** One table in detail. */
export function writeTable(
  target: Target,
  version: string,
  run: ExplainedRun,
  row: ExplainRow,
  detail: ExplainTable,
  options: Options,
): void {
  const { colors } = target;
  if (options.json) target.write(jsonDocument({ ...documentHead(run, version), range: row, table: detail }));
  else if (options.ndjson) {
    const { looks, ...rest } = detail;
    target.write(jsonLine({ kind: 'table', ...rest }));
    for (const look of looks) target.write(jsonLine({ kind: 'look', ...look }));
  } else {
    const why = whyText(row, colors);
    target.write(`${headLines(run, version, colors)}\n`);
    target.write(`${colors.strong(rangeName(row))}  0x${row.start.toString(16)}  ${why}\n\n`);
    if (row.hints.length > 0) target.write(`hints: ${row.hints.map(stepText).join('; ')}\n\n`);
    target.write(tableDetail(detail, run.head, colors));
  }
}

function documentHead({ head }: ExplainedRun, version: string): Record<string, unknown> {
  return { format: 'thplab/explain@1', version, ...head };
}

function headLines({ head }: ExplainedRun, version: string, colors: Palette): string {
  const { name, kernel, seed, endNs, partial } = head;
  const facts = colors.faint(
    `kernel ${kernel}, seed ${seed}, thplab ${version}; after ${formatDuration(endNs)} of virtual time`,
  );
  return `${colors.strong(name)}  ${facts}\n${partial ? colors.bad('PARTIAL: the run was interrupted\n') : ''}`;
}

function rangeTable({ rows: all }: ExplainedRun, rows: readonly ExplainRow[], colors: Palette): string {
  const several = new Set(all.map(({ process }) => process)).size > 1;
  const cells = rows.map((row) => [
    several ? rangeName(row) : rangeName(row).slice(row.process.length + 1),
    `0x${row.start.toString(16)}`,
    entryText(row),
    whyText(row, colors),
    hintText(row),
  ]);
  const hinted = rows.some(({ hints }) => hints.length > 0);
  const columns = [{ title: 'range' }, { title: 'address' }, { title: 'entries' }, { title: 'outcome' }];
  if (hinted) return table([...columns, { title: 'hints' }], cells, colors);
  return table(
    columns,
    cells.map((line) => line.slice(0, columns.length)),
    colors,
  );
}

/** `300 pages, 212 empty`: what occurs, the most telling first. */
function entryText({ entries, cache }: ExplainRow): string {
  const { page, none, zero, swap, other, shared, young } = entries;
  const total = page + none + zero + swap + other;
  const parts = [
    page === total ? 'full' : `${formatCount(page)} of ${formatCount(total)}`,
    ...(zero > 0 ? [`${formatCount(zero)} zero`] : []),
    ...(swap > 0 ? [`${formatCount(swap)} swapped`] : []),
    ...(other > 0 ? [`${formatCount(other)} other`] : []),
    ...(shared > 0 ? [`${formatCount(shared)} shared`] : []),
    ...(page > 0 && young < page ? [`${formatCount(young)} young`] : []),
  ];
  return cache === null ? parts.join(', ') : `${parts.join(', ')}; ${cacheText(cache)}`;
}

/** `cache 448 of 512, 64 swapped`: what a collapse of a file goes by. */
function cacheText(cache: NonNullable<ExplainRow['cache']>): string {
  const { present, swapped, missing, dirty, huge } = cache;
  const total = present + swapped + missing;
  const parts = [
    huge ? 'cache huge' : present === total ? 'cache full' : `cache ${formatCount(present)} of ${formatCount(total)}`,
    ...(swapped > 0 ? [`${formatCount(swapped)} swapped`] : []),
    ...(dirty > 0 ? [`${formatCount(dirty)} dirty`] : []),
  ];
  return parts.join(', ');
}

function whyText({ outcome, passedBy }: ExplainRow, colors: Palette): string {
  if (outcome.startsWith('collapsed')) return colors.good(outcome);
  return passedBy === null ? colors.notable(outcome) : `${colors.notable(outcome)}: ${passedBy}`;
}

function countOutcomes(rows: readonly ExplainRow[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { outcome } of rows) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}

/** How many ranges have which outcome, and what each outcome means. */
function summaryTable(rows: readonly ExplainRow[], colors: Palette): string {
  if (rows.length === 0) return '  no range\n';
  const cells = Object.entries(countOutcomes(rows)).map(([outcome, count]) => [
    formatCount(count),
    formatShare(count / rows.length, 1),
    outcome.startsWith('collapsed') ? colors.good(outcome) : colors.notable(outcome),
    reasonText(outcome) ?? '',
  ]);
  const columns = [
    { title: 'ranges', align: 'right' as const },
    { title: 'share', align: 'right' as const },
    { title: 'outcome' },
    { title: 'which means' },
  ];
  return table(columns, cells, colors);
}
