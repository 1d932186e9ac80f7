/**
 * The beginning of an arena file, before the compressed state: magic, version, and what the file says about itself.
 *
 * | bytes | what |
 * |---|---|
 * | 8 | magic, `THPARENA` in ASCII |
 * | 4 | version of this format, little endian |
 * | 4 | bytes of the header |
 * | 4 | checksum of the header (FNV-1a) |
 * | … | the header: `ArenaFileHeader` as JSON in ASCII |
 * | … | the state, see file.ts |
 */
import { ArenaFileError, LayoutMismatchError } from './errors.js';
import { fnv1a, type Sizes } from './layout.js';

/** Version of the file format. */
export const ARENA_FILE_VERSION = 1;

const MAGIC = 'THPARENA';
const PREFIX_BYTES = 20;
const HEADER_BYTES_MAX = 1 << 20;

/** A piece of the buffer: byte offset and length. */
export type Extent = readonly [offset: number, bytes: number];

/** What a file says about itself. */
export interface ArenaFileHeader {
  /** Version and hash of the layout, and the sizes it was made with: what `Arena.create` was given. */
  readonly layoutVersion: number;
  readonly layoutHash: number;
  readonly sizes: Sizes;
  /** Bytes of the buffer. */
  readonly bytes: number;
  /** The stored pieces, in order. Everything else is zero. */
  readonly extents: readonly Extent[];
}

/** What a file says about itself, without reading its state. Errors: ArenaFileError, LayoutMismatchError. */
export function readArenaFileHeader(file: Uint8Array): ArenaFileHeader {
  return openFile(file).header;
}

/** The bytes before the state. */
export function filePrefix(header: ArenaFileHeader): Uint8Array<ArrayBuffer> {
  const json = toAscii(JSON.stringify(header));
  const prefix = new Uint8Array(PREFIX_BYTES + json.length);
  const view = new DataView(prefix.buffer);
  for (let i = 0; i < MAGIC.length; i++) prefix[i] = MAGIC.charCodeAt(i);
  view.setUint32(8, ARENA_FILE_VERSION, true);
  view.setUint32(12, json.length, true);
  view.setInt32(16, fnv1a(json), true);
  for (let i = 0; i < json.length; i++) prefix[PREFIX_BYTES + i] = json.charCodeAt(i);
  return prefix;
}

/** JSON that says the same in ASCII. */
function toAscii(json: string): string {
  return json.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Header and state of a file. Errors: ArenaFileError, LayoutMismatchError. */
export function openFile(file: Uint8Array): { header: ArenaFileHeader; payload: Uint8Array } {
  if (file.length < PREFIX_BYTES || ascii(file.subarray(0, MAGIC.length)) !== MAGIC) {
    throw new ArenaFileError(`not an arena file: it does not begin with '${MAGIC}'`);
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const version = view.getUint32(8, true);
  if (version !== ARENA_FILE_VERSION) {
    throw new LayoutMismatchError(`arena file version ${version}; this code reads ${ARENA_FILE_VERSION}`);
  }
  const length = view.getUint32(12, true);
  if (length > HEADER_BYTES_MAX || PREFIX_BYTES + length > file.length) {
    throw new ArenaFileError(`the arena file is cut off or damaged: ${length} bytes of header in ${file.length}`);
  }
  const json = ascii(file.subarray(PREFIX_BYTES, PREFIX_BYTES + length));
  if (fnv1a(json) !== view.getInt32(16, true)) throw new ArenaFileError('the arena file is damaged: header checksum');
  return { header: parseHeader(json), payload: file.subarray(PREFIX_BYTES + length) };
}

function ascii(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

function parseHeader(json: string): ArenaFileHeader {
  let found: unknown;
  try {
    found = JSON.parse(json);
  } catch {
    throw new ArenaFileError('the arena file is damaged: its header is not JSON');
  }
  if (!isHeader(found)) throw new ArenaFileError('the arena file is damaged: its header lacks a field');
  return found;
}

function isHeader(found: unknown): found is ArenaFileHeader {
  if (typeof found !== 'object' || found === null) return false;
  const { layoutVersion, layoutHash, sizes, bytes, extents } = found as Record<string, unknown>;
  const numbers = [layoutVersion, layoutHash, bytes].every(Number.isSafeInteger);
  if (!numbers || typeof sizes !== 'object' || sizes === null || !Array.isArray(extents)) return false;
  return extents.every(
    (e: unknown) =>
      Array.isArray(e) && e.length === 2 && e.every((n) => Number.isSafeInteger(n) && (n as number) >= 0) && e[1] > 0,
  );
}
