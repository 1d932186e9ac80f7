import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Arena } from './arena.js';
import { ArenaError, TableFullError } from './errors.js';

const TABLES = {
  cats: { doc: '', rows: 'maxCats', pooled: true, columns: { age: { type: 'u8', cells: 3, doc: '' } } },
} as const;

const cats = (maxCats: number) => Arena.create(TABLES, { maxCats }).tables.cats;
const lockWord = 16 + 3;

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a pool of rows', () => {
  it('hands out each row once until it is freed, cleared, as a set would say', () => {
    const step = fc.oneof(fc.constant('alloc' as const), fc.nat({ max: 99 }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 80 }), (capacity, steps) => {
        const { age, pool } = cats(capacity);
        const live = new Set<number>();
        const freed: number[] = [];
        for (const action of steps) {
          if (action === 'alloc' && live.size === capacity) {
            expect(() => pool.alloc()).toThrow(TableFullError);
          } else if (action === 'alloc') {
            const row = pool.alloc();
            expect(row).toBe(freed.pop() ?? live.size + 1);
            expect(live.has(row)).toBe(false);
            expect([...age.subarray(row * 3, row * 3 + 3)]).toEqual([0, 0, 0]);
            age.fill(255, row * 3, row * 3 + 3);
            live.add(row);
          } else if (live.size > 0) {
            const row = [...live][action % live.size] as number;
            pool.free(row);
            live.delete(row);
            freed.push(row);
          }
          expect(pool.live).toBe(live.size);
          expect(pool.end).toBe(live.size + freed.length + 1);
          expect([...pool.rows()]).toEqual([...live].sort((a, b) => a - b));
          expect(pool.defect()).toBeUndefined();
        }
      }),
      { numRuns: 200 },
    );
  });

  it('hands out the row that was freed last, first', () => {
    const { pool } = cats(5);
    for (let i = 0; i < 5; i++) pool.alloc();
    for (const row of [2, 4, 3]) pool.free(row);
    expect([pool.alloc(), pool.alloc(), pool.alloc()]).toEqual([3, 4, 2]);
  });

  it('that is full names the table and the limit to raise, and works on after a free', () => {
    const { pool } = cats(2);
    pool.alloc();
    pool.alloc();
    expect(() => pool.alloc()).toThrow("table 'cats' is full: all 2 rows are in use; raise the limit 'maxCats'");
    expect(() => pool.alloc()).toThrow(expect.objectContaining({ table: 'cats', limit: 'maxCats', capacity: 2 }));
    pool.free(1);
    expect(pool.alloc()).toBe(1);
  });

  it('refuses to free a row that is not handed out, and leaves other rows alone', () => {
    const { age, pool } = cats(9);
    for (let i = 0; i < 3; i++) pool.alloc();
    age.fill(7);
    pool.free(2);
    expect(() => pool.free(2)).toThrow("row 2 of table 'cats' is free already");
    for (const row of [0, 4, -1, 1.5, Number.NaN]) expect(() => pool.free(row)).toThrow(ArenaError);
    expect(() => pool.free(4)).toThrow("row 4 of table 'cats' was never handed out");
    expect([...age.subarray(0, 12)]).toEqual([7, 7, 7, 7, 7, 7, 0, 0, 0, 7, 7, 7]);
    expect([pool.live, pool.defect()]).toEqual([2, undefined]);
  });

  it('says what is wrong with bookkeeping that does not add up', () => {
    const spoilt = (spoil: (meta: Int32Array, links: Uint32Array) => void) => {
      const { tables, buffer, plan } = Arena.create(TABLES, { maxCats: 6 });
      const { pool } = tables.cats;
      for (let i = 0; i < 5; i++) pool.alloc();
      for (const row of [2, 4, 5]) pool.free(row);
      spoil(new Int32Array(buffer, 64), new Uint32Array(buffer, plan.tables[0]?.freeLinks, 7));
      return pool.defect();
    };
    expect(spoilt(() => {})).toBeUndefined();
    expect(spoilt((meta) => meta.set([9], 0))).toBe("table 'cats': 9 rows used of 6");
    expect(spoilt((meta) => meta.set([-1], 0))).toBe("table 'cats': 4294967295 rows used of 6");
    expect(spoilt((meta) => meta.set([3], 2))).toBe("table 'cats': 3 rows live, counted 2");
    expect(spoilt((meta) => meta.set([0], 1))).toBe("table 'cats': the free list breaks off after 0 of 3 rows");
    expect(spoilt((meta) => meta.set([1], 1))).toBe("table 'cats': the free list breaks off after 1 of 3 rows");
    expect(spoilt((_, links) => links.set([77], 4))).toBe("table 'cats': the free list breaks off after 2 of 3 rows");
    expect(spoilt((_, links) => links.set([5], 2))).toBe("table 'cats': the free list goes on after its last row");
  });

  it('waits for a thread that holds the allocation word, and takes it over when it is given', () => {
    const { tables, buffer } = Arena.create(TABLES, { maxCats: 3 });
    const words = new Int32Array(buffer);
    words[lockWord] = 1;
    vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      expect(words[lockWord]).toBe(2);
      words[lockWord] = 0;
      return 'ok';
    });
    const notify = vi.spyOn(Atomics, 'notify');
    expect(tables.cats.pool.alloc()).toBe(1);
    expect(notify).toHaveBeenCalledTimes(1);
    expect(words[lockWord]).toBe(0);
    tables.cats.pool.alloc();
    expect(notify).toHaveBeenCalledTimes(1);
  });

  it('gives up with an error when the word is never given back, also on a thread that may not wait', () => {
    const { tables, buffer } = Arena.create(TABLES, { maxCats: 3 });
    new Int32Array(buffer)[lockWord] = 1;
    const wait = vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      throw new TypeError('Atomics.wait cannot be called in this context');
    });
    expect(() => tables.cats.pool.alloc()).toThrow("table 'cats': its allocation word was not released");
    expect(wait).toHaveBeenCalledTimes(1);
  });
});
