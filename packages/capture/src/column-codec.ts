// How the columns of a snapshot are laid out before they are deflated. Page numbers come in runs, so they are stored as
// (gap, length) pairs of varints; frames mostly grow by one, so their differences are stored; multi-byte values are split
// into byte planes, which deflate at level 1 packs better and faster than interleaved bytes.
import { SnapshotError } from './errors.js';

const MAX_SAFE_VPN = 2 ** 52;

/** Ascending page numbers as varint pairs: pages left out since the last run, pages in the run. */
export function encodeRuns(vpn: Float64Array): Uint8Array {
  const out = new VarintWriter();
  let next = 0;
  let row = 0;
  while (row < vpn.length) {
    const start = vpn[row];
    let end = row + 1;
    while (end < vpn.length && vpn[end] === vpn[end - 1] + 1) end++;
    out.write(start - next);
    out.write(end - row);
    next = start + (end - row);
    row = end;
  }
  return out.finish();
}

/** The page numbers that {@link encodeRuns} wrote. @throws SnapshotError when they are not exactly `rows`. */
export function decodeRuns(bytes: Uint8Array, rows: number): Float64Array {
  const vpn = new Float64Array(rows);
  const reader = new VarintReader(bytes);
  let next = 0;
  let row = 0;
  while (!reader.atEnd) {
    const start = next + reader.read();
    const length = reader.read();
    if (length === 0 || length > rows - row || start + length > MAX_SAFE_VPN) {
      throw new SnapshotError('inconsistent', `Column vpn: a run of ${length} pages at page ${start} does not fit.`);
    }
    for (let i = 0; i < length; i++) vpn[row++] = start + i;
    next = start + length;
  }
  if (row !== rows) throw new SnapshotError('inconsistent', `Column vpn holds ${row} pages, the header says ${rows}.`);
  return vpn;
}

/** 32-bit values as differences to the one before (modulo 2^32), in four byte planes. */
export function encodeDifferences(values: Uint32Array): Uint8Array {
  const rows = values.length;
  const out = new Uint8Array(rows * 4);
  let before = 0;
  for (let row = 0; row < rows; row++) {
    const difference = zigzag((values[row] - before) | 0);
    before = values[row];
    out[row] = difference;
    out[rows + row] = difference >>> 8;
    out[2 * rows + row] = difference >>> 16;
    out[3 * rows + row] = difference >>> 24;
  }
  return out;
}

/** The values that {@link encodeDifferences} wrote. */
export function decodeDifferences(bytes: Uint8Array, rows: number): Uint32Array {
  const values = new Uint32Array(rows);
  let before = 0;
  for (let row = 0; row < rows; row++) {
    const difference =
      bytes[row] | (bytes[rows + row] << 8) | (bytes[2 * rows + row] << 16) | (bytes[3 * rows + row] << 24);
    before = (before + unzigzag(difference)) | 0;
    values[row] = before;
  }
  return values;
}

/** 16-bit values in two byte planes. */
export function encodePlanes16(values: Uint16Array): Uint8Array {
  const rows = values.length;
  const out = new Uint8Array(rows * 2);
  for (let row = 0; row < rows; row++) {
    out[row] = values[row];
    out[rows + row] = values[row] >>> 8;
  }
  return out;
}

/** The values that {@link encodePlanes16} wrote. */
export function decodePlanes16(bytes: Uint8Array, rows: number): Uint16Array {
  const values = new Uint16Array(rows);
  for (let row = 0; row < rows; row++) values[row] = bytes[row] | (bytes[rows + row] << 8);
  return values;
}

function zigzag(value: number): number {
  return (value << 1) ^ (value >> 31);
}

function unzigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}

/** Numbers up to 2^53 in groups of seven bits, lowest first. */
class VarintWriter {
  #bytes: Uint8Array = new Uint8Array(1024);
  #length = 0;

  write(value: number): void {
    if (this.#length + 8 > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    let left = value;
    while (left >= 128) {
      this.#bytes[this.#length++] = (left % 128) | 128;
      left = Math.floor(left / 128);
    }
    this.#bytes[this.#length++] = left;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

class VarintReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  read(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      if (this.atEnd) throw new SnapshotError('inconsistent', 'Column vpn ends in the middle of a number.');
      const byte = this.#bytes[this.#at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new SnapshotError('inconsistent', 'Column vpn holds a number over 2^53.');
  }
}
