/**
 * Building blocks of the schema. House convention: the message of every check here is the *hint*, the part of an error that
 * says what would be right ("expected a size such as ..."); issues.ts puts what was found in front of it.
 */
import { memcgPathProblem } from '@thplab/mm-model';
import { z } from 'zod';
import type { Run } from './scenario.js';
import * as units from './units.js';

/** Marks the message of an unknown-key issue; the known keys follow, so that issues.ts can suggest the nearest. */
export const KNOWN_KEYS = 'known keys: ';

/** A map with exactly these keys. */
export function strict<S extends z.core.$ZodShape>(shape: S, description?: string): z.ZodObject<S, z.core.$strict> {
  const known = `${KNOWN_KEYS}${Object.keys(shape).join(',')}`;
  const schema = z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? known : undefined),
  });
  return description === undefined ? schema : schema.meta({ description });
}

type Json = string | number;

const made = new Map<string, z.ZodType>();

/** Makes each building block once; the JSON Schema defines it under this name. */
export function once<T>(name: string, make: () => z.ZodType<T>): z.ZodType<T> {
  const known = made.get(name);
  if (known !== undefined) return known as z.ZodType<T>;
  const schema = make().meta({ id: name });
  made.set(name, schema);
  return schema;
}

function unit(
  name: string | null,
  parse: (text: Json) => number | null,
  hint: string,
  pattern: string,
  min: number,
  max: number,
  limits: string,
): z.ZodType<number> {
  const error = `expected ${hint}`;
  // Well-formed and whole, but no value: it is beyond what there can be, and that is what to say.
  const isBeyond = (text: Json): boolean =>
    typeof text === 'string' && !text.includes('.') && new RegExp(pattern).test(text);
  const number = z.number().meta(pattern === units.DURATION_PATTERN ? { const: 0 } : { minimum: min, maximum: max });
  const make = (): z.ZodType<number> =>
    z.union([number, z.string().meta({ pattern })], { error }).transform((text, context) => {
      const value = parse(text);
      if (value !== null && value >= min && value <= max) return value;
      const message = value === null && !isBeyond(text) ? error : `expected ${limits}`;
      context.issues.push({ code: 'custom', input: text, message });
      return z.NEVER;
    });
  return name === null ? make() : once(name, make);
}

/** Bytes. */
export function size(min = 0, max: number = units.MAX_BYTES): z.ZodType<number> {
  const limits = `a size from ${units.formatSize(min)} to ${units.formatSize(max)}`;
  const name = min === 0 && max === units.MAX_BYTES ? 'size' : null;
  return unit(name, units.parseSize, units.SIZE_HINT, units.SIZE_PATTERN, min, max, limits);
}

/** Nanoseconds. */
export function duration(min = 0, max: number = units.MAX_NS): z.ZodType<number> {
  const limits = `a duration from ${units.formatDuration(min)} to ${units.formatDuration(max)}`;
  const name = min === 0 && max === units.MAX_NS ? 'duration' : null;
  return unit(name, units.parseDuration, units.DURATION_HINT, units.DURATION_PATTERN, min, max, limits);
}

/** A whole number. */
export function count(min = 0, max: number = units.MAX_COUNT): z.ZodType<number> {
  const limits = `a whole number from ${min} to ${max}`;
  const name = min === 0 && max === units.MAX_COUNT ? 'count' : null;
  return unit(name, units.parseCount, units.COUNT_HINT, units.COUNT_PATTERN, min, max, limits);
}

const MEMCG_HINT = 'expected the path of a memory cgroup from the root, such as /jobs/a';

/** Path of a memory cgroup. */
export function memcgPath(): z.ZodType<string> {
  return once('memcg-path', () =>
    z
      .string({ error: MEMCG_HINT })
      .max(4096, { error: MEMCG_HINT })
      .regex(/^\//, { error: MEMCG_HINT })
      .refine((path) => memcgPathProblem(path) === undefined, { error: MEMCG_HINT }),
  );
}

/** 0..1. */
export function share(): z.ZodType<number> {
  return unit('share', units.parseShare, units.SHARE_HINT, units.SHARE_PATTERN, 0, 1, units.SHARE_HINT);
}

/** 0..1, also as a boolean: true is all. */
export function shareOrFlag(): z.ZodType<number> {
  return once('share-or-flag', () =>
    z.union([z.boolean().transform((flag) => (flag ? 1 : 0)), share()], {
      error: `expected true, false or ${units.SHARE_HINT}`,
    }),
  );
}

export function address(): z.ZodType<number> {
  const hint = 'an address such as "0x7f0000000000"';
  return unit('address', units.parseAddress, hint, '^0x[0-9a-fA-F]{1,12}$', 0, units.MAX_BYTES, hint);
}

/** A seed: any whole number that a double holds exactly. */
export function seed(): z.ZodType<number> {
  return once('seed', () => z.int({ error: 'expected a whole number from 0 to 2^53-1' }).min(0));
}

/** One of these texts. */
export function choice<const T extends readonly string[]>(values: T): z.ZodType<T[number]> {
  return z.enum(values);
}

const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/;
/** A name that the file gives to something. */
export function newName(): z.ZodType<string> {
  const error = 'expected a name of letters, digits, "-" and "_" that starts with a letter';
  return once('new-name', () => z.string({ error }).regex(NAME, { error }));
}

/** A name defined elsewhere; `worker.3` is the fourth member of the group `worker`. */
export function nameOf(): z.ZodType<string> {
  const error = 'expected the name of a process or VMA';
  return once('name-of', () => z.string({ error }).regex(/^[A-Za-z_][A-Za-z0-9_-]{0,62}(\.\d{1,6})?$/, { error }));
}

/** One value or a list of them, always put out as a list. */
export function oneOrMany<T>(schema: z.ZodType<T>, max: number, hint: string): z.ZodType<T[]> {
  return z.union([schema.transform((one) => [one]), z.array(schema).max(max)], { error: `expected ${hint}` });
}

type Quantity = 'count' | 'share' | 'size' | 'duration';

/** A bound on a number: exact, `>= x`, `<= x`, `a..b`, or { min, max }. */
export function bound(of: Quantity): z.ZodType<units.Interval> {
  return once(`${of}-bound`, () => makeBound(of));
}

function makeBound(of: Quantity): z.ZodType<units.Interval> {
  const parse = {
    count: units.parseCount,
    share: units.parseShare,
    size: units.parseSize,
    duration: units.parseDuration,
  }[of];
  const atom = { count: count(), share: share(), size: size(), duration: duration() }[of];
  const example = { count: '10', share: '"99%"', size: '"64M"', duration: '"2ms"' }[of];
  const text = example.replaceAll('"', '');
  const hint = `expected an exact value such as ${example}, a text such as ">= ${text}", or {min: ${example}}`;
  const direct = z.union([z.number(), z.string()], { error: hint }).transform((value, context) => {
    const interval = units.parseBound(value, parse, of === 'share' ? 0 : 1);
    if (interval !== null) return interval;
    context.issues.push({ code: 'custom', input: value, message: hint });
    return z.NEVER;
  });
  const interval = strict({ min: atom.optional(), max: atom.optional() })
    .refine(({ min, max }) => min !== undefined || max !== undefined, { error: 'expected min, max or both' })
    .refine(({ min, max }) => min === undefined || max === undefined || min <= max, { error: 'expected min <= max' })
    .transform(({ min, max }) => ({ min: min ?? null, max: max ?? null }));
  return z.union([direct, interval], { error: hint });
}

/** Most runs that one text or bitmap may hold. */
export const MAX_RUNS = 65_536;
const MAX_PAGE = 2 ** 36;

/** Runs of a list text in the kernel's cpulist form, `0-511,600`, `0-511:1/8`; null if it is none. */
export function parseRuns(text: string): Run[] | null {
  const parts = text.split(',');
  if (parts.length > MAX_RUNS) return null;
  const runs: Run[] = [];
  for (const part of parts) {
    const own = parseRunsOfPart(part);
    if (own === null || runs.length + own.length > MAX_RUNS) return null;
    runs.push(...own);
  }
  return runs;
}

/** `3`, `0-511`, or `0-511:2/8`: the first two of each eight. */
function parseRunsOfPart(part: string): Run[] | null {
  const match = /^\s*(\d{1,11})(?:\s*-\s*(\d{1,11})(?:\s*:\s*(\d{1,11})\s*\/\s*(\d{1,11}))?)?\s*$/.exec(part);
  if (match === null) return null;
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  if (last < first || last >= MAX_PAGE) return null;
  if (match[3] === undefined) return [{ first, count: last - first + 1 }];
  const [used, group] = [Number(match[3]), Number(match[4])];
  const groups = Math.ceil((last - first + 1) / group);
  if (used < 1 || used > group || groups > MAX_RUNS) return null;
  return Array.from({ length: groups }, (_, at) => {
    const start = first + at * group;
    return { first: start, count: Math.min(used, last - start + 1) };
  });
}

/** `3`, `"0-511,600"`: page or block numbers, as runs. */
export function runList(what: string): z.ZodType<Run[]> {
  const error = `expected ${what} such as 3, "0-511,600" (both ends included) or "0-511:1/8" (one of eight)`;
  return once(what.replace(' ', '-'), () =>
    z.union([z.number(), z.string()], { error }).transform((text, context) => {
      const runs = parseRuns(String(text));
      if (runs !== null) return runs;
      context.issues.push({ code: 'custom', input: text, message: error });
      return z.NEVER;
    }),
  );
}
