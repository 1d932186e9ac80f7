// Checks on parsed JSON from a file that may be anything. Each check takes a value and the path to it, gives the typed
// value back or throws what was expected and what was found.
import { SnapshotError } from './errors.js';
import { FILE_LIMITS } from './file-layout.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

type JsonObject = Readonly<Record<string, unknown>>;

/** What JSON text may hold, so that small text cannot become large objects. */
export interface JsonLimits {
  /** Nesting of lists and objects. */
  readonly depth: number;
  /** Lists and objects in all. */
  readonly containers: number;
  /** Items and keys in all, about. */
  readonly items: number;
}

/** Parses JSON text within limits. @throws SnapshotError `corrupted`, or `too-large` before anything is built. */
export function parseJson(bytes: Uint8Array, what: string, limits: JsonLimits): unknown {
  checkJsonShape(bytes, what, limits);
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (error) {
    throw new SnapshotError('corrupted', `The ${what} is not JSON: ${String(error)}`, { cause: error });
  }
}

/** Counts brackets and commas outside of strings. */
function checkJsonShape(bytes: Uint8Array, what: string, limits: JsonLimits): void {
  let depth = 0;
  let containers = 0;
  let items = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
      continue;
    }
    if (byte === QUOTE) inString = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth++;
      containers++;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
    else if (byte === COMMA) items++;
    if (depth > limits.depth || containers > limits.containers || items > limits.items) {
      throw new SnapshotError('too-large', `The ${what} is too deep or has too many items to be one.`);
    }
  }
}

function wrong(path: string, expected: string, value: unknown): SnapshotError {
  const shown = JSON.stringify(value) ?? 'nothing';
  return new SnapshotError('inconsistent', `${path} should be ${expected}, but is ${shown.slice(0, 80)}.`);
}

/** An object that is not an array. */
export function asObject(value: unknown, path: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(path, 'an object', value);
  return value as JsonObject;
}

/** An array of at most `limit` items. */
export function asArray(value: unknown, path: string, limit: number): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(path, 'a list', value);
  if (value.length > limit)
    throw new SnapshotError('too-large', `${path} has ${value.length} items; the limit is ${limit}.`);
  return value;
}

/** A whole number from 0 to `max`. */
export function asCount(value: unknown, path: string, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw wrong(path, `a whole number from 0 to ${max}`, value);
  }
  return value;
}

/** As {@link asCount}, or null. */
export function asCountOrNull(value: unknown, path: string): number | null {
  return value === null ? null : asCount(value, path);
}

/** A string of bounded length. */
export function asString(value: unknown, path: string): string {
  if (typeof value !== 'string' || value.length > FILE_LIMITS.stringLength) {
    throw wrong(path, `a string of at most ${FILE_LIMITS.stringLength} characters`, value);
  }
  return value;
}

/** true or false. */
export function asBoolean(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw wrong(path, 'true or false', value);
  return value;
}

/** true, false or null. */
export function asBooleanOrNull(value: unknown, path: string): boolean | null {
  return value === null ? null : asBoolean(value, path);
}

/** One of the given strings. */
export function asOneOf<T extends string>(value: unknown, path: string, allowed: readonly T[]): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw wrong(path, `one of ${allowed.join(', ')}`, value);
  return found;
}

/** A list of strings. */
export function asStrings(value: unknown, path: string): string[] {
  return asArray(value, path, FILE_LIMITS.strings).map((item, index) => asString(item, `${path}[${index}]`));
}

/** An object whose keys are among `allowed` (others are dropped) and whose values are whole numbers. */
export function asCounts<K extends string>(
  value: unknown,
  path: string,
  allowed: readonly K[],
): Partial<Record<K, number>> {
  const object = asObject(value, path);
  const out: Partial<Record<K, number>> = {};
  for (const key of allowed) if (Object.hasOwn(object, key)) out[key] = asCount(object[key], `${path}.${key}`);
  return out;
}
