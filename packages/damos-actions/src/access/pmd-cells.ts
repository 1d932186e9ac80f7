/** Which of many addresses have a PMD entry, and where: for loops over all regions of a target. */
import { findPmd, type Machine, type MmId, type Vpn } from '@thplab/mm-model';

/** Page-table levels of a machine with 4 KiB pages: for these the walk is spelled out. */
const LEVELS = 4;
/** From this order on a row of the bit plane has no bits to spare: the bit of a cell has the cell's number. */
const WORD_ORDER = 5;

/** From addresses to the numbers of their PMD ranges. */
export interface RangeRule {
  /** One past the last address of the machine. */
  readonly addresses: number;
  /** An address times this is the number of its range. A power of two: multiplying is exact. */
  readonly perRange: number;
}

/** See `RangeRule`. */
export function rangeRule(m: Machine): RangeRule {
  const pageSize = 2 ** m.geometry.pageShift;
  return { addresses: m.addressPages * pageSize, perRange: 1 / (pageSize * m.ptes) };
}

/** The PMD ranges that may be in use. */
export interface UsedRanges {
  /** Their places in the list of ranges, ascending; behind the last one is -1. */
  readonly places: Int32Array;
  /** Where their entries are in `directory.entry`. */
  readonly cells: Int32Array;
}

/**
 * Writes which of the first `count` ranges may have an entry that is not none; -1 stands for a range that no machine has.
 * Gives how many there are. The plane of used PMDs tells it, which stays in the cache; of entries a terabyte has 2 MiB.
 */
export function findUsed(m: Machine, mm: MmId, ranges: Int32Array, count: number, into: UsedRanges): number {
  const spelledOut = m.levels === LEVELS && m.pmdOrder >= WORD_ORDER;
  const found = spelledOut ? findByPlane(m, mm, ranges, count, into) : findByWalk(m, mm, ranges, count, into);
  into.places[found] = -1;
  return found;
}

/** Where a level is missing, the cell is one of row 0, which is nobody's and empty. */
function findByPlane(m: Machine, mm: MmId, ranges: Int32Array, count: number, { places, cells }: UsedRanges): number {
  const { entry, used } = m.directory;
  const order = m.pmdOrder;
  const upperOrder = 2 * order;
  const mask = (1 << order) - 1;
  const top = m.mm.pgd[mm] << order;
  let found = 0;
  for (let i = 0; i < count; i++) {
    const range = ranges[i];
    if (range < 0) continue;
    const upper = entry[top + (range >> upperOrder)];
    const directory = entry[(upper << order) + ((range >> order) & mask)];
    const cell = (directory << order) | (range & mask);
    if ((used[cell >>> 5] & (1 << (cell & 31))) === 0) continue;
    places[found] = i;
    cells[found++] = cell;
  }
  return found;
}

function findByWalk(m: Machine, mm: MmId, ranges: Int32Array, count: number, { places, cells }: UsedRanges): number {
  let found = 0;
  for (let i = 0; i < count; i++) {
    const cell = ranges[i] < 0 ? -1 : findPmd(m, mm, (ranges[i] * m.ptes) as Vpn);
    if (cell < 0) continue;
    places[found] = i;
    cells[found++] = cell;
  }
  return found;
}
