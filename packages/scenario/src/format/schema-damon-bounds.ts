/** Bounds that DAMON's users write in either of two units, and DAMON's part of `expect`. */
import { z } from 'zod';
import type { DraftMonitoringExpect, DraftSchemeExpect, EitherBound } from './draft-damon.js';
import { bound, nameOf, once, oneOrMany, share, strict } from './schema-atoms.js';
import { type Interval, parseBound, parseCount, parseDuration } from './units.js';

type Parse = (text: string | number) => number | null;
type Unit<N extends string> = { readonly name: N; readonly parse: Parse; readonly step: number };

/** Percent, 0 to 100, of a text such as `25%` or `0.5 %`. */
function parsePercent(text: string | number): number | null {
  const match = typeof text === 'string' ? /^(\d{1,3}(?:\.\d{1,9})?) ?%$/.exec(text.trim()) : null;
  const percent = match === null ? null : Number(match[1]);
  return percent === null || percent > 100 ? null : percent;
}

function either<A extends string, B extends string>(
  name: string,
  first: Unit<A>,
  second: Unit<B>,
  hint: string,
): z.ZodType<EitherBound<A, B>> {
  const read = (
    value: number | string | { min?: number | string; max?: number | string },
  ): EitherBound<A, B> | null => {
    for (const { name: unit, parse, step } of [first, second] as const) {
      const interval = typeof value === 'object' ? bothEnds(value, parse) : parseBound(value, parse, step);
      if (interval !== null) return { unit, ...interval };
    }
    return null;
  };
  return once(name, () => {
    const one = z.union([z.number(), z.string()], { error: hint });
    const ends = strict({ min: one.optional(), max: one.optional() });
    return z.union([one, ends], { error: hint }).transform((value, context) => {
      const found = read(value as Parameters<typeof read>[0]);
      if (found !== null) return found;
      context.issues.push({ code: 'custom', input: value, message: hint });
      return z.NEVER;
    });
  });
}

function bothEnds({ min, max }: { min?: number | string; max?: number | string }, parse: Parse): Interval | null {
  const [from, to] = [min, max].map((end) => (end === undefined ? undefined : parse(end)));
  if (from === null || to === null || (from === undefined && to === undefined)) return null;
  if (from !== undefined && to !== undefined && from > to) return null;
  return { min: from ?? null, max: to ?? null };
}

/** `>= 50%`, `0..5`, `{min: 5%, max: 100%}`. */
export function accessesBound(): z.ZodType<EitherBound<'percent', 'samples'>> {
  return either(
    'accesses-bound',
    { name: 'percent', parse: parsePercent, step: 0 },
    { name: 'samples', parse: parseCount, step: 1 },
    'expected a share of the samples such as ">= 50%" or "0%..5%", or a number of samples such as ">= 1"',
  );
}

/** `>= 1s`, `10`, `{max: 5s}`. */
export function ageBound(): z.ZodType<EitherBound<'ns', 'aggregations'>> {
  return either(
    'age-bound',
    { name: 'ns', parse: parseDuration, step: 1 },
    { name: 'aggregations', parse: parseCount, step: 1 },
    'expected a time such as ">= 1s", or a number of aggregations such as ">= 10"',
  );
}

/** Expected statistics by scheme. */
export function schemeExpectations(): z.ZodType<Record<string, DraftSchemeExpect>> {
  const NAME = 'expected the name of a scheme, such as collapse-hot, or of one of a kdamond: monitor.collapse-hot';
  const name = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_-]{1,63})?$/, { error: NAME });
  return z.record(
    name,
    strict({
      tried: bound('count').optional().describe('nr_tried: regions'),
      sizeTried: bound('size').optional().describe('sz_tried'),
      applied: bound('count').optional().describe('nr_applied'),
      sizeApplied: bound('size').optional().describe('sz_applied'),
      sizePassed: bound('size').optional().describe('sz_ops_filter_passed'),
      quotaExceeds: bound('count').optional().describe('qt_exceeds'),
      snapshots: bound('count').optional().describe('nr_snapshots'),
    }),
  );
}

/** Expected results of monitoring. */
export function monitoringExpectations(): z.ZodType<DraftMonitoringExpect[]> {
  const entry = strict({
    kdamond: nameOf().optional(),
    process: nameOf().optional(),
    vma: nameOf().optional(),
    above: share().optional().describe('share of the samples from which on a region is hot; default: any access'),
    hot: bound('size').optional().describe('bytes in hot regions, in the last whole aggregation'),
    regions: bound('count').optional(),
    monitored: bound('size').optional().describe('bytes in all regions'),
  });
  return oneOrMany(entry, 256, 'an entry such as {hot: ">= 1G"}, or a list of them');
}
