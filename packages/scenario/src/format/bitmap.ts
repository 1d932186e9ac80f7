/** Bitmaps of one page table as texts, read into runs. */
import type { Run } from './scenario.js';

const HEX = /^0x((?:[0-9a-f]{2})+)$/i;
const BASE64 = /^base64:([A-Za-z0-9+/]+={0,2})$/;
const BINARY = /^0b([01_. ]+)$/;
/** 8192 slots is the largest table (64K pages). */
const MAX_BYTES = 1024;

/**
 * Runs of set bits; null if the text is no bitmap or longer than 8192 bits.
 * Hexadecimal (`0x...`) and base64 (`base64:...`) are bytes with the lowest page in bit 0 of the first byte; `0b...` is read left to right, first
 * page first, with `_`, `.` and blanks ignored.
 */
export function parseBits(text: string): Run[] | null {
  if (text.length > 3 * MAX_BYTES * 8) return null;
  const binary = BINARY.exec(text);
  if (binary !== null) {
    const bits = [...binary[1].replaceAll(/[_. ]/g, '')].map((bit) => bit === '1');
    return bits.length > MAX_BYTES * 8 ? null : runsOf(bits);
  }
  const bytes = parseBytes(text);
  if (bytes === null || bytes.length > MAX_BYTES) return null;
  const bits: boolean[] = [];
  for (const byte of bytes) for (let bit = 0; bit < 8; bit++) bits.push(((byte >> bit) & 1) === 1);
  return runsOf(bits);
}

function parseBytes(text: string): number[] | null {
  const hex = HEX.exec(text);
  if (hex !== null) return hex[1].match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  const base64 = BASE64.exec(text);
  return base64 === null || base64[1].length % 4 !== 0 ? null : decodeBase64(base64[1]);
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function decodeBase64(text: string): number[] {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const digit of text.replaceAll('=', '')) {
    bits = ((bits << 6) | DIGITS.indexOf(digit)) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes.push((bits >> held) & 0xff);
    }
  }
  return bytes;
}

function runsOf(bits: readonly boolean[]): Run[] {
  const runs: Run[] = [];
  for (let first = 0; first < bits.length; first++) {
    if (!bits[first]) continue;
    let end = first;
    while (end < bits.length && bits[end]) end++;
    runs.push({ first, count: end - first });
    first = end;
  }
  return runs;
}
