import { describe, expect, expectTypeOf, it } from 'vitest';
import { Arena } from './arena.js';
import { ArenaError, LayoutMismatchError } from './errors.js';
import type { RowPool } from './row-pool.js';

const TABLES = {
  boxes: {
    doc: 'boxes',
    rows: 'boxes',
    slots: 'slots',
    pooled: true,
    columns: {
      weight: { type: 'f64', doc: 'kg' },
      full: { type: 'bit', per: 'slot', doc: 'slot is taken' },
      owner: { type: 'u16', per: 'slot', doc: 'who put it there' },
    },
  },
  days: { doc: 'days', rows: 'days', pooled: false, columns: { count: { type: 'i32', cells: 2, doc: '' } } },
} as const;
const SIZES = { boxes: 10, slots: 40, days: 7 };

describe('an arena', () => {
  it('starts with zeros everywhere and no row in use', () => {
    const { tables } = Arena.create(TABLES, SIZES);
    for (const array of [tables.boxes.weight, tables.boxes.full, tables.boxes.owner, tables.days.count]) {
      expect(array.every((cell) => cell === 0)).toBe(true);
    }
    expect([tables.boxes.pool.live, tables.boxes.pool.end]).toEqual([0, 1]);
    expect([tables.boxes.capacity, tables.boxes.slots, tables.days.capacity, tables.days.slots]).toEqual([
      10, 40, 7, 0,
    ]);
  });

  it('has a pool only for pooled tables, in types and at run time', () => {
    const { tables } = Arena.create(TABLES, SIZES);
    expectTypeOf(tables.boxes.pool).toEqualTypeOf<RowPool>();
    expectTypeOf(tables.days.pool).toEqualTypeOf<undefined>();
    expect(tables.days.pool).toBeUndefined();
  });

  it('shows the same state to all who attach to the buffer', () => {
    const first = Arena.create(TABLES, SIZES);
    const { buffer, sizes } = first.handle;
    const second = Arena.attach(TABLES, sizes, buffer);
    const row = first.tables.boxes.pool.alloc();
    first.tables.boxes.weight[row] = 2.5;
    expect(second.tables.boxes.weight[row]).toBe(2.5);
    expect(second.tables.boxes.pool.alloc()).toBe(row + 1);
    expect(first.tables.boxes.pool.live).toBe(2);
  });

  it('goes back to a snapshot, pools included, and the snapshot stays as it was', () => {
    const arena = Arena.create(TABLES, SIZES);
    const { boxes, days } = arena.tables;
    const [a, b] = [boxes.pool.alloc(), boxes.pool.alloc()];
    boxes.weight[a] = 1;
    boxes.pool.free(b);
    const snapshot = arena.snapshot();
    for (let round = 0; round < 2; round++) {
      boxes.weight[a] = 7;
      days.count.fill(9);
      boxes.pool.free(a);
      expect([boxes.pool.alloc(), boxes.pool.alloc(), boxes.pool.alloc()]).toEqual([a, b, 3]);
      arena.restore(snapshot);
      expect([boxes.weight[a], days.count[13], boxes.pool.live, boxes.pool.end]).toEqual([1, 0, 1, 3]);
      expect([boxes.pool.isLive(a), boxes.pool.isLive(b), boxes.pool.defect()]).toEqual([true, false, undefined]);
    }
    expect(new Uint8Array(arena.snapshot())).toEqual(new Uint8Array(snapshot));
  });

  it('opens a pool that was closed by another thread when the snapshot was taken', () => {
    const arena = Arena.create(TABLES, SIZES);
    const lock = (arena.plan.tables[0]?.metaIndex ?? 0) + 3;
    new Int32Array(arena.buffer)[lock] = 1;
    const snapshot = arena.snapshot();
    arena.restore(snapshot);
    expect(arena.tables.boxes.pool.alloc()).toBe(1);
  });

  it('refuses a buffer of something else, and changes nothing', () => {
    const arena = Arena.create(TABLES, SIZES);
    arena.tables.days.count[0] = 4;
    const altered = (index: number, value: number) => {
      const copy = arena.snapshot();
      new Int32Array(copy)[index] = value;
      return copy;
    };
    const cases: [ArrayBuffer, string][] = [
      [new ArrayBuffer(8), 'the buffer is too short to be an arena'],
      [new ArrayBuffer(4096), 'the buffer is not an arena: wrong magic'],
      [altered(1, 99), 'arena layout version 99; this code reads 1'],
      [altered(2, 0), 'made from other tables or other sizes'],
      [arena.snapshot().slice(0, -64), 'made from other tables or other sizes'],
      [Arena.create(TABLES, { ...SIZES, days: 8 }).snapshot(), 'made from other tables or other sizes'],
      [Arena.create({ days: TABLES.days }, SIZES).snapshot(), 'made from other tables or other sizes'],
    ];
    for (const [snapshot, message] of cases) {
      expect(() => arena.restore(snapshot)).toThrow(LayoutMismatchError);
      expect(() => arena.restore(snapshot)).toThrow(message);
    }
    expect(() => Arena.attach(TABLES, { ...SIZES, slots: 41 }, arena.buffer)).toThrow(LayoutMismatchError);
    expect(arena.tables.days.count[0]).toBe(4);
  });

  it('that this machine cannot give says so with its size', () => {
    const vast = {
      t: { doc: '', rows: 'n', pooled: false, columns: { c: { type: 'u32', cells: 100_000, doc: '' } } },
    } as const;
    const create = () => Arena.create(vast, { n: 2 ** 32 - 2 });
    expect(create).toThrow(ArenaError);
    expect(create).toThrow(/no memory for an arena of \d+ bytes: lower the limits or the modelled memory/);
  });
});
