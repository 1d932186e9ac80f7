/** Variants side by side: one row each; what differs from the first row is marked. */
import type { ScenarioResult } from '@thplab/scenario';
import { formatCount } from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import { table } from '../../output/table.js';
import { cellText, type Metric } from './metrics.js';

/** One variant that has run. */
export interface VariantRow {
  readonly name: string;
  readonly kernel: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number | string | null>>;
  /** Metrics that are not as in the first row. */
  readonly differs: readonly string[];
  /** What became of the PMD ranges of each VMA. */
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Attempts to collapse a window, by size, then by result. */
  readonly attempts: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Rows of results, each held against the first. */
export function variantRows(
  runs: readonly { readonly name: string; readonly result: ScenarioResult }[],
  metrics: readonly Metric[],
): readonly VariantRow[] {
  const rows = runs.map(({ name, result }) => ({
    name,
    kernel: result.header.kernel,
    settings: result.header.settings,
    metrics: Object.fromEntries(metrics.map((metric) => [metric.name, metric.value(result)])),
    attempts: result.khugepaged.attempts,
    outcomes: Object.fromEntries(
      result.processes.flatMap((process) => process.vmas.map((vma) => [`${process.name} ${vma.name}`, vma.outcomes])),
    ),
  }));
  const first = rows[0];
  return rows.map((row) => ({
    ...row,
    differs: metrics.map(({ name }) => name).filter((name) => row.metrics[name] !== first?.metrics[name]),
  }));
}

const MARK = '*';

/** The table of metrics, and where ranges fared differently a second one that says how. */
export function compareText(rows: readonly VariantRow[], metrics: readonly Metric[], colors: Palette): string {
  const texts = rows.map((row) => metrics.map((metric) => cellText(metric, row.metrics[metric.name] ?? null)));
  // What looks alike is not marked: a difference that rounding hides is for --json.
  const differs = (text: string, column: number): boolean => text !== texts[0]?.[column];
  const cells = rows.map((row, i) => [
    row.name,
    ...(texts[i] ?? []).map((text, column) =>
      differs(text, column) ? colors.notable(`${text} ${MARK}`) : `${text}  `,
    ),
  ]);
  const columns = metrics.map(({ title, isText = false }) => {
    return { title: isText ? title : `${title}  `, align: isText ? ('left' as const) : ('right' as const) };
  });
  const legend = texts.some((row) => row.some(differs))
    ? `${colors.faint(`  ${MARK} differs from the first row`)}\n`
    : `${colors.faint('  all rows are alike')}\n`;
  return `${table([{ title: 'variant' }, ...columns], cells, colors)}${legend}${failureTable(rows, metrics, colors)}${outcomeTable(rows, colors)}`;
}

/** Attempts that came to nothing, by size and reason, where the metric is asked for and there are some. */
function failureTable(rows: readonly VariantRow[], metrics: readonly Metric[], colors: Palette): string {
  if (!metrics.some(({ name }) => name === 'failed') || rows.every((row) => failuresText(row) === NO_FAILURE))
    return '';
  const first = rows[0] === undefined ? '' : failuresText(rows[0]);
  const cells = rows.map((row) => {
    const text = failuresText(row);
    return [row.name, text === first ? text : colors.notable(`${text} ${MARK}`)];
  });
  return `\n${table([{ title: 'variant' }, { title: 'attempts that failed' }], cells, colors)}`;
}

const NO_FAILURE = 'none';

function failuresText({ attempts }: VariantRow): string {
  const parts = Object.entries(attempts).flatMap(([size, results]) => {
    const failures = Object.entries(results).filter(([result]) => result !== 'succeeded');
    return failures.map(([result, count]) => `${formatCount(count)} ${size} ${result}`);
  });
  return parts.join(', ') || NO_FAILURE;
}

/** VMAs that still fit on a screen. */
const MOST_VMAS = 12;

/** VMAs whose ranges fared differently: what became of them, variant by variant. */
function outcomeTable(rows: readonly VariantRow[], colors: Palette): string {
  const first = rows[0];
  if (first === undefined) return '';
  const vmas = Object.keys(first.outcomes).filter((vma) => new Set(rows.map((row) => outcomesText(row, vma))).size > 1);
  if (vmas.length === 0) return '';
  const cells = vmas.slice(0, MOST_VMAS).flatMap((vma) =>
    rows.map((row, i) => {
      const text = outcomesText(row, vma);
      const differs = text !== outcomesText(first, vma);
      return [i === 0 ? vma : '', row.name, differs ? colors.notable(`${text} ${MARK}`) : text];
    }),
  );
  const more = vmas.length - MOST_VMAS;
  const rest = more > 0 ? colors.faint(`  and ${formatCount(more)} more; --json has all\n`) : '';
  const columns = [{ title: 'VMA' }, { title: 'variant' }, { title: 'what became of its ranges' }];
  return `\n${table(columns, cells, colors)}${rest}`;
}

function outcomesText({ outcomes }: VariantRow, vma: string): string {
  const parts = Object.entries(outcomes[vma] ?? {}).map(([outcome, count]) => `${formatCount(count)} ${outcome}`);
  return parts.join(', ') || 'none';
}
