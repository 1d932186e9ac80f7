/** Schema of page patterns and of the layers that populate a VMA. */
import { z } from 'zod';
import { parseBits } from './bitmap.js';
import type { DraftBits, DraftLayer, DraftPattern } from './draft.js';
import type { PageState, Run } from './scenario.js';
import { choice, count, MAX_RUNS, once, parseRuns, seed, share, shareOrFlag, strict } from './schema-atoms.js';
import { order } from './schema-machine.js';

export const PAGE_STATES: readonly PageState[] = [
  'none',
  'present',
  'zero',
  'swap',
  'migration',
  'hwpoison',
  'device',
  'guard',
  'poison',
  'special',
];

const MAX_PAGE = 2 ** 36;
const WORDS = 'expected full, none, or page numbers such as "0-511,600" (both ends included)';

/** `full`, `none`, 7, `"0-511,600"` */
export function pageWords(): z.ZodType<'full' | 'none' | Run[]> {
  return z.union([z.string(), z.number()], { error: WORDS }).transform((text, context) => {
    if (text === 'full' || text === 'none') return text;
    const runs = parseRuns(String(text));
    if (runs !== null) return runs;
    context.issues.push({ code: 'custom', input: text, message: WORDS });
    return z.NEVER;
  });
}

function runs(): z.ZodType<Run[]> {
  const pair = z
    .tuple([count(0, MAX_PAGE), count(1, MAX_PAGE)], { error: 'expected [first page, number of pages]' })
    .transform(([first, pages]) => ({ first, count: pages }));
  const ends = strict({ from: count(0, MAX_PAGE), to: count(0, MAX_PAGE) })
    .refine(({ from, to }) => from <= to, { error: 'expected from <= to (both ends included)' })
    .transform(({ from, to }) => ({ first: from, count: to - from + 1 }));
  return z
    .array(z.union([pair, ends], { error: 'expected [first page, number of pages] or {from: 0, to: 511}' }))
    .max(MAX_RUNS);
}

function bitmap(): z.ZodType<DraftBits> {
  const hint =
    'expected a quoted text: "0b1011" (first page first), or bytes as "0xff00" or "base64:...", lowest page in bit 0';
  const table = z.string({ error: hint }).transform((text, context) => {
    const found = parseBits(text);
    if (found !== null) return found;
    context.issues.push({ code: 'custom', input: text, message: hint });
    return z.NEVER;
  });
  return z
    .union([table.transform((one) => ({ repeat: true, tables: [one] })), z.array(table).min(1).max(4096)], {
      error: hint,
    })
    .transform((value) => (Array.isArray(value) ? { repeat: false, tables: value } : value));
}

/** Keys that say which pages; an object takes at most one of them. */
export const PATTERN_KEYS = ['pages', 'sparse', 'stride', 'runs', 'bitmap', 'perTable'] as const;

export interface PatternShape {
  pages: z.ZodType<DraftPattern['pages']>;
  sparse: z.ZodType<DraftPattern['sparse']>;
  stride: z.ZodType<DraftPattern['stride']>;
  runs: z.ZodType<DraftPattern['runs']>;
  bitmap: z.ZodType<DraftPattern['bitmap']>;
  perTable: z.ZodType<DraftPattern['perTable']>;
}

let shape: ReturnType<typeof makePatternShape> | undefined;

/** The keys that say which pages, for populate layers and for actions. */
export function patternShape(): { [K in keyof PatternShape]: z.ZodOptional<PatternShape[K]> } {
  shape ??= makePatternShape();
  return shape;
}

function sparse(): z.ZodType<DraftPattern['sparse']> {
  const fraction = share().transform((value) => ({ fraction: value }));
  return z.union([fraction, strict({ fraction: share(), seed: seed().optional() })], {
    error: 'expected a share such as 0.1 or "10%", or {fraction: 0.1, seed: 7}',
  });
}

function stride(): z.ZodType<DraftPattern['stride']> {
  const page = count(0, MAX_PAGE).optional();
  const whole = strict({ every: count(1, MAX_PAGE), first: page, count: count(1, MAX_PAGE).optional() });
  return z.union([count(1, MAX_PAGE).transform((value) => ({ every: value })), whole], {
    error: 'expected a number n (every n-th page), or {every: 64, first: 0, count: 16}',
  });
}

function perTable(): z.ZodType<DraftPattern['perTable']> {
  const placement = choice(['first', 'last', 'spread', 'random']).optional();
  const whole = strict({ present: count(0, 8192), placement, seed: seed().optional() });
  return z.union([count(0, 8192).transform((value) => ({ present: value })), whole], {
    error: 'expected the number of pages in each table, or {present: 64, placement: random}',
  });
}

function makePatternShape(): { [K in keyof PatternShape]: z.ZodOptional<PatternShape[K]> } {
  const define = <T>(name: string, schema: z.ZodType<T>, description: string): z.ZodOptional<z.ZodType<T>> =>
    once(`pages-${name}`, () => schema.describe(description)).optional();
  return {
    pages: define('words', pageWords(), 'full (the default), none, or page numbers such as "0-511,600"'),
    sparse: define('sparse', sparse(), 'each page with this probability'),
    stride: define('stride', stride(), 'every n-th page, or runs of pages at equal distances'),
    runs: define('runs', runs(), 'list of [first page, number of pages] or {from, to}, both ends included'),
    bitmap: define('bitmap', bitmap(), 'one bit per page, one text for all tables or a list with one per table'),
    perTable: define('per-table', perTable(), 'so many pages in each page table, at random unless placement is given'),
  };
}

function layer(): z.ZodType<DraftLayer> {
  const stateName = choice(PAGE_STATES);
  return strict({
    ...patternShape(),
    order: order().optional().describe('order or size of the folios where the pattern fills them; default 0'),
    mapped: choice(['pmd', 'pte']).optional().describe('how a PMD-sized folio is mapped; default pmd'),
    state: z
      .union([stateName, z.partialRecord(stateName, share())], {
        error: `expected one of ${PAGE_STATES.join(', ')}, or shares such as {present: 0.9, swap: 0.1}`,
      })
      .optional()
      .describe('what the pages are; default present'),
    young: shareOrFlag().optional().describe('share with the accessed bit; default 1'),
    dirty: shareOrFlag().optional().describe('share with the dirty bit; default 1, of lazily freed pages 0'),
    writable: shareOrFlag().optional().describe('share that is mapped writable; default 1'),
    uffdWp: shareOrFlag().optional().describe('share with the userfaultfd write-protect bit; default 0'),
    lazyfree: shareOrFlag().optional().describe('share in the state MADV_FREE leaves; default 0'),
    pinned: shareOrFlag().optional().describe('share with a GUP pin; default 0'),
    locked: shareOrFlag().optional().describe('share whose folio lock somebody holds; default 0'),
    offLru: shareOrFlag().optional().describe('share that is on no LRU list; default 0'),
    node: count(0, 63).optional().describe('NUMA node of the pages'),
    seed: seed().optional(),
  });
}

/** A word, a layer, or a list of both laid over each other. */
export function populate(): z.ZodType<DraftLayer[]> {
  return once('populate', makePopulate);
}

function makePopulate(): z.ZodType<DraftLayer[]> {
  const one = z.union([pageWords().transform((pages): DraftLayer => ({ pages })), layer()], {
    error: 'expected full, none, page numbers such as "0-511", or a layer such as {sparse: 0.1}',
  });
  return z.union([one.transform((single) => [single]), z.array(one).max(1024)], {
    error: 'expected full, none, a layer such as {sparse: 0.1}, or a list of layers',
  });
}
