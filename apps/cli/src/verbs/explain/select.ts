/** Which ranges are meant. */
import type { ExplainRow } from '@thplab/scenario';
import { UsageError } from '../../errors.js';
import { nearestName } from '../../input/nearest.js';
import { REASON_NAMES } from './reasons.js';

export interface Selection {
  readonly process?: string;
  readonly vma?: string;
  readonly only?: string;
}

/** The name of a range as --range takes it: `app/heap:0`. */
export function rangeName({ process, vma, block }: ExplainRow): string {
  return `${process}/${vma}${block === null ? '' : `:${block}`}`;
}

/** Rows of a process (or a group of them), of a VMA, with an outcome. Errors: UsageError for a name that nothing has. */
export function selectRanges(rows: readonly ExplainRow[], { process, vma, only }: Selection): readonly ExplainRow[] {
  if (only !== undefined) checkOutcome(only, rows);
  if (process !== undefined)
    mustBeOne(
      'process',
      process,
      rows.flatMap((row) => [row.process, group(row.process)]),
    );
  if (vma !== undefined)
    mustBeOne(
      'VMA',
      vma,
      rows.map((row) => row.vma),
    );
  return rows.filter(
    (row) =>
      (process === undefined || row.process === process || group(row.process) === process) &&
      (vma === undefined || row.vma === vma) &&
      (only === undefined || hasOutcome(row, only)),
  );
}

function group(process: string): string {
  return process.replace(/\.\d+$/, '');
}

function hasOutcome({ outcome }: ExplainRow, only: string): boolean {
  return outcome === only || (outcome.startsWith('collapsed') && only === 'collapsed');
}

function checkOutcome(only: string, rows: readonly ExplainRow[]): void {
  const known = ['collapsed', ...REASON_NAMES, ...rows.map(({ outcome }) => outcome)];
  if (!known.includes(only)) mustBeOne('outcome', only, known);
}

function mustBeOne(what: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const names = [...new Set(known)];
  const near = nearestName(name, names);
  const hint = near === null ? `there are ${names.slice(0, 12).join(', ')}` : `did you mean ${near}?`;
  throw new UsageError(`no ${what} is called ${JSON.stringify(name)}; ${hint}`);
}

/** The row that a text names: `VMA:N`, `PROCESS/VMA:N`, an address in it, or its number in the list. Errors: UsageError. */
export function findRange(rows: readonly ExplainRow[], text: string, blockSize: number): ExplainRow {
  const found = /^0x[0-9a-f]{1,12}$/i.test(text)
    ? rows.find(({ start }) => Number(text) >= start && Number(text) < start + blockSize)
    : /^[0-9]{1,9}$/.test(text)
      ? rows[Number(text)]
      : rows.find((row) => rangeName(row) === text || rangeName(row).endsWith(`/${text}`));
  if (found !== undefined) return found;
  const names = rows.flatMap((row) => [rangeName(row), rangeName(row).slice(row.process.length + 1)]);
  const near = nearestName(text, names.slice(0, 4096));
  const first = rows[0];
  const example =
    first === undefined ? 'there is no range at all' : `such as ${rangeName(first)} or 0x${first.start.toString(16)}`;
  throw new UsageError(
    `--range ${text} names none of the ${rows.length} ranges; ${near === null ? example : `did you mean ${near}?`}`,
  );
}
