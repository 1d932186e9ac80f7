/** The locking model as docs/locking.md shows it, made from what the code runs by: lock classes, guards, excused accesses. */
import { LOCKLESS } from '@thplab/mm-model';
import type { SyncDomain } from '@thplab/sync';
import { buildStage } from './build-stage.js';
import { parseCheck } from './format/parse.js';
import { GUARDS, type GuardedColumn, guardedColumns } from './machine/guard-check.js';

/** Any case will do: all machines declare the same locks and columns. */
const CASE = `format: thplab/check@1
name: none
processes: [{ name: app, vmas: [{ name: heap, size: 32K }] }]
actors: [{ khugepaged: {} }]
`;

const KIND_TEXT = { spin: 'spinlock', rwsem: 'rw-semaphore', vma: 'per-VMA lock' } as const;

/** Lock order as a Mermaid picture, then the guards and the accesses without locks as Markdown tables. */
export function lockingTables(): string {
  const { raw } = buildStage(parseCheck(CASE));
  const columns = guardedColumns(raw.arena.plan);
  return [picture(raw.domain, columns), guardTable(columns), locklessTable()].join('\n\n');
}

/** Boxes: locks, in the order in which they may be taken. Rounded boxes: the columns that they guard. */
function picture(domain: SyncDomain, columns: readonly GuardedColumn[]): string {
  const classes = domain.classes.toSorted((a, b) => a.rank - b.rank);
  const locks = classes.map(({ name, kind, rank }) => `  ${name}["${name}<br/>${KIND_TEXT[kind]}, rank ${rank}"]`);
  const bits = domain.bitLocks.map(({ name }) => `  ${name}["${name}<br/>a bit, only tried"]`);
  const order = classes.map(({ name }) => name).join(' --> ');
  const tried = domain.bitLocks.map(({ name }) => `  pte_lock -- tries --> ${name}`);
  const guarded = Object.entries(GUARDS).flatMap(([guard, { locks: held }]) => [
    `  guard_${guard}(["${columnsOf(columns, guard).join('<br/>')}"])`,
    ...held.map((lock) => `  ${lock} -.- guard_${guard}`),
  ]);
  return ['```mermaid', 'flowchart LR', ...locks, ...bits, `  ${order}`, ...tried, ...guarded, '```'].join('\n');
}

function guardTable(columns: readonly GuardedColumn[]): string {
  const rows = Object.entries(GUARDS).map(
    ([guard, { reads, writes }]) => `| \`${guard}\` | ${columnsOf(columns, guard).join(', ')} | ${reads} | ${writes} |`,
  );
  return ['| guard | columns | who may read | who may write |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function locklessTable(): string {
  const rows = Object.entries(LOCKLESS).map(([name, why]) => `| \`${name}\` | ${why} |`);
  return ['| access without a lock | why it is right |', '| --- | --- |', ...rows].join('\n');
}

/** `table.a, b` for each table. */
function columnsOf(columns: readonly GuardedColumn[], guard: string): string[] {
  const byTable = new Map<string, string[]>();
  for (const { name, table, guardName } of columns) {
    if (guardName !== guard) continue;
    const column = name.slice(table.length + 1);
    byTable.set(table, [...(byTable.get(table) ?? []), column]);
  }
  return [...byTable].map(([table, names]) => `${table}: ${names.join(' ')}`);
}
