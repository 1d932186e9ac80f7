/** damo's record files: zlib-compressed JSON (damon.data), JSON, or lines of perf script; also from standard input. */
import { inflateSync } from 'node:zlib';
import type { DamonRecord } from '@thplab/scenario';
import type { Context } from '../context.js';
import { InputError } from '../errors.js';
import { readFileUntil, shownPath } from './open-file.js';

const LARGEST_FILE = 2 ** 28;
const LARGEST_TEXT = 2 ** 29 - 1024;

/** Reads the records of a file. Errors: InputError with path, line, column and reason. */
export async function readRecordFile(context: Context, path: string): Promise<readonly DamonRecord[]> {
  const shown = shownPath(path);
  const bytes = path === '-' ? await context.io.readStdin(isTooLong) : readFileUntil(context, path, isTooLong);
  if (bytes.length > LARGEST_FILE)
    throw atStart(shown, `more than ${LARGEST_FILE} bytes; no record of damo is as long`);
  const { DamoRecordError, readDamoRecord } = await import('@thplab/scenario');
  const text = decode(bytes, shown);
  try {
    return readDamoRecord(text);
  } catch (error) {
    if (!(error instanceof DamoRecordError)) throw error;
    const inside = isZlib(bytes) ? ' (in the text inside of the compressed file)' : '';
    throw new InputError(`${shown}:${error.line}:${error.column}: ${error.message}${inside}`, {
      hasPlace: true,
      cause: error,
    });
  }
}

function isTooLong(_head: Uint8Array, length: number): boolean {
  return length > LARGEST_FILE;
}

/** The head of a zlib stream: deflate with a window of up to 32 KiB, and a check of both bytes. */
function isZlib(bytes: Uint8Array): boolean {
  return bytes.length > 2 && (bytes[0] & 0x0f) === 8 && bytes[0] >> 4 <= 7 && (bytes[0] * 256 + bytes[1]) % 31 === 0;
}

function decode(bytes: Uint8Array, shown: string): string {
  let plain = bytes;
  if (isZlib(bytes)) {
    try {
      plain = inflateSync(bytes, { maxOutputLength: LARGEST_TEXT });
    } catch (error) {
      throw atStart(
        shown,
        `it begins like a compressed record, but cannot be inflated: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch {
    throw atStart(
      shown,
      'neither a record of damo (damon.data, JSON) nor text of perf script; perf.data itself is binary: print it with "perf script"',
    );
  }
}

function atStart(shown: string, what: string): InputError {
  return new InputError(`${shown}:1:1: ${what}`, { hasPlace: true });
}
