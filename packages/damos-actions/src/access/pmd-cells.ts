/**
 * Where the PMD entries of addresses are, spelled out for loops over thousands of addresses. The parts are handed out one by
 * one, so that such a loop has them in registers. Where a level is missing, the cell is one of row 0, which is nobody's and
 * empty: no loop needs a branch for that.
 */
import { findPmd, type Machine, type MmId, type Vpn } from '@thplab/mm-model';

/** Page-table levels of a machine with 4 KiB pages: for these the walk is spelled out. */
const LEVELS = 4;
/** From this order on a row of the bit plane has no bits to spare: the bit of a cell has the cell's number. */
const WORD_ORDER = 5;

/** The tables of an address space. Good for one step: directories come and go. */
export interface PmdCells {
  /** One past the last address of the machine. */
  readonly addresses: number;
  /** An address times this is the number of its PMD range. A power of two: multiplying is exact. */
  readonly perRange: number;
  /** `directory.entry`. */
  readonly entry: Uint32Array;
  /** `directory.used`; undefined for tables of less slots than a word has bits. */
  readonly used: Uint32Array | undefined;
  /** First cell of the top-level directory; -1: the walk is not spelled out for this machine. */
  readonly top: number;
  readonly order: number;
}

/** See `PmdCells`. */
export function pmdCells(m: Machine, mm: MmId): PmdCells {
  const pageSize = 2 ** m.geometry.pageShift;
  return {
    addresses: m.addressPages * pageSize,
    perRange: 1 / (pageSize * m.ptes),
    entry: m.directory.entry,
    used: m.pmdOrder < WORD_ORDER ? undefined : m.directory.used,
    top: m.levels === LEVELS ? m.mm.pgd[mm] << m.pmdOrder : -1,
    order: m.pmdOrder,
  };
}

/** The cell of the PMD entry of a range, through the directories of a machine with four levels. */
export function cellOf(entry: Uint32Array, top: number, order: number, range: number): number {
  const mask = (1 << order) - 1;
  const upper = entry[top + (range >> (2 * order))];
  const directory = entry[(upper << order) + ((range >> order) & mask)];
  return (directory << order) | (range & mask);
}

/** The same for every machine, in the words of the model. */
export function cellByWalk(m: Machine, mm: MmId, range: number): number {
  return Math.max(0, findPmd(m, mm, (range * m.ptes) as Vpn));
}

/** False if the entry in a cell is none, as most are in a terabyte. The plane stays in the cache, entries would not. */
export function mayBeUsed(used: Uint32Array | undefined, cell: number): boolean {
  return used === undefined || (used[cell >>> 5] & (1 << (cell & 31))) !== 0;
}
