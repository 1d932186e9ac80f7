/**
 * Every number text of a scenario is read and printed here: sizes, durations, shares, counts and bounds.
 *
 * Sizes are binary as in the kernel: `64K`, `64k`, `64kB`, `64KB` and `64KiB` are all 65536 bytes. Durations are kept in
 * nanoseconds, shares as 0..1, counts as whole numbers (`10k` is 10,000). Parsers return null for a text they do not
 * understand; the caller knows what would be right (see the *_HINT texts) and where the text stands.
 */

export const SIZE_HINT = 'a size such as "4K", "64kB", "2M" or "1.5G"';
export const DURATION_HINT = 'a duration such as "250us", "10ms", "30s" or "1h"';
export const SHARE_HINT = 'a share such as 0.25 or "25%"';
export const COUNT_HINT = 'a whole number such as 4096 or "10k"';

/** Largest size or address: the user half of a 47-bit address space. */
export const MAX_BYTES: number = 2 ** 47;
/** Largest duration: 100 days of virtual time, well below 2^53 ns. */
export const MAX_NS: number = 100 * 86_400 * 1e9;
export const MAX_COUNT: number = Number.MAX_SAFE_INTEGER;

const SIZE_EXPONENT: Readonly<Record<string, number>> = { '': 0, k: 10, m: 20, g: 30, t: 40 };
const NS_PER: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  min: 60e9,
  m: 60e9,
  h: 3600e9,
  d: 86_400e9,
};
const COUNT_FACTOR: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

const SIZE = /^(\d{1,15}(?:\.\d{1,9})?) ?([kmgt]?)(?:i?b)?$/i;
const DURATION = /^(\d{1,15}(?:\.\d{1,9})?) ?(ns|us|µs|ms|s|min|m|h|d)$/;
const SHARE = /^(\d{1,9}(?:\.\d{1,15})?) ?(%?)$/;
const COUNT = /^(\d{1,15}|\d{1,3}(?:[_,]\d{3}){1,4}|\d{1,9}\.\d{1,9}(?=[kMG]))([kMG]?)$/;

/** JSON Schema patterns of the texts above (a pattern is a help for editors; the parser decides). */
export const SIZE_PATTERN = '^[0-9]+(\\.[0-9]+)? ?([kKmMgGtT]?(i?[bB])?)$';
export const DURATION_PATTERN = '^[0-9]+(\\.[0-9]+)? ?(ns|us|µs|ms|s|min|m|h|d)$';
export const SHARE_PATTERN = '^[0-9]+(\\.[0-9]+)? ?%?$';
export const COUNT_PATTERN = '^[0-9][0-9_,.]*[kMG]?$';

function whole(value: number, limit: number): number | null {
  return Number.isInteger(value) && value >= 0 && value <= limit ? value : null;
}

/** Bytes of a size text or number; null if it is not a whole number of bytes from 0 to 2^47. */
export function parseSize(text: string | number): number | null {
  if (typeof text === 'number') return whole(text, MAX_BYTES);
  const match = SIZE.exec(text.trim());
  if (match === null) return null;
  return whole(Number(match[1]) * 2 ** SIZE_EXPONENT[match[2].toLowerCase()], MAX_BYTES);
}

/** Nanoseconds of a duration text, rounded to whole ones. A bare number has no unit and is refused, except 0. */
export function parseDuration(text: string | number): number | null {
  if (text === 0 || text === '0') return 0;
  if (typeof text === 'number') return null;
  const match = DURATION.exec(text.trim());
  if (match === null) return null;
  return whole(Math.round(Number(match[1]) * NS_PER[match[2]]), MAX_NS);
}

/** Share 0..1 of a number 0..1, a text `25%`, or a boolean (true is all). */
export function parseShare(text: string | number | boolean): number | null {
  if (typeof text === 'boolean') return text ? 1 : 0;
  if (typeof text === 'number') return text >= 0 && text <= 1 ? text : null;
  const match = SHARE.exec(text.trim());
  if (match === null) return null;
  const value = match[2] === '%' ? Number(match[1]) / 100 : Number(match[1]);
  return value <= 1 ? value : null;
}

/** A whole number 0..2^53-1; `10k`, `1.5M`, `16_384` and `16,384` are understood. */
export function parseCount(text: string | number): number | null {
  if (typeof text === 'number') return whole(text, MAX_COUNT);
  const match = COUNT.exec(text.trim());
  if (match === null) return null;
  return whole(Number(match[1].replaceAll(/[_,]/g, '')) * COUNT_FACTOR[match[2]], MAX_COUNT);
}

/** An address: a non-negative number or a hexadecimal text such as `0x7f0000000000`. */
export function parseAddress(text: string | number): number | null {
  if (typeof text === 'number') return whole(text, MAX_BYTES);
  return /^0x[0-9a-f]{1,12}$/i.test(text.trim()) ? whole(Number(text.trim()), MAX_BYTES) : null;
}

export interface Interval {
  readonly min: number | null;
  readonly max: number | null;
}

/** Turns a value into a closed interval of numbers that `parse` understands; null where the text is no bound. */
export function parseBound(
  text: string | number,
  parse: (text: string | number) => number | null,
  step = 0,
): Interval | null {
  const exact = parse(text);
  if (exact !== null) return { min: exact, max: exact };
  if (typeof text !== 'string') return null;
  const between = /^\s*([^.\s]\S*?)\s*\.\.\s*(\S+)\s*$/.exec(text);
  if (between !== null) {
    const [min, max] = [parse(between[1]), parse(between[2])];
    return min === null || max === null || min > max ? null : { min, max };
  }
  const compare = /^\s*(>=|<=|≥|≤|>|<)\s*(\S.*)$/.exec(text);
  const value = compare === null ? null : parse(compare[2]);
  if (compare === null || value === null) return null;
  if (compare[1] === '>=' || compare[1] === '≥') return { min: value, max: null };
  if (compare[1] === '<=' || compare[1] === '≤') return { min: null, max: value };
  // Strict bounds only make sense where values are whole: shares have no next one (step 0).
  if (step === 0) return null;
  return compare[1] === '>' ? { min: value + step, max: null } : { min: null, max: value - step };
}

// ---------------------------------------------------------------------------------------------- printing

const SIZE_UNITS: readonly (readonly [string, number])[] = [
  ['T', 2 ** 40],
  ['G', 2 ** 30],
  ['M', 2 ** 20],
  ['K', 2 ** 10],
];
const DURATION_UNITS: readonly (readonly [string, number])[] = [
  ['h', 3600e9],
  ['min', 60e9],
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
  ['ns', 1],
];

/** `2M`, `64K`, `1.5G`, `17`: exact where one decimal allows it, else rounded to two. Negative differences keep their sign. */
export function formatSize(bytes: number): string {
  if (bytes < 0) return `-${formatSize(-bytes)}`;
  for (const [unit, size] of SIZE_UNITS) if (bytes >= size) return `${trim(bytes / size)}${unit}`;
  return `${bytes}`;
}

/** The kernel's way to name a folio size in paths and labels: `64kB`, `2048kB`. */
export function formatKilobytes(bytes: number): string {
  return `${bytes / 1024}kB`;
}

/** `10ms`, `1.5s`, `90s` as `1.5min`; rounded to two decimals. */
export function formatDuration(ns: number): string {
  if (ns < 0) return `-${formatDuration(-ns)}`;
  for (const [unit, size] of DURATION_UNITS) if (ns >= size) return `${trim(ns / size)}${unit}`;
  return `${trim(ns)}${ns === 0 ? '' : 'ns'}`;
}

/** `50%`, `99.61%`; at most `decimals` decimals. */
export function formatShare(share: number, decimals = 2): string {
  return `${trim(share * 100, decimals)}%`;
}

/** `12,345`. */
export function formatCount(count: number): string {
  const text = Math.abs(count).toString();
  return `${count < 0 ? '-' : ''}${text.replace(/\B(?=(\d{3})+(?!\d))/g, ',')}`;
}

/** `0x7f0000000000`. */
export function formatAddress(address: number): string {
  return `0x${address.toString(16)}`;
}

/** `128`, `>= 99%`, `<= 64M`, `10..20`, `anything`. */
export function formatBound(bound: Interval, format: (value: number) => string): string {
  if (bound.min !== null && bound.min === bound.max) return format(bound.min);
  if (bound.min !== null && bound.max !== null) return `${format(bound.min)}..${format(bound.max)}`;
  if (bound.min !== null) return `>= ${format(bound.min)}`;
  return bound.max === null ? 'anything' : `<= ${format(bound.max)}`;
}

function trim(value: number, decimals = 2): string {
  return `${Number(value.toFixed(decimals))}`;
}
