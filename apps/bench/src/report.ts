/** What a bench gives back: rows of a table, and sentences about them. */

/** One figure with its unit, e.g. `{ value: 5.3e9, unit: 'PTE/s' }`. */
export interface Figure {
  readonly value: number;
  readonly unit: string;
}

/** One row: what was measured, its figures by column. */
export interface BenchRow {
  readonly what: string;
  readonly figures: Readonly<Record<string, Figure>>;
}

/** A demand on the figures in words, with the figure, and whether it is met. */
export interface Demand {
  readonly text: string;
  readonly met: boolean;
}

/** One bench's outcome. */
export interface BenchReport {
  readonly name: string;
  readonly question: string;
  readonly rows: readonly BenchRow[];
  readonly demands: readonly Demand[];
  /** What a reader should know beside the figures. */
  readonly notes?: readonly string[];
}

/** A bench: a name to choose it by, and what runs it. `quick` trades precision for time. */
export interface BenchDefinition {
  readonly name: string;
  readonly question: string;
  run(options: { readonly quick: boolean }): Promise<BenchReport> | BenchReport;
}

const PREFIXES = ['', 'k', 'M', 'G', 'T'] as const;

/** A figure in three digits with a decimal prefix; ratios and bytes as they are. */
export function printFigure({ value, unit }: Figure): string {
  if (unit === 'x') return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)}x`;
  if (unit.startsWith('B')) return `${value.toFixed(2)} ${unit}`;
  if (unit === 's') return value >= 0.1 ? `${value.toPrecision(3)} s` : `${(value * 1e3).toPrecision(3)} ms`;
  let scaled = value;
  let prefix = 0;
  while (scaled >= 1000 && prefix < PREFIXES.length - 1) {
    scaled /= 1000;
    prefix++;
  }
  return `${scaled.toPrecision(3)} ${PREFIXES[prefix]}${unit}`;
}

/** A report as text: the question, an aligned table, the demands. */
export function printReport(report: BenchReport): string {
  const columns = [...new Set(report.rows.flatMap((row) => Object.keys(row.figures)))];
  const cells = report.rows.map((row) => [
    row.what,
    ...columns.map((column) => (row.figures[column] === undefined ? '' : printFigure(row.figures[column]))),
  ]);
  const table = [['', ...columns], ...cells];
  const widths = ['', ...columns].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  const lines = table.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
  );
  const demands = report.demands.map(({ text, met }) => `${met ? 'met' : 'MISSED'}: ${text}`);
  return [`${report.name}: ${report.question}`, ...lines, ...demands, ...(report.notes ?? [])].join('\n');
}
