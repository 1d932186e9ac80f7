/**
 * Access patterns over a range of pages, for both forms: which page the next access goes to, and what share of the
 * accesses a part of the range gets. Pages are relative to the range's first.
 */
import type { Random } from '@thplab/arena';
import type { Run } from '../format/index.js';
import { zipfPattern } from './zipf.js';

/** Pages of a part of a range that are used alike. */
export interface PageGroup {
  /** Groups of one number are alike wherever they are: 0 to 63. */
  readonly bucket: number;
  readonly pages: number;
  /** Their share of all accesses. */
  readonly share: number;
}

/** See the head of the file. */
export interface Pattern {
  /** Page of access number `turn`, from 0. */
  pageOf(turn: number, random: Random): number;
  /** Share of the accesses that go to pages `from` to `to - 1`; the part lies within one block of the page table. */
  share(from: number, to: number): number;
  /** Pages used in such a part, by how often. */
  groups(from: number, to: number): readonly PageGroup[];
  isUsed(page: number): boolean;
  /** Null: accesses are at random. */
  readonly sweep: Sweep | null;
}

/** Accesses in turn: position 0 to `positions - 1`, over and over. */
export interface Sweep {
  readonly positions: number;
  /** First position at or behind the start of a page. */
  positionAt(page: number): number;
}

/** What a pattern is laid over. */
export interface PatternRange {
  /** Absolute number of its first page: blocks are counted from it. */
  readonly start: number;
  readonly pages: number;
  /** Pages of a block. */
  readonly ptes: number;
  readonly pageSize: number;
}

/** Every page with the same chance. */
export function uniformPattern({ pages }: PatternRange): Pattern {
  return {
    pageOf: (_turn, random) => Math.min(pages - 1, Math.floor(random.fraction() * pages)),
    share: (from, to) => (to - from) / pages,
    groups: (from, to) => [{ bucket: 0, pages: to - from, share: (to - from) / pages }],
    isUsed: () => true,
    sweep: null,
  };
}

/** The pages of some runs (ascending, apart) with the same chance. */
export function listPattern(runs: readonly Run[]): Pattern {
  const before: number[] = [];
  let total = 0;
  for (const run of runs) {
    before.push(total);
    total += run.count;
  }
  const used = (from: number, to: number): number => countBelow(runs, before, to) - countBelow(runs, before, from);
  return {
    pageOf(_turn, random) {
      const at = Math.min(total - 1, Math.floor(random.fraction() * total));
      const index = lastAtMost(before, at);
      return runs[index].first + (at - before[index]);
    },
    share: (from, to) => used(from, to) / total,
    groups(from, to) {
      const pages = used(from, to);
      return pages === 0 ? [] : [{ bucket: 0, pages, share: pages / total }];
    },
    isUsed: (page) => used(page, page + 1) > 0,
    sweep: null,
  };
}

/** From byte `first` in steps of `step` bytes. */
export function sweepPattern({ pages, pageSize }: PatternRange, first: number, step: number): Pattern {
  const positions = Math.max(1, Math.ceil((pages * pageSize - first) / step));
  const positionAt = (page: number): number =>
    Math.min(positions, Math.max(0, Math.ceil((page * pageSize - first) / step)));
  const used = (from: number, to: number): number => {
    const count = positionAt(to) - positionAt(from);
    return step >= pageSize ? count : Math.min(count, to - from);
  };
  return {
    pageOf: (turn) => Math.min(pages - 1, Math.floor((first + (turn % positions) * step) / pageSize)),
    share: (from, to) => (positionAt(to) - positionAt(from)) / positions,
    groups(from, to) {
      const count = used(from, to);
      return count === 0 ? [] : [{ bucket: 0, pages: count, share: (positionAt(to) - positionAt(from)) / positions }];
    },
    isUsed: (page) => positionAt(page + 1) > positionAt(page),
    sweep: { positions, positionAt },
  };
}

export { zipfPattern };

/** Pages of the runs below a page. */
function countBelow(runs: readonly Run[], before: readonly number[], page: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[middle].first < page) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return 0;
  const run = runs[low - 1];
  return before[low - 1] + Math.min(run.count, page - run.first);
}

/** Index of the last value that is not above. */
function lastAtMost(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (values[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
