import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena } from './arena.js';
import { ArenaError, ArenaFileError, LayoutMismatchError } from './errors.js';
import { deserialiseArena, serialiseArena } from './file.js';
import { type ArenaFileHeader, filePrefix, readArenaFileHeader } from './file-header.js';

const TABLES = {
  pooled: {
    doc: '',
    rows: 'rows',
    slots: 'slots',
    pooled: true,
    columns: {
      small: { type: 'u8', doc: '' },
      big: { type: 'f64', doc: '' },
      plane: { type: 'bit', per: 'slot', doc: '' },
      wide: { type: 'u16', per: 'slot', doc: '' },
    },
  },
  fixed: { doc: '', rows: 'cells', pooled: false, columns: { byte: { type: 'u8', doc: '' } } },
} as const;
const SIZES = { rows: 50, slots: 70, cells: 1001 };

/** An arena with some state; the rows of the pool in use are fewer than were ever handed out. */
function filled() {
  const arena = Arena.create(TABLES, SIZES);
  const { pooled, fixed } = arena.tables;
  for (let i = 0; i < 20; i++) {
    const row = pooled.pool.alloc();
    pooled.big[row] = i / 3;
    pooled.wide[row * 70 + i] = i;
    pooled.plane[row * 3] = 0x8000_0001;
  }
  for (const row of [3, 20, 19]) pooled.pool.free(row);
  fixed.byte[0] = 1;
  fixed.byte[602] = 255;
  return arena;
}

const state = (arena: { snapshot(): ArrayBuffer }) => new Uint8Array(arena.snapshot());

/** Takes a file apart and puts it together again with another header or state. */
function forged(
  file: Uint8Array,
  change: { header?: (header: ArenaFileHeader) => object; state?: (state: Buffer) => Uint8Array },
) {
  const header = readArenaFileHeader(file);
  const inflated = gunzipSync(file.subarray(filePrefix(header).length));
  const newHeader = (change.header?.(header) ?? header) as ArenaFileHeader;
  return Buffer.concat([filePrefix(newHeader), gzipSync(change.state?.(inflated) ?? inflated)]);
}

describe('an arena file', () => {
  it('gives back the same state, pools included', async () => {
    const arena = filled();
    const back = await deserialiseArena(TABLES, await serialiseArena(arena));
    expect(state(back)).toEqual(state(arena));
    const { pool } = back.tables.pooled;
    expect([pool.live, pool.end, pool.alloc(), pool.alloc(), pool.alloc(), pool.alloc()]).toEqual([
      17, 21, 19, 20, 3, 21,
    ]);
  });

  it('gives back any state', async () => {
    const writes = fc.array(fc.tuple(fc.nat({ max: 1000 }), fc.nat({ max: 255 })), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(writes, fc.nat({ max: 50 }), async (cells, rows) => {
        const arena = Arena.create(TABLES, SIZES);
        for (let i = 0; i < rows; i++) arena.tables.pooled.small[arena.tables.pooled.pool.alloc()] = i;
        for (const [at, value] of cells) arena.tables.fixed.byte[at] = value;
        const back = await deserialiseArena(TABLES, await serialiseArena(arena));
        expect(state(back)).toEqual(state(arena));
      }),
      { numRuns: 40 },
    );
  });

  it('holds only what is in use', async () => {
    const sizes = { rows: 200_000, slots: 512, cells: 5_000_000 };
    const arena = Arena.create(TABLES, sizes);
    const row = arena.tables.pooled.pool.alloc();
    arena.tables.pooled.big[row] = 1;
    arena.tables.fixed.byte[10] = 1;
    const file = await serialiseArena(arena);
    expect(arena.buffer.byteLength).toBeGreaterThan(200_000_000);
    expect(file.length).toBeLessThan(1_000);
    expect(readArenaFileHeader(file)).toMatchObject({ sizes, bytes: arena.buffer.byteLength });
    const stored = readArenaFileHeader(file).extents.reduce((sum, [, bytes]) => sum + bytes, 0);
    expect(stored).toBeLessThan(300);
  });

  it('stores a column up to its last byte that is not zero', async () => {
    const arena = filled();
    const { offset } = arena.plan.tables[1]?.columns[0] ?? { offset: -1 };
    expect(readArenaFileHeader(await serialiseArena(arena)).extents).toContainEqual([offset, 603]);
  });

  it('opens a pool that was closed when the file was written', async () => {
    const arena = filled();
    new Int32Array(arena.buffer)[(arena.plan.tables[0]?.metaIndex ?? 0) + 3] = 1;
    const back = await deserialiseArena(TABLES, await serialiseArena(arena));
    expect(back.tables.pooled.pool.alloc()).toBe(19);
  });

  it('is the same for the same state', async () => {
    expect(await serialiseArena(filled())).toEqual(await serialiseArena(filled()));
  });

  it('of more data than one chunk comes back', async () => {
    const arena = Arena.create(TABLES, { ...SIZES, cells: 1_000_000 });
    arena.tables.fixed.byte.forEach((_, i, cells) => {
      cells[i] = (i * 2_654_435_761) >>> 13;
    });
    const back = await deserialiseArena(TABLES, await serialiseArena(arena));
    expect(Buffer.compare(Buffer.from(back.snapshot()), Buffer.from(arena.snapshot()))).toBe(0);
  });

  it('that was cut off anywhere is refused', async () => {
    const file = await serialiseArena(filled());
    for (let length = 0; length < file.length; length += length < 40 ? 1 : 7) {
      await expect(deserialiseArena(TABLES, file.subarray(0, length))).rejects.toThrow(ArenaFileError);
    }
  });

  it('with any byte changed is refused, or gives the same state', async () => {
    const arena = filled();
    const file = await serialiseArena(arena);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: file.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const damaged = file.map((byte, i) => (i === at ? byte ^ mask : byte));
        const outcome = await deserialiseArena(TABLES, damaged).catch((error: unknown) => error);
        // A few bytes of gzip's own header (time, system) carry nothing.
        if (outcome instanceof Arena) expect(state(outcome)).toEqual(state(arena));
        else expect(outcome).toBeInstanceOf(ArenaError);
      }),
      { numRuns: 300 },
    );
  });

  it('whose header does not have its checksum is refused', async () => {
    const file = await serialiseArena(filled());
    const damaged = file.with(16, (file[16] as number) ^ 1);
    await expect(deserialiseArena(TABLES, damaged)).rejects.toThrow('the arena file is damaged: header checksum');
  });

  it('of random bytes behind the magic is refused', async () => {
    const noise = fc.uint8Array({ maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(noise, async (bytes) => {
        const file = Buffer.concat([Buffer.from('THPARENA'), Buffer.from([1, 0, 0, 0]), bytes]);
        await expect(deserialiseArena(TABLES, file)).rejects.toThrow(ArenaError);
      }),
      { numRuns: 200 },
    );
  });

  it('of another version or of other tables is refused with the reason', async () => {
    const file = await serialiseArena(filled());
    const newer = file.with(8, 2);
    await expect(deserialiseArena(TABLES, newer)).rejects.toThrow('arena file version 2; this code reads 1');
    await expect(deserialiseArena(TABLES, newer)).rejects.toThrow(LayoutMismatchError);
    const layout = forged(file, { header: (header) => ({ ...header, layoutVersion: 9 }) });
    await expect(deserialiseArena(TABLES, layout)).rejects.toThrow('arena layout version 9; this code reads 1');
    for (const decls of [{ fixed: TABLES.fixed }, { ...TABLES, more: { ...TABLES.fixed, rows: 'more' } }]) {
      await expect(deserialiseArena(decls, file)).rejects.toThrow(
        'the file was made from other tables than this code declares',
      );
    }
    await expect(deserialiseArena(TABLES, new Uint8Array(64))).rejects.toThrow(
      "not an arena file: it does not begin with 'THPARENA'",
    );
  });

  it('larger than the limit is refused before its memory is taken', async () => {
    const file = await serialiseArena(filled());
    const { bytes } = readArenaFileHeader(file);
    await expect(deserialiseArena(TABLES, file, { maxBytes: bytes })).resolves.toBeInstanceOf(Arena);
    await expect(deserialiseArena(TABLES, file, { maxBytes: bytes - 1 })).rejects.toThrow(
      `the file unfolds to ${bytes} bytes, more than the limit of ${bytes - 1}`,
    );
    const sizes = { ...SIZES, cells: 2 ** 32 - 2 };
    const { bytes: huge, hash } = (await import('./layout.js')).planArena(TABLES, sizes);
    const claims = forged(file, {
      header: () => ({ layoutVersion: 1, layoutHash: hash, sizes, bytes: huge, extents: [] }),
    });
    await expect(deserialiseArena(TABLES, claims)).rejects.toThrow(`the file unfolds to ${huge} bytes`);
  });

  it('that unfolds to more or less than it says is refused', async () => {
    const file = await serialiseArena(filled());
    const bomb = forged(file, { state: (bytes) => Buffer.concat([bytes, new Uint8Array(50_000_000)]) });
    await expect(deserialiseArena(TABLES, bomb)).rejects.toThrow('more data than its header says');
    const short = forged(file, { state: (bytes) => bytes.subarray(0, -1) });
    await expect(deserialiseArena(TABLES, short)).rejects.toThrow('less data than its header says');
    const trailing = Buffer.concat([file, Buffer.from('more')]);
    await expect(deserialiseArena(TABLES, trailing)).rejects.toThrow(ArenaFileError);
  });

  it('with a header that makes no sense is refused', async () => {
    const file = await serialiseArena(filled());
    const cases: [(header: ArenaFileHeader) => object, string][] = [
      [({ extents: _, ...rest }) => rest, 'its header lacks a field'],
      [(header) => ({ ...header, sizes: null }), 'its header lacks a field'],
      [(header) => ({ ...header, extents: [[0, -1]] }), 'its header lacks a field'],
      [(header) => ({ ...header, extents: [[0, 0]] }), 'its header lacks a field'],
      [() => [], 'its header lacks a field'],
      [(header) => ({ ...header, sizes: { rows: -1 } }), 'made from other tables'],
      [(header) => ({ ...header, bytes: 1 }), 'made from other tables'],
      [(header) => ({ ...header, extents: [[64, 8]] }), 'no column for 8 bytes at offset 64'],
      [(header) => ({ ...header, extents: [[0, 1 << 20]] }), 'no column for 1048576 bytes at offset 0'],
      [(header) => ({ ...header, extents: [...header.extents].reverse() }), 'no column for'],
    ];
    for (const [header, message] of cases) {
      await expect(deserialiseArena(TABLES, forged(file, { header }))).rejects.toThrow(message);
    }
  });

  it('with bookkeeping that does not add up is refused, even if its checksums are right', async () => {
    const file = await serialiseArena(filled());
    const forge = (byte: number, value: number) =>
      forged(file, {
        state: (bytes) => {
          bytes[byte] = value;
          return bytes;
        },
      });
    await expect(deserialiseArena(TABLES, forge(64, 60))).rejects.toThrow("table 'pooled': 60 rows used of 50");
    await expect(deserialiseArena(TABLES, forge(68, 7))).rejects.toThrow("table 'pooled': the free list breaks off");
    await expect(deserialiseArena(TABLES, forge(0, 0))).rejects.toThrow('the buffer is not an arena: wrong magic');
  });
});
