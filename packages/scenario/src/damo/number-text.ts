/**
 * Numbers as damo writes and reads them (DAMON spec 8.2): `2.000 MiB`, `2 m 3 s`, `5 %`, `1,024`, `max`. A number without a
 * unit is in the field's own unit.
 */

/** What damo calls `max`: 2^64 - 1, as near as a double comes. */
export const DAMO_MAX: number = 2 ** 64;

const BYTE_UNITS = ['B', 'K', 'M', 'G', 'T', 'P', 'E'] as const;
const TIME_NS = {
  ns: 1,
  us: 1e3,
  usec: 1e3,
  ms: 1e6,
  msec: 1e6,
  s: 1e9,
  sec: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86_400e9,
} as const;
/** Units of times that are printed, largest first. Days are printed as hours where one unit is to be enough. */
const PRINTED_TIMES = [
  ['d', 86_400e9],
  ['h', 3600e9],
  ['m', 60e9],
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
  ['ns', 1],
] as const;

/** A plain number, with or without commas; null if it is none. */
function plainNumber(text: string): number | null {
  return /^-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?$/.test(text) ? Number(text.replaceAll(',', '')) : null;
}

function bound(text: string): number | null {
  if (text === 'max') return DAMO_MAX;
  return text === 'min' ? 0 : null;
}

/** Bytes of `4K`, `2 MiB`, `128MB`, `1,024`, `max`; units are binary. Null if the text is no size. */
export function parseDamoBytes(text: string | number): number | null {
  if (typeof text === 'number') return text;
  const trimmed = text.trim();
  const match = /^([0-9][0-9,.]*) *([BKMGTPE])?(?:i?B)?$/i.exec(trimmed);
  if (match === null) return bound(trimmed);
  const number = plainNumber(match[1]);
  const unit = BYTE_UNITS.indexOf((match[2] ?? 'B').toUpperCase() as (typeof BYTE_UNITS)[number]);
  return number === null ? null : number * 1024 ** unit;
}

/** Nanoseconds of `5 ms`, `2 m 3 s`, `1.5 s`, `max`; a bare number is in units of `unitNs`. Null if the text is no time. */
export function parseDamoTime(text: string | number, unitNs: number): number | null {
  if (typeof text === 'number') return text * unitNs;
  const trimmed = text.trim();
  const bare = plainNumber(trimmed);
  if (bare !== null) return bare * unitNs;
  const parts = [...trimmed.matchAll(/([0-9][0-9,.]*) *([a-z]+)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== trimmed.replaceAll(/(?<=[a-z]) +/g, ''))
    return bound(trimmed);
  let sum = 0;
  for (const [, digits, unit] of parts) {
    const number = plainNumber(digits);
    if (number === null || !Object.hasOwn(TIME_NS, unit)) return null;
    sum += number * TIME_NS[unit as keyof typeof TIME_NS];
  }
  return Math.round(sum);
}

/** A ratio in units of one in `unitsPerOne` (100: per cent, 1000: permille, 10000: basis points). Null if it is none. */
export function parseDamoRatio(text: string | number, unitsPerOne: number): number | null {
  if (typeof text === 'number') return text;
  const trimmed = text.trim();
  const percent = /^([0-9][0-9,.]*) *%$/.exec(trimmed);
  if (percent === null) return plainNumber(trimmed) ?? bound(trimmed);
  const number = plainNumber(percent[1]);
  return number === null ? null : Math.round(number * unitsPerOne * 1e4) / 1e6;
}

/** A number without a unit: `20`, `1,000`, `max`. Null if it is none. */
export function parseDamoCount(text: string | number): number | null {
  return typeof text === 'number' ? text : (plainNumber(text.trim()) ?? bound(text.trim()));
}

/** `2.000 MiB`, `0 B`, `max`. */
export function damoBytes(bytes: number): string {
  if (bytes >= DAMO_MAX) return 'max';
  let unit = 0;
  while (Math.abs(bytes) / 1024 ** unit >= 1024 && unit < BYTE_UNITS.length - 1) unit++;
  return unit === 0 ? `${bytes} B` : `${fixedHalfEven(bytes / 1024 ** unit, 3)} ${BYTE_UNITS[unit]}iB`;
}

/** One unit and at most three decimals: `100 ms`, `123.456 us`, `74 h`. */
export function damoTime(ns: number): string {
  if (ns >= DAMO_MAX) return 'max';
  const [unit, size] = PRINTED_TIMES.find(([name, size]) => name !== 'd' && Math.abs(ns) >= size) ?? ['ns', 1];
  const value = ns / size;
  return `${Number.isInteger(value) ? value : fixedHalfEven(value, 3)} ${unit}`;
}

/** Whole units, as many as needed: `123 us 456 ns`, `2 m 3 s`. */
export function damoTimeExact(ns: number): string {
  if (ns >= DAMO_MAX) return 'max';
  const parts: string[] = [];
  let left = ns;
  for (const [unit, size] of PRINTED_TIMES) {
    const whole = Math.floor(left / size);
    if (whole > 0) parts.push(`${whole} ${unit}`);
    left -= whole * size;
  }
  return parts.length === 0 ? '0 ns' : parts.join(' ');
}

/** `1,024`. */
export function damoCount(count: number): string {
  return count >= DAMO_MAX ? 'max' : `${count}`.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Decimals as Python prints them: a tie goes to the even digit, where JavaScript goes up. */
export function fixedHalfEven(value: number, decimals: number): string {
  const scaled = value * 10 ** decimals;
  const below = Math.floor(scaled);
  return scaled - below === 0.5 && below % 2 === 0
    ? (below / 10 ** decimals).toFixed(decimals)
    : value.toFixed(decimals);
}
