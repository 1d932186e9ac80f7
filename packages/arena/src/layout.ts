/**
 * From declarations to byte offsets.
 *
 * A table is declared as data: columns, each one value per row or one per slot of a row (a page table is a row with 512
 * slots). A plan adds the sizes and gives every column its place in one buffer. The plan is plain data too: workers,
 * tests, documentation and viewers all read the same one.
 */
import { ArenaError } from './errors.js';

/** Element type of a column; `bit` is one bit per cell, kept in 32-bit words. */
export type CellType = 'u8' | 'u16' | 'u32' | 'i32' | 'f64' | 'bit';

/** One column of a table. */
export interface ColumnDecl {
  readonly type: CellType;
  /** One cell per row (the default) or one per slot of every row. */
  readonly per?: 'row' | 'slot';
  /** Cells per row (or per slot), default 1. Not for `bit`. */
  readonly cells?: number;
  /** Name of the lock that protects the column, for checkers; unset: none is needed. */
  readonly guard?: string;
  /** What the cells mean and in which unit. */
  readonly doc: string;
}

/** A table: rows that all have the same columns. */
export interface TableDecl {
  readonly doc: string;
  /** Name of the size that gives the number of rows. */
  readonly rows: string;
  /** Name of the size that gives the slots per row; unset: the rows have no slots. */
  readonly slots?: string;
  /** True: rows are allocated and freed, and row 0 is never handed out, so that 0 can mean "none". */
  readonly pooled: boolean;
  readonly columns: Readonly<Record<string, ColumnDecl>>;
}

/** A set of tables by name. */
export type TableDecls = Readonly<Record<string, TableDecl>>;

/** The numbers that a layout leaves open: rows of each table, slots per row. */
export type Sizes = Readonly<Record<string, number>>;

/** Place of one column in the buffer. */
export interface ColumnPlan {
  readonly name: string;
  readonly type: CellType;
  readonly per: 'row' | 'slot';
  /** Byte offset of the first cell; a multiple of 64. */
  readonly offset: number;
  /** Array elements per row: cells, or 32-bit words for `bit`. */
  readonly stride: number;
  /** Bytes of the whole column. */
  readonly bytes: number;
  readonly guard: string | undefined;
  readonly doc: string;
}

/** Place of one table in the buffer. */
export interface TablePlan {
  readonly name: string;
  readonly doc: string;
  readonly limit: string;
  readonly pooled: boolean;
  /** Rows that can be in use at once. A pooled table has one more in memory: row 0, the "none" row. */
  readonly capacity: number;
  readonly slots: number;
  /** Index of the table's bookkeeping words in the header. */
  readonly metaIndex: number;
  /** Byte offset of the free-list links of a pooled table; -1 otherwise. */
  readonly freeLinks: number;
  readonly columns: readonly ColumnPlan[];
}

/** The whole buffer. */
export interface ArenaPlan {
  readonly version: number;
  readonly bytes: number;
  readonly hash: number;
  readonly sizes: Sizes;
  readonly tables: readonly TablePlan[];
}

/** Version of the header and of the rules in this file; a change makes old files unreadable on purpose. */
export const LAYOUT_VERSION = 1;
/** 'THPA', little endian. */
export const MAGIC = 0x41504854;
/** 32-bit words at the start of the buffer before the tables' bookkeeping words. */
export const HEADER_WORDS = 16;
/** Bookkeeping words of a table in the header: one cache line each. */
export const META_WORDS = 16;

const ALIGN = 64;
/** Bytes of one array element of a column: a cell, or a word of bits. */
export const ELEMENT_BYTES = { u8: 1, u16: 2, u32: 4, i32: 4, f64: 8, bit: 4 } as const;
/** Names that a table's view has beside its columns. */
const TAKEN = ['capacity', 'slots', 'pool'];
/** Bits are addressed by a 32-bit number. */
const BITS_MAX = 2 ** 32;

/** Lays out the tables. Errors: an unknown or unusable size, named. */
export function planArena(tables: TableDecls, sizes: Sizes): ArenaPlan {
  const names = Object.keys(tables);
  let cursor = headerBytes({ tables: names });
  const place = (bytes: number): number => {
    const at = cursor;
    cursor = align(cursor + bytes);
    return at;
  };
  const plans = names.map((name, index) => planTable(name, tables[name] as TableDecl, sizes, index, place));
  if (!Number.isSafeInteger(cursor)) throw new ArenaError(`the tables take ${cursor} bytes: lower the limits`);
  return { version: LAYOUT_VERSION, bytes: cursor, hash: layoutHash(plans), sizes, tables: plans };
}

/** Bytes before the first table: the header and the tables' bookkeeping. */
export function headerBytes(plan: { readonly tables: readonly unknown[] }): number {
  return align((HEADER_WORDS + plan.tables.length * META_WORDS) * 4);
}

/** Rows in memory: a pooled table has the "none" row beside its capacity. */
export function rowsInMemory(table: TablePlan): number {
  return table.pooled ? table.capacity + 1 : table.capacity;
}

/** Tells layouts apart by what they mean for the bytes: names, places, types. Not the documentation. */
function layoutHash(tables: readonly TablePlan[]): number {
  const shape = tables.map(({ name, pooled, capacity, slots, freeLinks, columns }) => [
    [name, pooled, capacity, slots, freeLinks],
    columns.map(({ name: column, type, per, offset, stride }) => [column, type, per, offset, stride]),
  ]);
  return fnv1a(JSON.stringify(shape));
}

function planTable(
  name: string,
  decl: TableDecl,
  sizes: Sizes,
  index: number,
  place: (bytes: number) => number,
): TablePlan {
  const capacity = sizeOf(sizes, decl.rows, name);
  const slots = decl.slots === undefined ? 0 : sizeOf(sizes, decl.slots, name);
  const rows = decl.pooled ? capacity + 1 : capacity;
  const freeLinks = decl.pooled ? place(rows * 4) : -1;
  const columns = Object.entries(decl.columns).map(([column, c]) =>
    planColumn(`${name}.${column}`, column, c, rows, slots, place),
  );
  return {
    name,
    doc: decl.doc,
    limit: decl.rows,
    pooled: decl.pooled,
    capacity,
    slots,
    metaIndex: HEADER_WORDS + index * META_WORDS,
    freeLinks,
    columns,
  };
}

function planColumn(
  path: string,
  name: string,
  decl: ColumnDecl,
  rows: number,
  slots: number,
  place: (bytes: number) => number,
): ColumnPlan {
  const { type, per = 'row', cells = 1, guard, doc } = decl;
  if (TAKEN.includes(name)) throw new ArenaError(`column '${path}': the name '${name}' is taken by the table's view`);
  if (!Object.hasOwn(ELEMENT_BYTES, type)) throw new ArenaError(`column '${path}' has the unknown type '${type}'`);
  if (per === 'slot' && slots === 0) throw new ArenaError(`column '${path}' is per slot, but its table has no slots`);
  if (!Number.isSafeInteger(cells) || cells < 1 || (type === 'bit' && cells !== 1)) {
    throw new ArenaError(`column '${path}' has ${cells} cells: a whole number from 1, and 1 for bits, is possible`);
  }
  const count = (per === 'slot' ? slots : 1) * cells;
  const stride = type === 'bit' ? Math.ceil(count / 32) : count;
  if (type === 'bit' && rows * stride * 32 > BITS_MAX) {
    throw new ArenaError(`column '${path}' has more than 2^32 bits: lower the number of rows`);
  }
  const bytes = rows * stride * ELEMENT_BYTES[type];
  return { name, type, per, offset: place(bytes), stride, bytes, guard, doc };
}

function sizeOf(sizes: Sizes, key: string, table: string): number {
  const value = Object.hasOwn(sizes, key) ? sizes[key] : undefined;
  if (value === undefined || !Number.isSafeInteger(value) || value < 1 || value > 0xffff_fffe) {
    throw new ArenaError(`table '${table}' needs the size '${key}': a whole number from 1 to 2^32 - 2, not ${value}`);
  }
  return value;
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGN) * ALIGN;
}

/** FNV-1a over the UTF-16 code units: tells one layout from another, not meant against malice. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
