/**
 * A machine whose columns can be seen being fetched: every `m.table.column` enters the column into a log. A column that a
 * procedure keeps in a variable across a yield would be missed; `WatchedLog.unseen` tells, and a test asks it.
 */
import { type Arena, type ArenaPlan, RowPool } from '@thplab/arena';
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
  'hintLevel.queued',
  'hintLevel.taken',
  'hintLevel.discarded',
]);

/**
 * Columns that lists and procedures keep in variables: the free lists of the allocator, khugepaged's list and its counts, its lists of hints,
 * the PMDs of a mapping that moves. Who reads them this way holds the lock that their writers hold, or is alone with them.
 */
const KEPT = /^((node|khugepaged|mmSlot|hintRequest|hintLevel|directory)\.|frame\.(mapping|index)$|hint\.(next|prev)$)/;

/** Stands for the content book, which is no part of the arena: actors say themselves when they use it. */
const BOOK: LoggedColumn = { name: 'book', offset: 0, bytes: 0 };
const POOL_BYTES = 16;
/** Its cell. */
export const BOOK_CELL = 0;

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
    table.columns.map(({ name, offset, bytes }) => column(`${table.name}.${name}`, offset, bytes)),
  );
  const pools = plan.tables
    .filter((table) => table.pooled)
    .map((table) => column(`${table.name}.pool`, table.metaIndex * 4, POOL_BYTES));
  return [BOOK, ...columns, ...pools].filter(({ name }) => !UNLOGGED.has(name));
}

function column(name: string, offset: number, bytes: number): LoggedColumn {
  return { name, offset, bytes, kept: KEPT.test(name) };
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
        const fetched =
          value instanceof RowPool
            ? watchPool(log, cell as number, value, cellsOf(columns, table))
            : cell === undefined
              ? () => value
              : logged(log, cell, value);
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

function cellsOf(columns: readonly LoggedColumn[], table: string): readonly number[] {
  return [...columns.keys()].filter((cell) => columns[cell]?.name.startsWith(`${table}.`));
}

/** Freeing a row clears it in all columns of the table. */
function watchPool(log: WatchedLog, cell: number, pool: RowPool, cells: readonly number[]): () => RowPool {
  const watched = Object.create(pool, {
    name: { value: pool.name },
    capacity: { value: pool.capacity },
    live: { get: () => pool.live },
    end: { get: () => pool.end },
    isLive: { value: (row: number) => pool.isLive(row) },
    rows: { value: () => pool.rows() },
    alloc: { value: () => pool.alloc() },
    free: {
      value: (row: number) => {
        for (const one of cells) log.read(one);
        pool.free(row);
      },
    },
  }) as RowPool;
  return () => {
    log.read(cell);
    return watched;
  };
}
