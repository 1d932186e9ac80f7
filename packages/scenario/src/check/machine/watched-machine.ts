/**
 * A machine whose columns can be seen being fetched: every `m.table.column` enters the column into a log. A column that a
 * procedure keeps in a variable across a yield would be missed; `WatchedLog.unseen` tells, and a test asks it.
 */
import type { Arena, ArenaPlan } from '@thplab/arena';
import type { Machine } from '@thplab/mm-model';
import { type LoggedColumn, WatchedLog } from './watched-log.js';

/**
 * Columns that nobody decides by. Counters are only added to, and stamps only need to differ, so the order of two such
 * writes makes no difference; the words of locks are the executor's.
 */
const UNLOGGED: ReadonlySet<string> = new Set([
  'mm.mmapLock',
  'mm.rssAnon',
  'mm.rssFile',
  'mm.rssShmem',
  'mm.swapEnts',
  'mm.anonThps',
  'mm.pageTables',
  'vma.lock',
  'anonVma.lock',
  'directory.lock',
  'pte.lock',
  'machine.nextStamp',
  'machine.nextPid',
  'vmstat.value',
  'mthpStat.value',
  'khugepaged.mmLock',
  'khugepaged.mutex',
  'khugepaged.pagesCollapsed',
  'khugepaged.fullScans',
  'khugepaged.rangesScanned',
  'khugepaged.passes',
]);

/** The machine to give to procedures, and the log that it fills. */
export interface Watched {
  readonly m: Machine;
  readonly log: WatchedLog;
}

/** Wraps a machine. Both show the same arena, locks and hooks. */
export function watchMachine(raw: Machine): Watched {
  const columns = loggedColumns(raw.arena.plan);
  const log = new WatchedLog(raw.arena.buffer, columns);
  const tables = watchTables(raw.arena.tables as unknown as Readonly<Record<string, object>>, columns, log);
  const arena = Object.create(raw.arena, { tables: { value: tables } }) as Arena;
  return { m: { ...raw, ...tables, arena } as Machine, log };
}

/** All columns that count, then one cell for the bookkeeping of each pool. */
function loggedColumns(plan: ArenaPlan): LoggedColumn[] {
  const columns = plan.tables.flatMap((table) =>
    table.columns.map(({ name, offset, bytes }) => ({ name: `${table.name}.${name}`, offset, bytes })),
  );
  const pools = plan.tables
    .filter((table) => table.pooled)
    .map((table) => ({ name: `${table.name}.pool`, offset: table.metaIndex * 4, bytes: 16 }));
  return [...columns, ...pools].filter(({ name }) => !UNLOGGED.has(name));
}

type Views = Readonly<Record<string, object>>;

/** The same views, each column behind an accessor that logs it. */
function watchTables(tables: Views, columns: readonly LoggedColumn[], log: WatchedLog): Views {
  const cells = new Map(columns.map(({ name }, cell) => [name, cell]));
  return Object.fromEntries(
    Object.entries(tables).map(([table, view]) => {
      const watched = {};
      for (const [column, value] of Object.entries(view)) {
        const cell = cells.get(`${table}.${column}`);
        const fetched = cell === undefined ? () => value : logged(log, cell, value);
        Object.defineProperty(watched, column, { enumerable: true, get: fetched });
      }
      return [table, watched];
    }),
  );
}

function logged(log: WatchedLog, cell: number, value: unknown): () => unknown {
  return () => {
    log.read(cell);
    return value;
  };
}
