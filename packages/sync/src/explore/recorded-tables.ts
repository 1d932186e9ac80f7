/** The tables of an arena with all columns recorded, for the actors of a case; who builds and checks uses the plain ones. */
import type { Arena, ColumnPlan, RowPool, TableDecls, TablePlan, Tables } from '@thplab/arena';
import type { AccessLog } from './access-log.js';
import { type Column, type ColumnRecord, type Guard, recordedColumn } from './recorded-column.js';

/** How the tables of an arena are recorded. */
export interface TablesRecord {
  readonly log: AccessLog;
  /**
   * False for a column whose uses commute or do not matter (statistics, a trace): it stays as it is. Leaving out a column
   * that matters makes the search miss orders. Default: all are recorded.
   */
  records?(table: string, column: string): boolean;
  /** The guard of a column; `declared` is the guard in its declaration. Default: none. */
  guardOf?(table: string, column: string, declared: string | undefined): Guard | undefined;
}

/** Wraps every column of an arena that is to be recorded, and the pools of the tables, in cells of their own. */
export function recordedTables<T extends TableDecls>(arena: Arena<T>, record: TablesRecord): Tables<T> {
  const views = arena.tables as unknown as Readonly<Record<string, Record<string, unknown>>>;
  let cells = 0;
  const take = (count: number): number => {
    cells += count;
    return cells - count;
  };
  const tables = arena.plan.tables.map((plan) => [
    plan.name,
    recordedTable(plan, views[plan.name] ?? {}, record, take),
  ]);
  return Object.fromEntries(tables) as Tables<T>;
}

function recordedTable(
  plan: TablePlan,
  view: Readonly<Record<string, unknown>>,
  record: TablesRecord,
  take: (count: number) => number,
): Record<string, unknown> {
  const made: Record<string, unknown> = { ...view };
  const rows: RowCells[] = [];
  for (const column of plan.columns) {
    if (record.records?.(plan.name, column.name) === false) continue;
    const plain = view[column.name] as Column;
    const columnRecord = recordOf(plan, column, record, take(plain.length));
    made[column.name] = recordedColumn(plain, columnRecord);
    rows.push({ firstCell: columnRecord.firstCell, stride: column.stride });
  }
  if (view.pool !== undefined) made.pool = recordedPool(view.pool as RowPool, record.log, take(1), rows);
  return made;
}

interface RowCells {
  readonly firstCell: number;
  /** Cells per row. */
  readonly stride: number;
}

function recordOf(plan: TablePlan, column: ColumnPlan, record: TablesRecord, firstCell: number): ColumnRecord {
  const guard = record.guardOf?.(plan.name, column.name, column.guard);
  const name = `${plan.name}.${column.name}`;
  return { name, log: record.log, firstCell, ...(guard === undefined ? {} : { guard }) };
}

/** A pool whose changes are uses of one cell; freeing a row writes all of the row, so that a stale reader is seen. */
function recordedPool(pool: RowPool, log: AccessLog, cell: number, columns: readonly RowCells[]): RowPool {
  const freeRow = (row: number): void => {
    for (const { firstCell, stride } of columns) {
      for (let at = 0; at < stride; at++) log.write(firstCell + row * stride + at);
    }
  };
  return new Proxy(pool, {
    get(target, key): unknown {
      const writes = key === 'alloc' || key === 'free';
      if (writes) log.write(cell);
      else log.read(cell);
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...inputs: number[]) => {
        if (key === 'free') freeRow(inputs[0] as number);
        return (value as (...all: number[]) => unknown).apply(target, inputs);
      };
    },
  });
}
