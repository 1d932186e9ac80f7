/** Files that verbs take: what is at a path (or on standard input), told apart by its first bytes. */
import type { Context } from '../context.js';
import { InputError } from '../errors.js';
import { readFileUntil, shownPath } from './open-file.js';

/** What a file holds. `path` is the name for messages. */
export type Input =
  | { readonly kind: 'scenario'; readonly path: string; readonly text: string }
  | { readonly kind: 'snapshot'; readonly path: string; readonly bytes: Uint8Array };

/** First bytes of a snapshot file (thplab/snapshot@1). */
const SNAPSHOT_MAGIC = 'THPSNAP';
/** No file that can be used is larger; a scenario's own limits are far below. */
const LARGEST_BYTES = 2 ** 31;
const LARGEST_SCENARIO_BYTES = 16 * 2 ** 20;

/** Reads a file, or standard input for `-`. Errors: InputError with what would be right. */
export async function readInput(context: Context, path: string): Promise<Input> {
  const bytes = path === '-' ? await context.io.readStdin(isTooLong) : readFileUntil(context, path, isTooLong);
  const shown = shownPath(path);
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

function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const message = `${path}:1:1: neither UTF-8 text nor a snapshot; expected a scenario in YAML or JSON, or a file made by "thplab capture"`;
    throw new InputError(message, { hasPlace: true, cause: error });
  }
}
