/**
 * Columns that enter their own uses into an access log and check the lock that guards them: for a machine that is built
 * to be searched. Wrapped columns are slow (some hundred ns per access) and otherwise behave as what they wrap; a machine
 * built without them pays nothing.
 */
import { modeName } from '../errors.js';
import type { HeldLocks } from '../held-locks.js';
import type { SyncDomain } from '../locks.js';
import { type LockMode, type LockRef, READ, WRITE } from '../operations.js';
import type { AccessLog } from './access-log.js';
import { GuardError } from './errors.js';

/** Column types of an arena. */
export type Column = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

/** How a column is recorded. */
export interface ColumnRecord {
  /** `table.column`, for messages. */
  readonly name: string;
  readonly log: AccessLog;
  /** Cell number of element 0. Columns need ranges of cells of their own. */
  readonly firstCell: number;
  /** Elements per cell, default 1: more make fewer cells and more conflicts (a row of slots as one). */
  readonly elementsPerCell?: number;
  /** Called before each use by a task, to throw a GuardError if a lock is missing. */
  readonly guard?: Guard;
}

/** Says whether a task that holds these locks may use an element; throws if not. */
export type Guard = (element: number, write: boolean, held: HeldLocks) => void;

const WRITERS: ReadonlySet<string> = new Set(['fill', 'set', 'copyWithin', 'reverse', 'sort', 'subarray']);

/** What stands behind a wrapped column. */
export interface Recorded {
  readonly column: Column;
  /** Enters a use of an element by the running task. */
  readonly use: (element: number, write: boolean) => void;
}

const recorded: WeakMap<object, Recorded> = new WeakMap();

/** The column behind a wrapped one; undefined for anything else. */
export function behindColumn(wrapped: object): Recorded | undefined {
  return recorded.get(wrapped);
}

/** A column with the same elements that records its uses. */
export function recordedColumn<C extends Column>(column: C, record: ColumnRecord): C {
  const use = (element: number, write: boolean): void => recordUse(record, element, write);
  const call = (name: string, method: (...inputs: unknown[]) => unknown, inputs: unknown[]): unknown => {
    const [from, to] = name === 'fill' ? fillRange(column.length, inputs) : [0, column.length];
    if (record.log.held !== undefined) for (let at = from; at < to; at++) use(at, WRITERS.has(name));
    return method.apply(column, inputs);
  };
  const wrapped = new Proxy(column, {
    get(target, key): unknown {
      const element = elementOf(key);
      if (element < 0) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function' || key === 'constructor') return value;
        return (...inputs: unknown[]) => call(String(key), value as (...inputs: unknown[]) => unknown, inputs);
      }
      if (element < target.length) use(element, false);
      return target[element];
    },
    set(target, key, value): boolean {
      const element = elementOf(key);
      if (element >= 0 && element < target.length) use(element, true);
      return Reflect.set(target, key, value, target);
    },
  });
  recorded.set(wrapped, { column, use });
  return wrapped;
}

/**
 * A column with the same elements that asks `check` about each one that is about to be read; writes pass. For a machine whose
 * log finds writes by itself.
 */
export function readCheckedColumn<C extends Column>(column: C, check: (element: number) => void): C {
  const call = (name: string, method: (...inputs: unknown[]) => unknown, inputs: unknown[]): unknown => {
    if (!WRITERS.has(name)) for (let at = 0; at < column.length; at++) check(at);
    return method.apply(column, inputs);
  };
  const wrapped = new Proxy(column, {
    get(target, key): unknown {
      const element = elementOf(key);
      if (element >= 0) {
        if (element < target.length) check(element);
        return target[element];
      }
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || key === 'constructor') return value;
      return (...inputs: unknown[]) => call(String(key), value as (...inputs: unknown[]) => unknown, inputs);
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
  recorded.set(wrapped, { column, use: (element, write) => (write ? undefined : check(element)) });
  return wrapped;
}

/** A guard: READ or WRITE of the lock allows reading, WRITE allows writing. `lockOf` names the lock of an element. */
export function guardedBy(domain: SyncDomain, name: string, lockOf: (element: number) => LockRef): Guard {
  return (element, write, held) => {
    const lock = lockOf(element);
    if (held.find(lock, WRITE) >= 0 || (!write && held.find(lock, READ) >= 0)) return;
    throw missingGuard(domain, name, element, write, [[lock, write ? WRITE : READ]]);
  };
}

/** The error for a use without a lock; any of those named would do. */
export function missingGuard(
  domain: SyncDomain,
  name: string,
  element: number,
  write: boolean,
  locks: readonly (readonly [LockRef, LockMode])[],
): GuardError {
  const wanted = locks.map(([lock, mode]) => `${domain.describe(lock)} ${modeName(mode)}`).join(' or ');
  return new GuardError(`${name}[${element}] is ${write ? 'written' : 'read'} without ${wanted}`);
}

/** Enters a use of an element by the running task. GuardError if it lacks the lock. */
function recordUse(record: ColumnRecord, element: number, write: boolean): void {
  const { log } = record;
  if (log.held === undefined) return;
  record.guard?.(element, write, log.held);
  const cell = record.firstCell + Math.floor(element / (record.elementsPerCell ?? 1));
  if (write) log.write(cell);
  else log.read(cell);
}

/** The element that a property key names; -1 if it names none. */
function elementOf(key: string | symbol): number {
  if (typeof key !== 'string') return -1;
  const code = key.charCodeAt(0);
  return code >= 48 && code <= 57 ? Number(key) : -1;
}

function fillRange(length: number, inputs: readonly unknown[]): [number, number] {
  const place = (input: unknown, otherwise: number): number => {
    if (typeof input !== 'number') return otherwise;
    return Math.min(length, input < 0 ? Math.max(0, length + input) : input);
  };
  return [place(inputs[1], 0), place(inputs[2], length)];
}
