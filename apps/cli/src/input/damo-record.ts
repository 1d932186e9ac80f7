/** damo's record files: zlib-compressed JSON (damon.data), JSON, or lines of perf script; also from standard input. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { inflateSync } from 'node:zlib';
import type { DamonRecord } from '@thplab/scenario';
import type { Context } from '../context.js';
import { InputError } from '../errors.js';
import { unreadable } from './read-input.js';
import { shownPath } from './read-lines.js';

const LARGEST_FILE = 2 ** 28;
const LARGEST_TEXT = 2 ** 29 - 1024;

/** Reads the records of a file. Errors: InputError with path, line, column and reason. */
export async function readRecordFile(context: Context, path: string): Promise<readonly DamonRecord[]> {
  const shown = shownPath(path);
  const bytes =
    path === '-' ? await context.io.readStdin((_, length) => length > LARGEST_FILE) : readFile(context, path);
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

function readFile(context: Context, path: string): Uint8Array {
  if (path === '') throw new InputError('an empty text is no file name');
  const file = resolve(context.io.cwd, path);
  let fd: number | null = null;
  try {
    fd = openSync(file, 'r');
    const status = fstatSync(fd);
    if (status.isDirectory()) throw new InputError(`${path} is a folder; name a file in it`);
    const bytes = new Uint8Array(Math.min(status.isFile() ? status.size : LARGEST_FILE, LARGEST_FILE) + 1);
    let length = 0;
    for (let count = -1; count !== 0 && length < bytes.length; length += count)
      count = readSync(fd, bytes, length, bytes.length - length, null);
    return bytes.subarray(0, length);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw unreadable(file, path, error);
  } finally {
    if (fd !== null) closeSync(fd);
  }
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
