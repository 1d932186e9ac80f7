/**
 * Tables to start from when creep is looked for. Small tables are tried without exception: every bitmap belongs to a class of
 * bitmaps that no rule can tell apart, and one of each class is scanned.
 *
 * Why classes: windows are aligned and have at least four entries, so of an aligned group of four entries a rule over counts sees
 * only how many are present: 5 cases instead of 16. RFC v2 also looks at the last entry of a chunk: 8 cases. A table of 16
 * entries has 65,536 bitmaps in 5^4 = 625 classes. A test compares this with all bitmaps one by one.
 */
import { Random } from '@thplab/arena';
import { createOccupancy, type Occupancy, occupyRange } from '../bitmap.js';
import type { Generation } from '../generations/generation.js';
import { ordersOf } from '../orders.js';
import { contextOf, knownOrders, type StudyRules } from './study-rules.js';

/** A table to start from, for all bitmaps that are like it. */
export interface CreepStart {
  readonly bitmap: Occupancy;
  /** Bitmaps that it stands for. */
  readonly weight: number;
}

const GROUP = 4;
/** For 0 to 4 present entries of four: the bits, and how many choices of entries have that count. */
const BY_COUNT: readonly (readonly [bits: number, weight: number])[] = [
  [0b0000, 1],
  [0b0001, 4],
  [0b0011, 6],
  [0b0111, 4],
  [0b1111, 1],
];
/** The same with the last entry told apart: its bit, and the count of the other three. */
const BY_COUNT_AND_LAST: readonly (readonly [bits: number, weight: number])[] = [
  [0b0000, 1],
  [0b0001, 3],
  [0b0011, 3],
  [0b0111, 1],
  [0b1000, 1],
  [0b1001, 3],
  [0b1011, 3],
  [0b1111, 1],
];

/** Largest tables of which every bitmap is tried: 16 entries. */
export const MOST_EXHAUSTIVE_ORDER = 4;

/** One start for each class of bitmaps; their weights add up to 2^(2^pmdOrder). */
export function everyStart({ chunkRule }: Generation, pmdOrder: number): readonly CreepStart[] {
  const cases = chunkRule === 'lastEntry' ? BY_COUNT_AND_LAST : BY_COUNT;
  let starts: { bits: number; weight: number }[] = [{ bits: 0, weight: 1 }];
  for (let group = 0; group < (1 << pmdOrder) / GROUP; group++) {
    starts = starts.flatMap(({ bits, weight }) =>
      cases.map(([more, times]) => ({ bits: bits | (more << (group * GROUP)), weight: weight * times })),
    );
  }
  return starts.map(({ bits, weight }) => ({ bitmap: Uint32Array.of(bits), weight }));
}

/**
 * Starts for tables too large to try all: for each enabled order windows that are just full enough for it, one alone, many side
 * by side and one in a larger window that lacks just that, runs of every eighth length, and tables by chance. For a rule over counts the windows alone decide whether a single
 * window climbs; whether several climb together is a sample.
 */
export function sampledStarts(rules: StudyRules, samples: number, seed: number): readonly CreepStart[] {
  const size = 1 << rules.pmdOrder;
  const bitmaps: Occupancy[] = [];
  for (const length of runLengths(rules)) bitmaps.push(pattern(rules, [[0, length]]));
  for (const [order, length] of justEligible(rules)) {
    for (let share = size >> 1; share <= size - (1 << order); share += (size - share) >> 1) {
      const ranges: [number, number][] = [];
      for (let at = 0; at + (1 << order) <= share; at += 1 << order) ranges.push([at, at + length]);
      bitmaps.push(pattern(rules, ranges));
      if ((size - share) >> 1 < 1 << order) break;
    }
  }
  for (const [order, length] of justEligible(rules)) {
    for (const [larger, needed] of justEligible(rules)) {
      // As empty as both allow: once the smaller window is filled, what is left empty is just what the larger one may lack.
      if (larger > order) bitmaps.push(pattern(rules, [[(1 << order) - length, needed]]));
    }
  }
  const random = new Random(seed);
  for (let i = 0; i < samples; i++) bitmaps.push(randomTable(rules.pmdOrder, random));
  return bitmaps.map((bitmap) => ({ bitmap, weight: 1 }));
}

function runLengths(rules: StudyRules): ReadonlySet<number> {
  const lengths = new Set<number>(justEligible(rules).map(([, length]) => length));
  for (let length = 8; length < 1 << rules.pmdOrder; length += 8) lengths.add(length);
  return lengths;
}

/** Each order with the fewest present entries that its limit allows, at least one. */
function justEligible(rules: StudyRules): [order: number, present: number][] {
  return ordersOf(knownOrders(rules)).flatMap((order): [number, number][] => {
    const limit = rules.generation.noneLimit(order, contextOf(rules));
    return limit === 'refused' ? [] : [[order, Math.max(1, (1 << order) - limit)]];
  });
}

function pattern({ pmdOrder }: StudyRules, ranges: readonly (readonly [number, number])[]): Occupancy {
  const bitmap = createOccupancy(pmdOrder);
  for (const [from, to] of ranges) occupyRange(bitmap, from, to);
  return bitmap;
}

/** Stretches of all lengths, empty, full or speckled, as real tables have them. */
function randomTable(pmdOrder: number, random: Random): Occupancy {
  const bitmap = createOccupancy(pmdOrder);
  const size = 1 << pmdOrder;
  for (let i = 0; i < size; ) {
    const end = Math.min(size, i + 1 + random.below(1 << (1 + random.below(pmdOrder))));
    const percent = [0, 100, 100, 25, 60, 90][random.below(6)];
    for (; i < end; i++) if (random.below(100) < percent) bitmap[i >>> 5] |= 1 << (i & 31);
  }
  return bitmap;
}
