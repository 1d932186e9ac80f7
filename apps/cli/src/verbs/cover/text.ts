/** What is told of covers: a row per generation, and the table on which it loses most. */
import { type CoverTotals, optimalCover, type StudyTable, type WindowChoice, walkCover } from '@thplab/mthp-collapse';
import { formatCount, formatShare } from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import { table } from '../../output/table.js';
import type { CoverAnswer, CoverSource, Options } from '../cover.js';

/** All generations, one row each. */
export function coverText(
  answers: readonly CoverAnswer[],
  source: CoverSource,
  options: Options,
  head: { readonly version: string; readonly partial: boolean },
  colors: Palette,
): string {
  const lines = [
    `${colors.strong('cover')}  ${colors.faint(`${source.name}; ${source.rulesText}; thplab ${head.version}`)}\n`,
  ];
  if (head.partial) lines.push(`${colors.bad(`PARTIAL: interrupted after ${plural(answers.length, 'kernel')}`)}\n`);
  const cells = answers.map(({ generation, totals }) => rowOf(generation.name, totals, colors));
  lines.push('\n', table(COLUMNS, cells, colors), `${colors.faint(NOTES)}\n`);
  if (options.show) lines.push(...answers.map((answer) => worstText(answer, options, colors)));
  return lines.join('');
}

const COLUMNS = [
  { title: 'kernel' },
  { title: 'attempts: median', align: 'right' },
  { title: 'p99', align: 'right' },
  { title: 'max', align: 'right' },
  { title: 'refused', align: 'right' },
  { title: 'covered', align: 'right' },
  { title: 'optimum', align: 'right' },
  { title: 'folios', align: 'right' },
  { title: 'optimum', align: 'right' },
  { title: 'added', align: 'right' },
  { title: 'optimum', align: 'right' },
  { title: 'tables below it', align: 'right' },
] as const;

const NOTES =
  '  attempts in one scan of a table; covered: of the pages present; folios and added pages per table;\n' +
  "  optimum: the best windows under this kernel's own limits";

function rowOf(name: string, totals: CoverTotals, colors: Palette): string[] {
  const { median, p99, max } = attemptsOf(totals);
  const { tables, refused, present, covered, optimum, below } = totals;
  const share = (part: number): string => formatShare(present === 0 ? 0 : part / present, 1);
  const each = (sum: number): string => (sum / tables).toFixed(1);
  return [
    name,
    `${median}`,
    `${p99}`,
    `${max}`,
    formatCount(refused),
    share(covered),
    share(optimum),
    each(totals.folios),
    each(totals.optimumFolios),
    each(totals.added),
    each(totals.optimumAdded),
    below === 0 ? '0' : colors.notable(formatCount(below)),
  ];
}

function attemptsOf({ attempts }: CoverTotals): {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
} {
  const sorted = [...attempts].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { median: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}

/** The worst table of one generation: its entries, the windows of the walk, those of the optimum. */
function worstText({ generation, totals }: CoverAnswer, options: Options, colors: Palette): string {
  const name = colors.strong(generation.name);
  if (totals.worst === null) return `\n${name}  covers as many pages as the optimum on every table\n`;
  const { of, lost } = totals.worst;
  const walk = walkCover(of.rules, of.table);
  const best = optimalCover(of.rules, of.table, options.goal);
  const tried = walk.attempts.length === 0 ? 'nothing attempted' : `${walk.attempts.length} attempted`;
  return [
    `\n${name}  ${of.name}: ${lost} pages less than the optimum, ${walk.covered} instead of ${best.covered}\n`,
    picture('entries', of.table.letters(), colors),
    picture('walk', windowLetters(of.table, walk.windows), colors, `${plural(walk.windows.length, 'folio')}, ${tried}`),
    picture('optimum', windowLetters(of.table, best.windows), colors, plural(best.windows.length, 'folio')),
    `  ${colors.faint('.  empty   0  single page   s  swapped out   2, 3, ...  in a new folio of that order')}\n`,
  ].join('');
}

function windowLetters(entries: StudyTable, windows: readonly WindowChoice[]): string {
  const letters = [...entries.letters()];
  for (const { offset, order } of windows)
    letters.fill(order.toString(36).toUpperCase(), offset, offset + (1 << order));
  return letters.join('');
}

function picture(title: string, letters: string, colors: Palette, note = ''): string {
  const rows: string[] = [`  ${title}${note === '' ? '' : `: ${note}`}\n`];
  for (let at = 0; at < letters.length; at += 64) {
    const groups = letters.slice(at, at + 64).match(/.{1,16}/g) ?? [];
    rows.push(`    ${colors.faint(String(at).padStart(3))}  ${groups.join(' ')}\n`);
  }
  return rows.join('');
}

function plural(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

/** One generation as data. */
export function coverDocument({ generation, totals }: CoverAnswer): Record<string, unknown> {
  const { attempts: _attempts, worst, ...sums } = totals;
  return {
    kernel: generation.name,
    attempts: attemptsOf(totals),
    ...sums,
    worst: worst === null ? null : { table: worst.name, lost: worst.lost, entries: worst.of.table.letters() },
  };
}
