/**
 * One SharedArrayBuffer and the typed views on it. Whoever has the buffer and the same declarations has the same machine:
 * a worker attaches by being passed the buffer, a snapshot is a copy of it.
 */
import { ArenaError, LayoutMismatchError } from './errors.js';
import {
  type ArenaPlan,
  type CellType,
  type ColumnDecl,
  type ColumnPlan,
  LAYOUT_VERSION,
  MAGIC,
  planArena,
  rowsInMemory,
  type Sizes,
  type TableDecl,
  type TableDecls,
  type TablePlan,
} from './layout.js';
import { RowPool, resetPoolLocks } from './row-pool.js';

/** Array type of a cell type. Bits are kept in 32-bit words. */
export interface CellArrays {
  u8: Uint8Array<SharedArrayBuffer>;
  u16: Uint16Array<SharedArrayBuffer>;
  u32: Uint32Array<SharedArrayBuffer>;
  i32: Int32Array<SharedArrayBuffer>;
  f64: Float64Array<SharedArrayBuffer>;
  bit: Uint32Array<SharedArrayBuffer>;
}

type AnyColumn = CellArrays[CellType];

/** The columns of a table as arrays, by the names of its declaration. */
export type TableView<D extends TableDecl> = {
  readonly [C in keyof D['columns']]: D['columns'][C] extends ColumnDecl ? CellArrays[D['columns'][C]['type']] : never;
} & {
  /** Number of rows that can be in use. */
  readonly capacity: number;
  /** Slots per row; 0 if the table has none. */
  readonly slots: number;
  /** Allocation of rows. A table that is not pooled has none: all its rows exist. */
  readonly pool: PoolOf<D['pooled']>;
};

type PoolOf<Pooled extends boolean> = Pooled extends true ? RowPool : undefined;

/** Views of a set of tables. */
export type Tables<T extends TableDecls> = { readonly [N in keyof T]: TableView<T[N]> };

const HEADER = { magic: 0, version: 1, hash: 2, bytesLow: 3, bytesHigh: 4 } as const;

/** A laid-out buffer with its views. `T` is the set of tables that the holder knows by type. */
export class Arena<T extends TableDecls = TableDecls> {
  readonly buffer: SharedArrayBuffer;
  readonly plan: ArenaPlan;
  readonly tables: Tables<T>;
  readonly #decls: T;

  private constructor(decls: T, plan: ArenaPlan, buffer: SharedArrayBuffer) {
    this.#decls = decls;
    this.plan = plan;
    this.buffer = buffer;
    this.tables = Object.fromEntries(plan.tables.map((table) => [table.name, viewTable(table, buffer)])) as Tables<T>;
  }

  /** A new, zeroed arena. Errors: sizes that do not fit, or more bytes than this machine gives. */
  static create<T extends TableDecls>(decls: T, sizes: Sizes): Arena<T> {
    const plan = planArena(decls, sizes);
    const buffer = allocate(plan.bytes);
    const header = new Int32Array(buffer, 0, 8);
    header[HEADER.magic] = MAGIC;
    header[HEADER.version] = LAYOUT_VERSION;
    header[HEADER.hash] = plan.hash;
    header[HEADER.bytesLow] = plan.bytes | 0;
    header[HEADER.bytesHigh] = Math.floor(plan.bytes / 2 ** 32);
    return new Arena(decls, plan, buffer);
  }

  /** Views on a buffer that another thread (or a file) made. Errors: LayoutMismatchError says what differs. */
  static attach<T extends TableDecls>(decls: T, sizes: Sizes, buffer: SharedArrayBuffer): Arena<T> {
    const plan = planArena(decls, sizes);
    checkHeader(plan, buffer);
    return new Arena(decls, plan, buffer);
  }

  /** What another thread needs to attach: structured-cloneable. */
  get handle(): ArenaHandle {
    return { buffer: this.buffer, sizes: this.plan.sizes };
  }

  /** A copy of the whole state. */
  snapshot(): ArrayBuffer {
    const copy = new ArrayBuffer(this.buffer.byteLength);
    new Uint8Array(copy).set(new Uint8Array(this.buffer));
    return copy;
  }

  /**
   * Puts a state from `snapshot` back; existing views show it. No other thread may use the arena meanwhile. Errors:
   * LayoutMismatchError if the snapshot is of another layout; nothing is changed then.
   */
  restore(snapshot: ArrayBuffer): void {
    checkHeader(this.plan, snapshot);
    new Uint8Array(this.buffer).set(new Uint8Array(snapshot));
    resetPoolLocks(this.plan, this.buffer);
  }

  /** The declarations the arena was made from. */
  get decls(): T {
    return this.#decls;
  }
}

/** A buffer on its way to another thread. */
export interface ArenaHandle {
  readonly buffer: SharedArrayBuffer;
  readonly sizes: Sizes;
}

function allocate(bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch (cause) {
    throw new ArenaError(`no memory for an arena of ${bytes} bytes: lower the limits or the modelled memory`, {
      cause,
    });
  }
}

function checkHeader(plan: ArenaPlan, buffer: SharedArrayBuffer | ArrayBuffer): void {
  if (buffer.byteLength < 32) throw new LayoutMismatchError('the buffer is too short to be an arena');
  const header = new Int32Array(buffer, 0, 8);
  if (header[HEADER.magic] !== MAGIC) throw new LayoutMismatchError('the buffer is not an arena: wrong magic');
  if (header[HEADER.version] !== LAYOUT_VERSION) {
    throw new LayoutMismatchError(`arena layout version ${header[HEADER.version]}; this code reads ${LAYOUT_VERSION}`);
  }
  if (header[HEADER.hash] !== plan.hash || buffer.byteLength !== plan.bytes) {
    throw new LayoutMismatchError('the arena was made from other tables or other sizes than this code declares');
  }
}

/** A column of a pooled table, and how many cells of it a row has. */
interface ColumnToClear {
  readonly array: AnyColumn;
  readonly stride: number;
}

/**
 * The views are made whole, from entries: an object to which more than a dozen computed names are added one by one becomes
 * a hash table in V8, and every `m.vma.start` a search in it.
 */
function viewTable(plan: TablePlan, buffer: SharedArrayBuffer): unknown {
  const rows = rowsInMemory(plan);
  const columns = plan.columns.map((column) => [column.name, viewColumn(column, rows, buffer)] as const);
  const toClear = columns.map(([, array], at): ColumnToClear => ({ array, stride: plan.columns[at].stride }));
  return Object.fromEntries<unknown>([
    ['capacity', plan.capacity],
    ['slots', plan.slots],
    ...columns,
    ['pool', plan.pooled ? new RowPool(plan, buffer, (row) => clearRow(toClear, row)) : undefined],
  ]);
}

function clearRow(columns: readonly ColumnToClear[], row: number): void {
  for (let i = 0; i < columns.length; i++) {
    const { array, stride } = columns[i];
    // Most columns have one cell per row, for which `fill` is a long way round.
    if (stride === 1) array[row] = 0;
    else array.fill(0, row * stride, (row + 1) * stride);
  }
}

function viewColumn(plan: ColumnPlan, rows: number, buffer: SharedArrayBuffer): AnyColumn {
  const length = rows * plan.stride;
  switch (plan.type) {
    case 'u8':
      return new Uint8Array(buffer, plan.offset, length);
    case 'u16':
      return new Uint16Array(buffer, plan.offset, length);
    case 'i32':
      return new Int32Array(buffer, plan.offset, length);
    case 'f64':
      return new Float64Array(buffer, plan.offset, length);
    case 'u32':
    case 'bit':
      return new Uint32Array(buffer, plan.offset, length);
  }
}
