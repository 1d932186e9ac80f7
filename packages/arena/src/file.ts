/**
 * An arena as a file: the header of file-header.ts, then the used part of every column, compressed with gzip, which checks
 * it by its CRC-32.
 *
 * An extent is a piece of the buffer that is not zero throughout: the arena's own header, and of each column (and of each
 * pool's links) the rows up to the last that was in use, without zero bytes at the end. A file is not trusted: it is
 * checked against the declarations and a limit before memory is taken, and the pools are recounted afterwards.
 */
import { Arena } from './arena.js';
import { ArenaError, ArenaFileError, LayoutMismatchError } from './errors.js';
import { type ArenaFileHeader, type Extent, filePrefix, openFile } from './file-header.js';
import {
  type ArenaPlan,
  ELEMENT_BYTES,
  headerBytes,
  LAYOUT_VERSION,
  planArena,
  rowsInMemory,
  type Sizes,
  type TableDecls,
  type TablePlan,
} from './layout.js';
import { POOL_META, type RowPool, resetPoolLocks } from './row-pool.js';
import { gunzip, gzip } from './web-streams.js';

/** Largest arena that a file may unfold to, unless the caller says otherwise: 4 GiB. */
export const ARENA_FILE_BYTES_MAX: number = 2 ** 32;

const CHUNK_BYTES = 1 << 18;

/** What is accepted from a file. */
export interface ArenaFileLimits {
  /** Largest buffer (default `ARENA_FILE_BYTES_MAX`). */
  readonly maxBytes?: number;
}

/** The arena's state as the bytes of a file. No other thread may change it meanwhile. */
export async function serialiseArena(arena: {
  readonly plan: ArenaPlan;
  readonly buffer: SharedArrayBuffer;
}): Promise<Uint8Array<ArrayBuffer>> {
  const { plan, buffer } = arena;
  const extents = usedExtents(plan, buffer);
  const header: ArenaFileHeader = {
    layoutVersion: plan.version,
    layoutHash: plan.hash,
    sizes: plan.sizes,
    bytes: plan.bytes,
    extents,
  };
  const parts = [filePrefix(header)];
  for await (const chunk of gzip(extentChunks(extents, buffer))) parts.push(chunk);
  return join(parts);
}

/**
 * An arena with the state of a file. Errors: ArenaFileError for bytes that are no such file, damaged, cut off or larger
 * than the limit; LayoutMismatchError for a file of another version or of other tables than `decls`.
 */
export async function deserialiseArena<T extends TableDecls>(
  decls: T,
  file: Uint8Array,
  limits: ArenaFileLimits = {},
): Promise<Arena<T>> {
  const { header, payload } = openFile(file);
  const plan = checkedPlan(decls, header, limits.maxBytes ?? ARENA_FILE_BYTES_MAX);
  const arena = Arena.create(decls, header.sizes);
  await fillExtents(payload, header.extents, arena.buffer);
  resetPoolLocks(plan, arena.buffer);
  const filled = Arena.attach(decls, header.sizes, arena.buffer);
  for (const table of plan.tables) {
    const { pool } = filled.tables[table.name] as { readonly pool: RowPool | undefined };
    const defect = pool?.defect();
    if (defect !== undefined) throw new ArenaFileError(`the arena file is damaged: ${defect}`);
  }
  return filled;
}

/** The pieces of the buffer worth storing. */
function usedExtents(plan: ArenaPlan, buffer: SharedArrayBuffer): Extent[] {
  const pieces: Extent[] = [[0, headerBytes(plan)]];
  for (const table of plan.tables) {
    const rows = usedRows(table, buffer);
    if (table.pooled) pieces.push([table.freeLinks, rows * 4]);
    for (const { offset, stride, type } of table.columns) pieces.push([offset, rows * stride * ELEMENT_BYTES[type]]);
  }
  return pieces
    .map(([offset, bytes]): Extent => [offset, withoutTrailingZeros(buffer, offset, bytes)])
    .filter(([, bytes]) => bytes > 0);
}

function usedRows(table: TablePlan, buffer: SharedArrayBuffer): number {
  if (!table.pooled) return rowsInMemory(table);
  const meta = new Uint32Array(buffer, table.metaIndex * 4, 4);
  return meta[POOL_META.used] + 1;
}

/** Length of the piece up to its last byte that is not zero. The offset is a multiple of 64. */
function withoutTrailingZeros(buffer: SharedArrayBuffer, offset: number, bytes: number): number {
  const tail = new Uint8Array(buffer, offset, bytes);
  let end = bytes;
  while (end % 4 !== 0 && tail[end - 1] === 0) end--;
  if (end % 4 !== 0) return end;
  const words = new Int32Array(buffer, offset, end / 4);
  let word = words.length;
  while (word > 0 && words[word - 1] === 0) word--;
  end = word * 4;
  while (end > 0 && tail[end - 1] === 0) end--;
  return end;
}

/** The extents in pieces of their own memory: streams do not take shared memory. */
function* extentChunks(extents: readonly Extent[], buffer: SharedArrayBuffer): Generator<Uint8Array<ArrayBuffer>> {
  for (const [offset, bytes] of extents) {
    for (let at = 0; at < bytes; at += CHUNK_BYTES) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, bytes - at));
      chunk.set(new Uint8Array(buffer, offset + at, chunk.length));
      yield chunk;
    }
  }
}

/** The layout that the file's sizes give, if it is the file's, within the limit, and its extents lie in columns. */
function checkedPlan(decls: TableDecls, header: ArenaFileHeader, maxBytes: number): ArenaPlan {
  if (header.layoutVersion !== LAYOUT_VERSION) {
    throw new LayoutMismatchError(
      `the file has arena layout version ${header.layoutVersion}; this code reads ${LAYOUT_VERSION}`,
    );
  }
  const plan = planOrUndefined(decls, header.sizes);
  if (plan === undefined || plan.hash !== header.layoutHash || plan.bytes !== header.bytes) {
    throw new LayoutMismatchError('the file was made from other tables than this code declares');
  }
  if (plan.bytes > maxBytes) {
    throw new ArenaFileError(`the file unfolds to ${plan.bytes} bytes, more than the limit of ${maxBytes}`);
  }
  const room = new Map<number, number>([[0, headerBytes(plan)]]);
  for (const table of plan.tables) {
    if (table.pooled) room.set(table.freeLinks, rowsInMemory(table) * 4);
    for (const column of table.columns) room.set(column.offset, column.bytes);
  }
  let end = -1;
  for (const [offset, bytes] of header.extents) {
    if (offset <= end || bytes > (room.get(offset) ?? -1)) {
      throw new ArenaFileError(`the arena file is damaged: no column for ${bytes} bytes at offset ${offset}`);
    }
    end = offset;
  }
  return plan;
}

function planOrUndefined(decls: TableDecls, sizes: Sizes): ArenaPlan | undefined {
  try {
    return planArena(decls, sizes);
  } catch (error) {
    if (error instanceof ArenaError) return undefined;
    throw error;
  }
}

/** Decompresses the payload into the extents; stops as soon as there is more of it than they take. */
async function fillExtents(payload: Uint8Array, extents: readonly Extent[], buffer: SharedArrayBuffer): Promise<void> {
  let index = 0;
  let at = 0;
  try {
    for await (const piece of gunzip(slices(payload))) {
      for (let rest = piece; rest.length > 0; ) {
        const extent = extents[index];
        if (extent === undefined) throw new ArenaFileError('the arena file is damaged: more data than its header says');
        const part = rest.subarray(0, extent[1] - at);
        new Uint8Array(buffer, extent[0] + at, part.length).set(part);
        at += part.length;
        rest = rest.subarray(part.length);
        if (at === extent[1]) {
          index++;
          at = 0;
        }
      }
    }
  } catch (cause) {
    if (cause instanceof ArenaFileError) throw cause;
    throw new ArenaFileError('the arena file is cut off or damaged: its data cannot be decompressed', { cause });
  }
  if (index < extents.length) throw new ArenaFileError('the arena file is cut off: less data than its header says');
}

function* slices(bytes: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield new Uint8Array(bytes.subarray(at, at + CHUNK_BYTES));
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
