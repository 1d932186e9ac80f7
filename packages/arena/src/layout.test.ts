import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena } from './arena.js';
import { ArenaError } from './errors.js';
import { type CellType, planArena, rowsInMemory, type TableDecl, type TableDecls } from './layout.js';

const types = ['u8', 'u16', 'u32', 'i32', 'f64', 'bit'] as const satisfies readonly CellType[];

/** Any table declaration that is allowed, with sizes from `rows1` to `rows3` and `slots`. */
const tableDecl: fc.Arbitrary<TableDecl> = fc
  .record({
    rows: fc.constantFrom('rows1', 'rows2', 'rows3'),
    hasSlots: fc.boolean(),
    pooled: fc.boolean(),
    columns: fc.dictionary(
      fc.stringMatching(/^c[a-z]{0,2}$/),
      fc.record({ type: fc.constantFrom(...types), slot: fc.boolean(), cells: fc.integer({ min: 1, max: 5 }) }),
      { maxKeys: 6 },
    ),
  })
  .map(({ rows, hasSlots, pooled, columns }) => ({
    doc: '',
    rows,
    pooled,
    ...(hasSlots ? { slots: 'slots' } : {}),
    columns: Object.fromEntries(
      Object.entries(columns).map(([name, { type, slot, cells }]) => [
        name,
        { type, per: slot && hasSlots ? 'slot' : 'row', cells: type === 'bit' ? 1 : cells, doc: '' } as const,
      ]),
    ),
  }));

const layout = fc.record({
  decls: fc.dictionary(fc.stringMatching(/^t[a-z]{0,2}$/), tableDecl, { maxKeys: 4 }),
  sizes: fc.record({
    rows1: fc.integer({ min: 1, max: 3 }),
    rows2: fc.integer({ min: 1, max: 40 }),
    rows3: fc.integer({ min: 1, max: 300 }),
    slots: fc.constantFrom(1, 8, 31, 32, 33, 512),
  }),
});

/** Every place in the buffer that belongs to something: first and past-the-last byte. */
function places(decls: TableDecls, sizes: Record<string, number>): [number, number][] {
  const plan = planArena(decls, sizes);
  const all: [number, number][] = [[0, (16 + plan.tables.length * 16) * 4]];
  for (const table of plan.tables) {
    if (table.pooled) all.push([table.freeLinks, table.freeLinks + rowsInMemory(table) * 4]);
    for (const column of table.columns) all.push([column.offset, column.offset + column.bytes]);
  }
  return all.sort(([a], [b]) => a - b);
}

describe('a layout', () => {
  it('gives every column a place of its own, on a cache line, inside the buffer', () => {
    fc.assert(
      fc.property(layout, ({ decls, sizes }) => {
        let end = 0;
        for (const [from, to] of places(decls, sizes)) {
          expect(from % 64).toBe(0);
          expect(from).toBeGreaterThanOrEqual(end);
          end = to;
        }
        expect(planArena(decls, sizes).bytes).toBeGreaterThanOrEqual(end);
        expect(planArena(decls, sizes).bytes).toBeLessThan(end + 64);
      }),
      { numRuns: 300 },
    );
  });

  it('has room for every cell of every row: what is written to one column shows in no other', () => {
    fc.assert(
      fc.property(layout, ({ decls, sizes }) => {
        const { tables, plan } = Arena.create(decls, sizes);
        const columns = plan.tables.flatMap((table) =>
          table.columns.map((column) => {
            const view = tables[table.name] as unknown as Record<string, Uint32Array>;
            const cells =
              (column.per === 'slot' ? table.slots : 1) * (decls[table.name]?.columns[column.name]?.cells ?? 1);
            const perRow = column.type === 'bit' ? Math.ceil(cells / 32) : cells;
            return { array: view[column.name] as Uint32Array, length: rowsInMemory(table) * perRow };
          }),
        );
        columns.forEach(({ array, length }, i) => {
          expect(array.length).toBe(length);
          array.fill(i + 1);
        });
        columns.forEach(({ array }, i) => {
          expect(array.every((cell) => cell === i + 1)).toBe(true);
        });
      }),
      { numRuns: 60 },
    );
  });

  const table = (more: Partial<TableDecl>): TableDecls => ({
    t: { doc: '', rows: 'n', pooled: true, columns: {}, ...more },
  });

  it('has the same hash for the same bytes, whatever the documentation says', () => {
    const hash = (decls: TableDecls, n = 4) => planArena(decls, { n }).hash;
    const one = table({ columns: { a: { type: 'u32', doc: 'one' } } });
    expect(hash(table({ doc: 'new', columns: { a: { type: 'u32', doc: 'other', guard: 'lock' } } }))).toBe(hash(one));
    expect(hash(one, 5)).not.toBe(hash(one));
    expect(hash(table({ columns: { b: { type: 'u32', doc: '' } } }))).not.toBe(hash(one));
    expect(hash(table({ columns: { a: { type: 'i32', doc: '' } } }))).not.toBe(hash(one));
  });

  it('refuses what it cannot lay out, and says where', () => {
    const column = (decl: object) => table({ columns: { c: { type: 'u8', doc: '', ...decl } } });
    const cases: [TableDecls, Record<string, number>, string][] = [
      [table({}), {}, "table 't' needs the size 'n': a whole number from 1 to 2^32 - 2, not undefined"],
      [table({}), { n: 0 }, 'not 0'],
      [table({}), { n: 1.5 }, 'not 1.5'],
      [table({}), { n: 2 ** 32 - 1 }, 'not 4294967295'],
      [table({ rows: 'toString' }), {}, "needs the size 'toString'"],
      [column({ per: 'slot' }), { n: 1 }, "column 't.c' is per slot, but its table has no slots"],
      [column({ cells: 0 }), { n: 1 }, "column 't.c' has 0 cells"],
      [column({ type: 'bit', cells: 2 }), { n: 1 }, "column 't.c' has 2 cells"],
      [column({ type: 'u64' }), { n: 1 }, "column 't.c' has the unknown type 'u64'"],
      [column({ type: 'bit' }), { n: 2 ** 27 }, "column 't.c' has more than 2^32 bits"],
      [table({ columns: { pool: { type: 'u8', doc: '' } } }), { n: 1 }, "the name 'pool' is taken"],
      [column({ type: 'f64', cells: 2 ** 40 }), { n: 2 ** 31 }, 'lower the limits'],
    ];
    for (const [decls, sizes, message] of cases) {
      expect(() => planArena(decls, sizes)).toThrow(ArenaError);
      expect(() => planArena(decls, sizes)).toThrow(message);
    }
  });
});
