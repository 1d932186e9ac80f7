import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Arena } from './arena.js';
import { describeLayout } from './describe.js';

/** Starts a thread and gives its one message. */
function ask<T>(file: string, workerData: unknown): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const worker = new Worker(new URL(`./testing/${file}`, import.meta.url), { workerData });
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', (code) => reject(new Error(`the thread ended with code ${code} before it answered`)));
  return promise.finally(() => worker.terminate());
}

describe('another thread', () => {
  it('reads and writes the arena through nothing but the buffer and the layout as data', async () => {
    const arena = Arena.create(
      {
        rooms: {
          doc: '',
          rows: 'rooms',
          slots: 'beds',
          pooled: true,
          columns: {
            visits: { type: 'i32', doc: '' },
            area: { type: 'f64', doc: '' },
            taken: { type: 'bit', per: 'slot', doc: '' },
          },
        },
      } as const,
      { rooms: 2, beds: 40 },
    );
    const { rooms } = arena.tables;
    const room = rooms.pool.alloc();
    rooms.area[room] = 20.25;
    rooms.taken[room * 2 + 1] = 0x80;
    const seen = await ask('raw-reader.mjs', { buffer: arena.buffer, layout: describeLayout(arena.plan) });
    expect(seen).toEqual({
      'rooms.visits': [0, 0, 0],
      'rooms.area': [0, 20.25, 0],
      'rooms.taken': [0, 0, 0, 0x80, 0, 0],
    });
    expect([...rooms.visits]).toEqual([1, 1, 1]);
  });

  it('never gets a row that a third one holds, and the pool adds up afterwards', async () => {
    const decls = {
      rows: { doc: '', rows: 'rows', pooled: true, columns: { owner: { type: 'i32', doc: '' } } },
    } as const;
    const arena = Arena.create(decls, { rows: 64 });
    const ready = new SharedArrayBuffer(4);
    const threads = 2;
    const work = { decls, handle: arena.handle, rounds: 20_000, held: 30, ready, threads };
    const answers = await Promise.all(
      Array.from({ length: threads }, (_, i) =>
        ask<{ mine: number[]; clashes: number }>('pool-hammer.mjs', { ...work, me: i + 1 }),
      ),
    );
    const { pool, owner } = arena.tables.rows;
    expect(answers.map(({ clashes }) => clashes)).toEqual([0, 0]);
    expect(pool.defect()).toBeUndefined();
    const held = answers.flatMap(({ mine }) => mine).sort((a, b) => a - b);
    expect([...pool.rows()]).toEqual(held);
    answers.forEach(({ mine }, i) => {
      expect(mine.every((row) => owner[row] === i + 1)).toBe(true);
    });
  });
});
