/** Opening files that the command line names, with errors that say what is wrong and which file may be meant. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Context } from '../context.js';
import { InputError } from '../errors.js';
import { nearestName } from './nearest.js';

/** Most bytes that are read at once. */
const CHUNK_BYTES = 2 ** 20;

/** A path as messages name it. */
export function shownPath(path: string): string {
  return path === '-' ? '<stdin>' : path;
}

/** Opens a file for reading. Errors: InputError for what is no file, a folder included. */
export function openFile(context: Context, path: string): number {
  if (path === '') throw new InputError('an empty text is no file name');
  const file = resolve(context.io.cwd, path);
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    throw unreadable(file, path, error);
  }
  if (!fstatSync(fd).isDirectory()) return fd;
  closeSync(fd);
  throw new InputError(`${path} is a folder; name a file in it`);
}

/** The file, or its beginning: reading ends where so much has come that it is enough (a device may never end). */
export function readFileUntil(
  context: Context,
  path: string,
  isEnough: (head: Uint8Array, length: number) => boolean,
): Uint8Array {
  const fd = openFile(context, path);
  const chunks: Buffer[] = [];
  try {
    for (let length = 0; ; ) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = readSync(fd, chunk);
      if (count === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, count));
      length += count;
      if (isEnough(chunks[0], length)) return Buffer.concat(chunks);
    }
  } catch (error) {
    throw unreadable(resolve(context.io.cwd, path), path, error);
  } finally {
    closeSync(fd);
  }
}

/** Why a file could not be read. `path` is as typed. */
function unreadable(file: string, path: string, error: unknown): InputError {
  return new InputError(`${path} cannot be read: ${reason(error)}${suggestion(file, path)}`, { cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'a part of the path is no folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a folder',
};

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}

/** The file of the folder that a mistyped name most likely means. */
function suggestion(file: string, typed: string): string {
  let names: string[];
  try {
    names = readdirSync(dirname(file));
  } catch {
    return `; there is no folder ${dirname(typed)}`;
  }
  const near = nearestName(basename(file), names);
  return near === null ? '' : `; did you mean ${join(dirname(typed), near)}?`;
}
