/**
 * A machine whose columns can be seen being fetched: every `m.table.column` enters the column into a log. A column that a
 * procedure keeps in a variable across a yield would be missed; `WatchedLog.unseen` tells, and a test asks it.
 */
import { type Arena, type ArenaPlan, RowPool } from '@thplab/arena';
import type { Machine } from '@thplab/mm-model';
import type { Column } from '@thplab/sync';
import { GuardCheck, type GuardedColumn, guardedColumns } from './guard-check.js';
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
  'mm.fileThps',
  'mm.pageTables',
  'vma.lock',
  'anonVma.lock',
  'directory.lock',
  'pte.lock',
  'file.mapLock',
  'file.pagesLock',
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
 * Columns that lists keep in variables, by group: the free lists and the deferred-split queue of the nodes, and khugepaged's
 * list, cursors and hints. A step that uses one of these without fetching it fetches another column of a table of its group; null:
 * it need not fetch anything. A test asks whether this is true (`WatchedLog.unseen`).
 */
const KEPT: readonly { readonly columns: RegExp; readonly tables: RegExp | null }[] = [
  { columns: /^(node\..*|frame\.(mapping|index))$/, tables: /^(node|frame)\./ },
  {
    columns: /^(khugepaged\.(?!cursorPage)|mmSlot\.|hintRequest\.|hintLevel\.|hint\.(next|prev)$)/,
    tables: /^(khugepaged|mmSlot|mmSlotIndex|hint|hintRequest|hintLevel)\./,
  },
  // khugepaged's walk over the ranges of an address space has no other business with its own tables.
  { columns: /^khugepaged\.cursorPage$/, tables: null },
];

/** Guards that let whoever has mmap_lock read. */
const OF_VMAS: ReadonlySet<string> = new Set(['mmap_lock', 'vma_tree', 'vma', 'vma_range', 'vma_anon']);

/** Stands for the content book, which is no part of the arena: actors say themselves when they use it. */
const BOOK: LoggedColumn = { name: 'book', offset: 0, bytes: 0, kept: -1, group: -1, always: false };
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
  const { plan, buffer } = raw.arena;
  const columns = loggedColumns(plan, new Map(guardedColumns(plan).map((guard) => [guard.name, guard])));
  const log = new WatchedLog(buffer, columns);
  const guards = new GuardCheck(raw, log.shadowBuffer);
  log.guards = guards;
  const view = (guarded: GuardCheck | undefined, unguarded: Machine | undefined): Machine => {
    const tables = watchTables(raw.arena.tables as unknown as Views, columns, log, guarded);
    const arena = Object.create(raw.arena, { tables: { value: tables } }) as Arena;
    return { ...raw, ...tables, arena, unguarded } as Machine;
  };
  return { m: view(guards, view(undefined, undefined)), log };
}

/** All columns that count, then one cell for the bookkeeping of each pool. */
function loggedColumns(plan: ArenaPlan, guards: ReadonlyMap<string, GuardedColumn>): LoggedColumn[] {
  const columns = plan.tables.flatMap((table) =>
    table.columns.map(({ name, offset, bytes }) => column(`${table.name}.${name}`, offset, bytes, guards)),
  );
  const pools = plan.tables
    .filter((table) => table.pooled)
    .map((table) => column(`${table.name}.pool`, table.metaIndex * 4, POOL_BYTES, guards));
  return [BOOK, ...columns, ...pools].filter(({ name }) => !UNLOGGED.has(name));
}

function column(name: string, offset: number, bytes: number, guards: ReadonlyMap<string, GuardedColumn>): LoggedColumn {
  const guard = guards.get(name);
  const kept = KEPT.findIndex(({ columns }) => columns.test(name));
  const always = kept >= 0 && KEPT[kept]?.tables === null;
  const group = KEPT.findIndex(({ tables }) => tables?.test(name) === true);
  return { name, offset, bytes, kept, group, always, ...(guard === undefined ? {} : { guard }) };
}

type Views = Readonly<Record<string, object>>;

/** The same views, each column behind an accessor that logs it, and one that has a guard behind that. */
function watchTables(
  tables: Views,
  columns: readonly LoggedColumn[],
  log: WatchedLog,
  guards: GuardCheck | undefined,
): Views {
  const cells = new Map(columns.map(({ name }, cell) => [name, cell]));
  return Object.fromEntries(
    Object.entries(tables).map(([table, view]) => {
      const watched = {};
      for (const [column, value] of Object.entries(view)) {
        const cell = cells.get(`${table}.${column}`);
        const get =
          value instanceof RowPool
            ? watchPool(log, cell as number, value, cellsOf(columns, table))
            : cell === undefined
              ? () => value
              : columnGetter(log, cell, value as Column, guards);
        Object.defineProperty(watched, column, { enumerable: true, get });
      }
      return [table, watched];
    }),
  );
}

function columnGetter(log: WatchedLog, cell: number, value: Column, guards: GuardCheck | undefined): () => Column {
  const { guard, kept } = log.columns[cell] as LoggedColumn;
  if (guard === undefined) {
    return () => {
      log.read(cell);
      return value;
    };
  }
  if (guards === undefined) {
    return () => {
      log.read(cell);
      log.excuse(cell);
      return value;
    };
  }
  const guarded = guards.guarded(value, guard, log);
  if (guard.guardName === 'pte_lock' || guard.guardName === 'pmd_lock') {
    return () => {
      log.read(cell);
      return log.mayReadTables() ? value : guarded;
    };
  }
  if (OF_VMAS.has(guard.guardName)) {
    return () => {
      log.read(cell);
      return log.mayReadVmas() || (log.held === undefined && kept < 0) ? value : guarded;
    };
  }
  return () => {
    log.read(cell);
    // Set-up keeps some columns for the tasks that run later.
    return log.held === undefined && kept < 0 ? value : guarded;
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
        log.epoch++;
      },
    },
  }) as RowPool;
  return () => {
    log.read(cell);
    return watched;
  };
}
