/**
 * The blocks of page tables in which programs make accesses, as rows of `accessBlock`: how each is mapped, which have
 * changed, which are not wholly there, and where walks happen.
 */
import { asBrand, countBits, getBit, type Tables } from '@thplab/arena';
import {
  contiguousOrder,
  findPmd,
  type Machine,
  type MmId,
  NO_PMD,
  PMD,
  pmdTable,
  pmdType,
  pteBit,
  type Tlb,
  type Vpn,
} from '@thplab/mm-model';
import type { AccessTables } from './tables.js';

/** `accessBlock.kind`. */
export const BLOCK = { none: 0, table: 1, huge: 2 } as const;

/** Blocks that follow each other, of one address space. */
interface Territory {
  readonly mm: number;
  readonly first: number;
  readonly end: number;
  /** Row of the first. */
  readonly row: number;
}

/** Length of the intervals in which misses are counted, ns. */
export const MISS_INTERVAL_NS = 1e9;

/** See the head of the file. */
export class AccessBlocks {
  readonly #m: Machine;
  readonly #t: Tables<AccessTables>;
  readonly #tlb: Tlb;
  readonly #territories = new Map<number, Territory[]>();
  /** Where the last answer came from: questions come in runs. */
  #last: Territory = { mm: 0, first: 0, end: 0, row: 0 };

  /** `ranges`: pages in which accesses are made, by address space; any order, overlaps allowed. */
  constructor(tlb: Tlb, t: Tables<AccessTables>, ranges: ReadonlyMap<number, readonly PageRange[]>) {
    this.#m = tlb.m;
    this.#t = t;
    this.#tlb = tlb;
    let row = 1;
    for (const [mm, own] of ranges) {
      const territories: Territory[] = [];
      for (const { first, end } of blockRanges(own, this.#m.ptes)) {
        territories.push({ mm, first, end, row });
        for (let block = first; block < end; block++, row++) {
          t.accessBlock.mm[row] = mm;
          t.accessBlock.block[row] = block;
          this.look(row);
        }
      }
      this.#territories.set(mm, territories);
    }
  }

  /** Row of a block; 0 if nobody makes accesses there. */
  rowOf(mm: number, block: number): number {
    let one = this.#last;
    if (mm !== one.mm || block < one.first || block >= one.end) {
      const found = this.#territories.get(mm)?.find(({ first, end }) => block >= first && block < end);
      if (found === undefined) return 0;
      one = found;
      this.#last = found;
    }
    return one.row + (block - one.first);
  }

  /** Forgets an address space. */
  forget(mm: number): void {
    this.#territories.delete(mm);
    this.#last = { mm: 0, first: 0, end: 0, row: 0 };
  }

  /** All rows of an address space. */
  *rows(mm: number): Generator<number, void, undefined> {
    for (const { first, end, row } of this.#territories.get(mm) ?? []) {
      for (let i = 0; i < end - first; i++) yield row + i;
    }
  }

  /** Reads how a block is mapped now. */
  look(row: number): void {
    const m = this.#m;
    const b = this.#t.accessBlock;
    const pmd = findPmd(m, asBrand<MmId>(b.mm[row]), asBrand<Vpn>(b.block[row] * m.ptes));
    const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
    const type = pmdType(entry);
    if (type === PMD.huge) {
      b.kind[row] = BLOCK.huge;
      b.present[row] = m.ptes;
      b.entries[row] = 1;
      return;
    }
    b.kind[row] = type === PMD.table ? BLOCK.table : BLOCK.none;
    const table = pmdTable(entry);
    const first = type === PMD.table ? pteBit(m, table, 0) : 0;
    b.present[row] = type === PMD.table ? countBits(m.pte.present, first, first + m.ptes) : 0;
    b.entries[row] = this.#tlb.contiguous.length === 0 || b.present[row] === 0 ? b.present[row] : this.#count(row);
  }

  /** TLB entries that the present pages of a table need. */
  #count(row: number): number {
    const m = this.#m;
    const b = this.#t.accessBlock;
    const pmd = findPmd(m, asBrand<MmId>(b.mm[row]), asBrand<Vpn>(b.block[row] * m.ptes));
    const table = pmdTable(m.directory.entry[pmd]);
    let entries = 0;
    for (let slot = 0; slot < m.ptes; ) {
      const order = contiguousOrder(m, table, slot, this.#tlb.contiguous, this.#tlb.needsFolio);
      if (order > 0 || getBit(m.pte.present, pteBit(m, table, slot))) entries++;
      slot += 1 << order;
    }
    return entries;
  }

  /** Translations of a range have changed: its blocks are looked at again later. */
  markStale(mm: number, start: number, end: number): void {
    const b = this.#t.accessBlock;
    const state = this.#t.accessState;
    const { ptes } = this.#m;
    for (let block = Math.floor(start / ptes); block * ptes < end; block++) {
      const row = this.rowOf(mm, block);
      if (row === 0 || b.stale[row] === 1) continue;
      b.stale[row] = 1;
      b.next[row] = state.staleFirst[0];
      state.staleFirst[0] = row;
    }
  }

  /** Takes a block from the list of stale ones; 0 if there is none. */
  takeStale(): number {
    const row = this.#t.accessState.staleFirst[0];
    if (row === 0) return 0;
    this.#t.accessState.staleFirst[0] = this.#t.accessBlock.next[row];
    this.#t.accessBlock.next[row] = 0;
    this.#t.accessBlock.stale[row] = 0;
    return row;
  }

  /** Puts a block at the end of the list of those with holes. */
  addHole(row: number): void {
    const b = this.#t.accessBlock;
    const state = this.#t.accessState;
    if (b.hole[row] === 1) return;
    b.hole[row] = 1;
    b.nextHole[row] = 0;
    if (state.holeLast[0] === 0) state.holeFirst[0] = row;
    else b.nextHole[state.holeLast[0]] = row;
    state.holeLast[0] = row;
  }

  /** Takes the first block with holes; 0 if there is none. */
  takeHole(): number {
    const b = this.#t.accessBlock;
    const state = this.#t.accessState;
    const row = state.holeFirst[0];
    if (row === 0) return 0;
    state.holeFirst[0] = b.nextHole[row];
    if (state.holeFirst[0] === 0) state.holeLast[0] = 0;
    b.nextHole[row] = 0;
    b.hole[row] = 0;
    return row;
  }

  /** Counts a walk. */
  countMiss(mm: number, page: number, nowNs: number): void {
    const row = this.rowOf(mm, Math.floor(page / this.#m.ptes));
    if (row === 0) return;
    this.#turnTo(row, nowNs);
    this.#t.accessBlock.misses[row]++;
  }

  /** Walks in the last whole interval. */
  missesBefore(row: number, nowNs: number): number {
    this.#turnTo(row, nowNs);
    return this.#t.accessBlock.missesBefore[row];
  }

  #turnTo(row: number, nowNs: number): void {
    const b = this.#t.accessBlock;
    const interval = Math.floor(nowNs / MISS_INTERVAL_NS);
    if (b.interval[row] === interval) return;
    b.missesBefore[row] = b.interval[row] === interval - 1 ? b.misses[row] : 0;
    b.misses[row] = 0;
    b.interval[row] = interval;
  }
}

/** Pages [first, end). */
export interface PageRange {
  readonly first: number;
  readonly end: number;
}

/** Ranges of blocks that pages lie in, ascending, those that touch made one. */
export function blockRanges(ranges: readonly PageRange[], ptes: number): PageRange[] {
  const merged: { first: number; end: number }[] = [];
  const blocks = ranges.map(({ first, end }) => ({ first: Math.floor(first / ptes), end: Math.ceil(end / ptes) }));
  for (const range of blocks.sort((a, b) => a.first - b.first)) {
    const last = merged.at(-1);
    if (last !== undefined && range.first <= last.end) last.end = Math.max(last.end, range.end);
    else if (range.end > range.first) merged.push({ ...range });
  }
  return merged;
}
