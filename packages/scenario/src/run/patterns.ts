/**
 * Page patterns as ascending runs of pages. Everything that places or touches pages goes through here, so that the same
 * pattern and seed mean the same pages everywhere.
 */
import type { Random } from '@thplab/arena';
import type { PagePattern, Run } from '../format/index.js';

/** The pages that a pattern is laid over. */
export interface PatternSpan {
  /** Virtual page number of the span's first page: tables are counted from the block that holds it. */
  readonly start: number;
  /** Number of pages. */
  readonly pages: number;
  /** Pages of a table. */
  readonly ptes: number;
}

/** Runs of pages, relative to the span's first page, ascending, without overlap, none empty. */
export function* patternRuns(pattern: PagePattern, span: PatternSpan, random: Random): Generator<Run, void, undefined> {
  switch (pattern.kind) {
    case 'none':
      return;
    case 'full':
      if (span.pages > 0) yield { first: 0, count: span.pages };
      return;
    case 'sparse':
      yield* sparseRuns(pattern.fraction, span.pages, random);
      return;
    case 'stride':
      yield* clip(strideRuns(pattern, span.pages), span.pages);
      return;
    case 'runs':
      yield* clip(merged(pattern.runs), span.pages);
      return;
    case 'bitmap':
      yield* clip(
        perTableRuns(span, (table) => bitmapTable(pattern, table)),
        span.pages,
      );
      return;
    case 'perTable':
      yield* perTableRuns(span, (_table, from, to) => placedRuns(pattern, from, to, random));
  }
}

/** The pages one by one, ascending. */
export function patternPages(pattern: PagePattern, span: PatternSpan, random: Random): Float64Array {
  const runs = [...patternRuns(pattern, span, random)];
  const pages = new Float64Array(runs.reduce((sum, run) => sum + run.count, 0));
  let at = 0;
  for (const run of runs) for (let i = 0; i < run.count; i++) pages[at++] = run.first + i;
  return pages;
}

function* sparseRuns(fraction: number, pages: number, random: Random): Generator<Run, void, undefined> {
  let first = -1;
  for (let page = 0; page < pages; page++) {
    const hit = random.fraction() < fraction;
    if (hit && first < 0) first = page;
    if (!hit && first >= 0) {
      yield { first, count: page - first };
      first = -1;
    }
  }
  if (first >= 0) yield { first, count: pages - first };
}

function* strideRuns(
  pattern: { readonly every: number; readonly first: number; readonly count: number },
  pages: number,
): Generator<Run, void, undefined> {
  if (pattern.count >= pattern.every) {
    yield { first: pattern.first, count: Math.max(0, pages - pattern.first) };
    return;
  }
  for (let first = pattern.first; first < pages; first += pattern.every) yield { first, count: pattern.count };
}

/** Runs in ascending order, those that touch or overlap made one. */
function merged(runs: readonly Run[]): Run[] {
  const result: Run[] = [];
  for (const run of [...runs].sort((a, b) => a.first - b.first)) {
    const last = result.at(-1);
    if (last !== undefined && run.first <= last.first + last.count) {
      const end = Math.max(last.first + last.count, run.first + run.count);
      result[result.length - 1] = { first: last.first, count: end - last.first };
    } else if (run.count > 0) result.push(run);
  }
  return result;
}

/** Runs of each table, given in slots, moved to their place in the span. `from` and `to`: the table's slots in the span. */
function* perTableRuns(
  span: PatternSpan,
  runsOf: (table: number, from: number, to: number) => readonly Run[],
): Generator<Run, void, undefined> {
  const firstTable = Math.floor(span.start / span.ptes);
  const end = span.start + span.pages;
  for (let table = firstTable; table * span.ptes < end; table++) {
    const base = table * span.ptes;
    const from = Math.max(0, span.start - base);
    const to = Math.min(span.ptes, end - base);
    for (const run of runsOf(table - firstTable, from, to)) {
      const first = Math.max(run.first, from);
      const last = Math.min(run.first + run.count, to);
      if (last > first) yield { first: base + first - span.start, count: last - first };
    }
  }
}

function bitmapTable(
  pattern: { readonly tables: readonly (readonly Run[])[]; readonly repeat: boolean },
  table: number,
): readonly Run[] {
  const { tables, repeat } = pattern;
  if (tables.length === 0 || (!repeat && table >= tables.length)) return [];
  return merged(tables[table % tables.length]);
}

function placedRuns(
  pattern: { readonly present: number; readonly placement: 'first' | 'last' | 'spread' | 'random' },
  from: number,
  to: number,
  random: Random,
): readonly Run[] {
  const slots = to - from;
  const count = Math.min(pattern.present, slots);
  if (count === 0) return [];
  switch (pattern.placement) {
    case 'first':
      return [{ first: from, count }];
    case 'last':
      return [{ first: to - count, count }];
    case 'spread':
      return merged(
        Array.from({ length: count }, (_, i) => ({ first: from + Math.floor((i * slots) / count), count: 1 })),
      );
    case 'random':
      return merged(chooseSlots(slots, count, random).map((slot) => ({ first: from + slot, count: 1 })));
  }
}

/** `count` different numbers below `slots` (the first steps of a shuffle). */
function chooseSlots(slots: number, count: number, random: Random): number[] {
  const all = Array.from({ length: slots }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + random.below(slots - i);
    const held = all[i];
    all[i] = all[j];
    all[j] = held;
  }
  return all.slice(0, count);
}

function* clip(runs: Iterable<Run>, pages: number): Generator<Run, void, undefined> {
  for (const { first, count } of runs) {
    if (first >= pages) continue;
    yield first + count <= pages ? { first, count } : { first, count: pages - first };
  }
}
