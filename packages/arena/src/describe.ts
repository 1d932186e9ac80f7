/** The layout for readers outside: as data for viewers and other languages, and as tables for people. */
import { type ArenaPlan, type CellType, rowsInMemory, type Sizes, type TablePlan } from './layout.js';

/** A layout as plain data; `JSON.stringify` loses nothing of it. All numbers are bytes unless said otherwise. */
export interface LayoutDescription {
  readonly format: 'thplab/arena-layout@1';
  readonly layoutVersion: number;
  readonly layoutHash: number;
  readonly sizes: Sizes;
  readonly bytes: number;
  readonly tables: readonly TableDescription[];
}

/** A table of a described layout. */
export interface TableDescription {
  readonly name: string;
  readonly doc: string;
  /** Rows in memory. Row 0 of a pooled table is never in use. */
  readonly rows: number;
  /** Name of the size that limits the rows. */
  readonly limit: string;
  readonly pooled: boolean;
  /** Slots per row, 0: none. */
  readonly slots: number;
  readonly bytesPerRow: number;
  readonly bytes: number;
  readonly columns: readonly ColumnDescription[];
}

/** A column of a described layout. */
export interface ColumnDescription {
  readonly name: string;
  readonly type: CellType;
  readonly per: 'row' | 'slot';
  /** First byte in the buffer. */
  readonly offset: number;
  /** Elements per row; of bits: 32-bit words. */
  readonly stride: number;
  readonly bytes: number;
  /** Lock that protects the column, or null. */
  readonly guard: string | null;
  readonly doc: string;
}

/** The layout as data. */
export function describeLayout(plan: ArenaPlan): LayoutDescription {
  return {
    format: 'thplab/arena-layout@1',
    layoutVersion: plan.version,
    layoutHash: plan.hash,
    sizes: plan.sizes,
    bytes: plan.bytes,
    tables: plan.tables.map(describeTable),
  };
}

function describeTable(table: TablePlan): TableDescription {
  const { name, doc, limit, pooled, slots } = table;
  const rows = rowsInMemory(table);
  const columns = table.columns.map((column) => ({ ...column, guard: column.guard ?? null }));
  const bytes = columns.reduce((sum, column) => sum + column.bytes, pooled ? rows * 4 : 0);
  return { name, doc, rows, limit, pooled, slots, bytesPerRow: bytes / rows, bytes, columns };
}

/** The layout as Markdown: an overview of the tables, then the columns of each. */
export function layoutMarkdown(plan: ArenaPlan): string {
  const { bytes, tables } = describeLayout(plan);
  const overview = tables.map((t) => [
    `\`${t.name}\``,
    t.rows,
    t.pooled ? 'yes' : 'no',
    t.slots === 0 ? '' : t.slots,
    t.bytesPerRow,
    t.bytes,
    t.doc,
  ]);
  const lines = [
    `${bytes} bytes in ${tables.length} tables.`,
    '',
    ...markdownTable(['table', 'rows', 'pooled', 'slots', 'bytes per row', 'bytes', 'what'], overview),
  ];
  for (const { name, columns } of tables) {
    const rows = columns.map((c) => [
      `\`${c.name}\``,
      c.type,
      c.per,
      c.offset,
      c.stride,
      c.bytes,
      c.guard ?? '',
      c.doc,
    ]);
    const head = ['column', 'type', 'per', 'offset', 'stride', 'bytes', 'guard', 'what'];
    lines.push('', `### ${name}`, '', ...markdownTable(head, rows));
  }
  return `${lines.join('\n')}\n`;
}

function markdownTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)];
}
