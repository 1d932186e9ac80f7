/** A value of a damo document with its place: getters that read damo's number texts, report what is wrong, and go on. */
import { nearest } from '../format/did-you-mean.js';
import type { KeyPath } from '../format/problems.js';
import { parseDamoBytes, parseDamoCount, parseDamoRatio, parseDamoTime } from './number-text.js';

/** Reports a problem at a place of the document. */
export type Report = (path: KeyPath, message: string, hint: string) => void;

const MOST_ITEMS = 65_536;
const SHOWN_CHARACTERS = 40;

function show(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'a map';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}..."` : text;
}

/** See the head of the file. */
export class DamoValue {
  readonly path: KeyPath;
  readonly #value: unknown;
  readonly #report: Report;

  constructor(value: unknown, path: KeyPath, report: Report) {
    this.#value = value;
    this.path = path;
    this.#report = report;
  }

  /** Reports this value as wrong. */
  wrong(message: string, hint: string): void {
    this.#report(this.path, message, hint);
  }

  /** The same for a member. */
  wrongAt(key: string, message: string, hint: string): void {
    this.#report([...this.path, key], message, hint);
  }

  isList(): boolean {
    return Array.isArray(this.#value);
  }

  /** A member that is there and not null. */
  has(key: string): boolean {
    return this.#member(key) !== undefined;
  }

  /** The items of this list. */
  items(): DamoValue[] {
    const { path } = this;
    const list = Array.isArray(this.#value) ? (this.#value as unknown[]) : [];
    if (list.length > MOST_ITEMS) this.wrong(`${list.length} entries`, `expected at most ${MOST_ITEMS}`);
    return list.slice(0, MOST_ITEMS).map((one, index) => new DamoValue(one, [...path, index], this.#report));
  }

  /** The items of a member; none if it is missing, unless it is needed. */
  list(key: string, needed = false): DamoValue[] {
    const found = this.#member(key);
    if (found === undefined) {
      if (needed) this.#missing(key);
      return [];
    }
    const value = new DamoValue(found, [...this.path, key], this.#report);
    if (!Array.isArray(found)) value.wrong(`${key} is ${show(found)}`, 'expected a list');
    return value.items();
  }

  /** A member that is a map; null if it is missing. */
  map(key: string, needed = false): DamoValue | null {
    const found = this.#member(key);
    if (found === undefined) {
      if (needed) this.#missing(key);
      return null;
    }
    const value = new DamoValue(found, [...this.path, key], this.#report);
    if (typeof found === 'object' && !Array.isArray(found)) return value;
    value.wrong(`${key} is ${show(found)}`, 'expected a map');
    return null;
  }

  /** A member that is a text or a number; null if it is neither. */
  scalar(key: string): string | number | null {
    const found = this.#member(key);
    return typeof found === 'string' || typeof found === 'number' ? found : null;
  }

  /** A member that has to be a text; null if it is not. */
  text(key: string): string | null {
    const found = this.#member(key);
    if (typeof found === 'string') return found;
    if (found === undefined) this.#missing(key);
    else this.wrongAt(key, `${key} is ${show(found)}`, 'expected a text');
    return null;
  }

  choice<const T extends string>(key: string, words: readonly T[], otherwise: T, needed = false): T {
    const found = this.#member(key);
    if (found === undefined) {
      if (needed) this.#missing(key);
      return otherwise;
    }
    const word = words.find((one) => one === found);
    if (word !== undefined) return word;
    const near = typeof found === 'string' ? nearest(found, words) : null;
    this.wrongAt(
      key,
      `${key} ${show(found)} is not known here`,
      near === null ? `one of ${words.join(', ')}` : `did you mean ${near}?`,
    );
    return otherwise;
  }

  flag(key: string, otherwise: boolean): boolean {
    const found = this.#member(key);
    if (found === undefined) return otherwise;
    if (typeof found === 'boolean') return found;
    const word = typeof found === 'string' ? found.toLowerCase() : '';
    if (['y', 'yes', 'true'].includes(word)) return true;
    if (['n', 'no', 'false'].includes(word)) return false;
    this.wrongAt(key, `${key} is ${show(found)}`, 'expected true or false');
    return otherwise;
  }

  bytes(key: string, otherwise: number, needed = false): number {
    return this.#number(key, otherwise, needed, parseDamoBytes, 'a size such as "4 KiB", "2M", 4096 or "max"');
  }

  /** Nanoseconds; a number without a unit counts `unitNs`. */
  time(key: string, unitNs: number, otherwise: number): number {
    return this.#number(
      key,
      otherwise,
      false,
      (text) => parseDamoTime(text, unitNs),
      'a time such as "100 ms" or "max"',
    );
  }

  ratio(key: string, unitsPerOne: number, otherwise: number): number {
    const read = this.#number(
      key,
      otherwise,
      false,
      (text) => parseDamoRatio(text, unitsPerOne),
      'a ratio such as "5 %"',
    );
    return Math.floor(read);
  }

  count(key: string, otherwise: number, needed = false): number {
    const read = this.#number(key, otherwise, needed, parseDamoCount, 'a whole number such as 10 or "1,000"');
    if (Number.isInteger(read)) return read;
    this.wrongAt(key, `${key} is ${read}`, 'expected a whole number');
    return otherwise;
  }

  /** A whole number that may be negative. */
  integer(key: string, otherwise: number): number {
    const found = this.#member(key);
    if (found === undefined) return otherwise;
    const value =
      typeof found === 'number' || (typeof found === 'string' && /^-?\d{1,9}$/.test(found)) ? Number(found) : NaN;
    if (Number.isSafeInteger(value)) return value;
    this.wrongAt(key, `${key} is ${show(found)}`, 'expected a whole number');
    return otherwise;
  }

  /** This value as bytes. */
  asBytes(): number {
    const value = this.#value;
    const bytes = typeof value === 'string' || typeof value === 'number' ? parseDamoBytes(value) : null;
    if (bytes !== null && bytes >= 0 && Number.isFinite(bytes)) return bytes;
    this.wrong(`this is ${show(value)}`, 'expected a size such as "2M"');
    return 0;
  }

  /** Percent of a text, or null. */
  asRatio(text: string | number, unitsPerOne: number): number | null {
    return parseDamoRatio(text, unitsPerOne);
  }

  /** Nanoseconds of a text, or null. */
  asTime(text: string | number, unitNs: number): number | null {
    return parseDamoTime(text, unitNs);
  }

  /**
   * `{min, max}` in one of two units: what `read` understands, turned by `convert`, or counts with a unit's name after them.
   * Both ends must have the same.
   */
  eitherRange(
    unit: string,
    read: (text: string | number) => number | null,
    convert: (value: number) => number,
  ): { min: number; max: number } {
    const ends = (['min', 'max'] as const).map((key) => this.#end(key, unit, read));
    const [min, max] = ends;
    if (min === null || max === null || min === undefined || max === undefined) return { min: 0, max: 0 };
    if (min.counted !== max.counted && min.value !== 0 && !max.open) {
      this.wrong('min and max have different units', `write both as ${unit}, or both without`);
    }
    const of = (end: End): number => (end.counted ? Math.min(end.value, 2 ** 32 - 1) : convert(end.value));
    return { min: of(min), max: of(max) };
  }

  #end(key: 'min' | 'max', unit: string, read: (text: string | number) => number | null): End | null {
    const found = this.#member(key);
    if (found === undefined) {
      this.#missing(key);
      return null;
    }
    if (typeof found === 'string' || typeof found === 'number') {
      const counted = typeof found === 'string' ? new RegExp(`^(\\S+) +${unit}$`).exec(found.trim()) : null;
      const value = counted === null ? read(found) : parseDamoCount(counted[1] ?? '');
      if (value !== null && value >= 0 && Number.isFinite(value)) {
        return { value, counted: counted !== null, open: value >= 2 ** 64 };
      }
    }
    this.wrongAt(key, `${key} is ${show(found)}`, `expected such as "50 %" or "1 s", or "3 ${unit}"`);
    return null;
  }

  #member(key: string): unknown {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined;
    return (value as Record<string, unknown>)[key] ?? undefined;
  }

  #missing(key: string): void {
    const what =
      typeof this.#value === 'object' && this.#value !== null ? `${key} is missing` : `this is ${show(this.#value)}`;
    this.wrong(
      what,
      typeof this.#value === 'object' && this.#value !== null ? `expected ${key}` : `expected a map with ${key}`,
    );
  }

  #number(
    key: string,
    otherwise: number,
    needed: boolean,
    parse: (text: string | number) => number | null,
    expected: string,
  ): number {
    const found = this.#member(key);
    if (found === undefined) {
      if (needed) this.#missing(key);
      return otherwise;
    }
    const value = typeof found === 'string' || typeof found === 'number' ? parse(found) : null;
    if (value !== null && value >= 0 && Number.isFinite(value)) return value;
    this.wrongAt(key, `${key} is ${show(found)}`, `expected ${expected}`);
    return otherwise;
  }
}

interface End {
  readonly value: number;
  /** In the unit that has a name. */
  readonly counted: boolean;
  /** No limit. */
  readonly open: boolean;
}
