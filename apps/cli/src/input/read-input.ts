/** Files that verbs take: what is at a path (or on standard input), told apart by its first bytes. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Context } from '../context.js';
import { InputError } from '../errors.js';
import { nearestName } from './nearest.js';

/** What a file holds. `path` is the name for messages. */
export type Input =
  | { readonly kind: 'scenario'; readonly path: string; readonly text: string }
  | { readonly kind: 'snapshot'; readonly path: string; readonly bytes: Uint8Array };

/** First bytes of a snapshot file (thplab/snapshot@1). */
const SNAPSHOT_MAGIC = 'THPSNAP';
/** No file that can be used is larger; a scenario's own limits are far below. */
const LARGEST_BYTES = 2 ** 31;
const LARGEST_SCENARIO_BYTES = 16 * 2 ** 20;

/** Most bytes that are read at once. */
const CHUNK_BYTES = 2 ** 20;

/** Reads a file, or standard input for `-`. Errors: InputError with what would be right. */
export async function readInput(context: Context, path: string): Promise<Input> {
  if (path === '') throw new InputError('an empty text is no file name');
  const bytes = path === '-' ? await context.io.readStdin(isTooLong) : readBytes(context, path);
  const shown = path === '-' ? '<stdin>' : path;
  const isSnapshot = startsSnapshot(bytes);
  if (isTooLong(bytes, bytes.length)) throw tooLong(shown, isSnapshot);
  return isSnapshot
    ? { kind: 'snapshot', path: shown, bytes }
    : { kind: 'scenario', path: shown, text: decodeText(bytes, shown) };
}

function startsSnapshot(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, SNAPSHOT_MAGIC.length)).toString('latin1') === SNAPSHOT_MAGIC;
}

/** True when so much has come that it cannot be used: pipes and devices may never end. */
function isTooLong(head: Uint8Array, length: number): boolean {
  return length > (startsSnapshot(head) ? LARGEST_BYTES : LARGEST_SCENARIO_BYTES);
}

function tooLong(path: string, isSnapshot: boolean): InputError {
  const what = isSnapshot
    ? `the snapshot has more than ${LARGEST_BYTES} bytes`
    : `this is no snapshot and has more than ${LARGEST_SCENARIO_BYTES} bytes; no scenario is as long`;
  return new InputError(`${path}:1:1: ${what}`, { hasPlace: true });
}

function readBytes(context: Context, path: string): Uint8Array {
  const file = resolve(context.io.cwd, path);
  let fd: number | null = null;
  try {
    fd = openSync(file, 'r');
    const status = fstatSync(fd);
    if (status.isDirectory()) throw new InputError(`${path} is a folder; name a file in it`);
    return readUntilTooLong(fd);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw unreadable(file, path, error);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

function readUntilTooLong(fd: number): Uint8Array {
  const chunks: Buffer[] = [];
  for (let length = 0; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const count = readSync(fd, chunk);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
    length += count;
    if (isTooLong(chunks[0], length)) return Buffer.concat(chunks);
  }
}

function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const message = `${path}:1:1: neither UTF-8 text nor a snapshot; expected a scenario in YAML or JSON, or a file made by "thplab capture"`;
    throw new InputError(message, { hasPlace: true, cause: error });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'a part of the path is no folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a folder',
};

/** Why a file could not be opened, and which one may be meant. `path` is as typed. */
export function unreadable(file: string, path: string, error: unknown): InputError {
  return new InputError(`${path} cannot be read: ${reason(error)}${suggestion(file, path)}`, { cause: error });
}

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
