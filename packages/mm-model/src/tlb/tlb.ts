/**
 * The TLBs of a machine's processors (DAMON spec 2.1): what a processor remembers of page tables, and forgets only when it
 * is told to or has no room. A look-up that hits leaves the page table as it is, so the accessed bit is not set again.
 *
 * Entries are of all page sizes that an array takes, in sets chosen by the page number in units of that size. An access
 * that hits the first level does not refresh the second; a miss fills both.
 */
import { asBrand, Random, type Tables } from '@thplab/arena';
import type { MmId, Vpn } from '../brands.js';
import type { Machine } from '../machine.js';
import { TlbSpecError } from './errors.js';
import type { TlbArraySpec, TlbSpec } from './spec.js';
import type { TlbTables } from './tables.js';

/** Bits of `tlbEntry.attributes`. */
export const TLB_ORDER = 0xf;
export const TLB_WRITES = 0x10;

/** One array of entries on one processor, with its shape worked out. */
export interface TlbArray {
  readonly row: number;
  readonly first: number;
  readonly entries: number;
  readonly ways: number;
  readonly sets: number;
  readonly random: boolean;
  /** Orders of the pages that it takes, ascending. */
  readonly orders: readonly number[];
}

/** See the head of the file. */
export interface Tlb {
  readonly m: Machine;
  readonly t: Tables<TlbTables>;
  readonly spec: TlbSpec;
  readonly random: Random;
  /** By processor, then level. */
  readonly arrays: readonly (readonly (readonly TlbArray[])[])[];
  /** Orders between 0 and a huge page that one entry can hold, descending. */
  readonly contiguous: readonly number[];
  readonly needsFolio: boolean;
  /** Address spaces that a processor keeps apart. */
  readonly asids: number;
}

/** Address spaces that `tlbCpu.asid` can list; more are as good as without limit. */
const FEW_ASIDS = 16;

/**
 * TLBs on a machine whose arena has `TLB_TABLES`. Flushes of the machine reach them from now on. Errors: TlbSpecError for
 * an impossible spec; a TypeError if the tables are missing.
 */
export function createTlb(m: Machine, spec: TlbSpec, seed: number): Tlb {
  const t = m.arena.tables as unknown as Tables<TlbTables>;
  if (t.tlbEntry === undefined) throw new TypeError('the arena has no tables for TLBs: give TLB_TABLES as extraTables');
  checkSpec(spec);
  const tlb: Tlb = {
    m,
    t,
    spec,
    random: new Random(seed, 0x71b),
    arrays: layOut(m, t, spec),
    contiguous: (spec.contiguous ?? [])
      .map((bytes) => orderOf(m, bytes))
      .filter((order) => order > 0 && order < m.pmdOrder)
      .sort((a, b) => b - a),
    needsFolio: spec.contiguousNeedsFolio ?? true,
    asids: spec.asids ?? 65_536,
  };
  const before = m.hooks.flushTlb;
  m.hooks.flushTlb = (mm, start, end) => {
    before(mm, start, end);
    flushRange(tlb, mm, start, end);
  };
  return tlb;
}

function layOut(m: Machine, t: Tables<TlbTables>, spec: TlbSpec): TlbArray[][][] {
  let row = 0;
  let first = 0;
  return Array.from({ length: m.cpus }, () =>
    spec.levels.map((level) =>
      level.map((array) => {
        const { entries } = array;
        const ways = array.ways ?? entries;
        t.tlbArray.first[row] = first;
        const random = array.replacement === 'random';
        const made = { row, first, entries, ways, sets: entries / ways, random, orders: ordersOf(m, array) };
        row++;
        first += entries;
        return made;
      }),
    ),
  );
}

/** Order of a page size on this machine; -1 if it has no such mapping. */
function orderOf(m: Machine, bytes: number): number {
  const order = Math.log2(bytes) - m.geometry.pageShift;
  return Number.isInteger(order) && order >= 0 && order <= m.pmdOrder ? order : -1;
}

function ordersOf(m: Machine, array: TlbArraySpec): number[] {
  return [...new Set(array.sizes.map((bytes) => orderOf(m, bytes)))]
    .filter((order) => order >= 0)
    .sort((a, b) => a - b);
}

function checkSpec(spec: TlbSpec): void {
  const wrong = (what: string): never => {
    throw new TlbSpecError(`TLB "${spec.name}": ${what}`);
  };
  if (spec.levels.length < 1 || spec.levels.length > 2) wrong(`${spec.levels.length} levels; expected one or two`);
  for (const { entries, ways = entries } of spec.levels.flat()) {
    if (!Number.isInteger(entries) || entries < 1 || entries > 2 ** 20) wrong(`${entries} entries; expected 1 to 2^20`);
    if (!Number.isInteger(ways) || ways < 1 || entries % ways !== 0) {
      wrong(`${ways} ways do not divide ${entries} entries; expected a divisor`);
    }
  }
}

/** Row of the entry that translates a page, or -1; `array.orders` are tried, smallest first. */
export function findEntry(tlb: Tlb, array: TlbArray, mm: MmId, page: number): number {
  const e = tlb.t.tlbEntry;
  const { inUse } = tlb.t.tlbArray;
  for (const order of array.orders) {
    if (inUse[array.row * 16 + order] === 0) continue;
    const tag = Math.floor(page / 2 ** order);
    const start = array.first + (tag % array.sets) * array.ways;
    for (let row = start; row < start + array.ways; row++) {
      if (e.tag[row] === tag && e.mm[row] === mm && (e.attributes[row] & TLB_ORDER) === order) return row;
    }
  }
  return -1;
}

/** Puts an entry into an array, in place of another one if its set is full. Gives its row; -1 if the array does not take it. */
export function insertEntry(tlb: Tlb, array: TlbArray, mm: MmId, page: number, entry: TlbFill): number {
  if (!array.orders.includes(entry.order)) return -1;
  const e = tlb.t.tlbEntry;
  const tag = Math.floor(page / 2 ** entry.order);
  const start = array.first + (tag % array.sets) * array.ways;
  const row = victimOf(tlb, array, start);
  dropEntry(tlb, array, row);
  e.mm[row] = mm;
  e.tag[row] = tag;
  e.attributes[row] = entry.order | (entry.writes ? TLB_WRITES : 0);
  e.pfn[row] = entry.pfn;
  tlb.t.tlbArray.inUse[array.row * 16 + entry.order]++;
  return row;
}

/** What a walk found for the TLB to keep. */
export interface TlbFill {
  readonly order: number;
  /** First frame of the entry. */
  readonly pfn: number;
  /** Writes need no further walk: the entry is writable and dirty. */
  readonly writes: boolean;
}

function victimOf(tlb: Tlb, array: TlbArray, start: number): number {
  const e = tlb.t.tlbEntry;
  let oldest = start;
  for (let row = start; row < start + array.ways; row++) {
    if (e.mm[row] === 0) return row;
    if (e.used[row] < e.used[oldest]) oldest = row;
  }
  return array.random ? start + tlb.random.below(array.ways) : oldest;
}

function dropEntry(tlb: Tlb, array: TlbArray, row: number): void {
  const e = tlb.t.tlbEntry;
  if (e.mm[row] === 0) return;
  e.mm[row] = 0;
  tlb.t.tlbArray.inUse[array.row * 16 + (e.attributes[row] & TLB_ORDER)]--;
}

/** More pages than this are flushed by looking at every entry. */
const FEW_PAGES = 8;

/** Forgets the translations of a range on all processors (`flush_tlb_range`). */
export function flushRange(tlb: Tlb, mm: MmId, start: Vpn, end: Vpn): void {
  for (const levels of tlb.arrays) {
    for (const arrays of levels) for (const array of arrays) flushArray(tlb, array, mm, start, end);
  }
}

function flushArray(tlb: Tlb, array: TlbArray, mm: MmId, start: number, end: number): void {
  if (end - start <= FEW_PAGES) {
    for (let page = start; page < end; page++) {
      for (let row = findEntry(tlb, array, mm, page); row >= 0; row = findEntry(tlb, array, mm, page)) {
        dropEntry(tlb, array, row);
        tlb.t.tlbCount.flushes[mm]++;
      }
    }
    return;
  }
  const e = tlb.t.tlbEntry;
  for (let row = array.first; row < array.first + array.entries; row++) {
    if (e.mm[row] !== mm) continue;
    const pages = 2 ** (e.attributes[row] & TLB_ORDER);
    const first = e.tag[row] * pages;
    if (first >= end || first + pages <= start) continue;
    dropEntry(tlb, array, row);
    tlb.t.tlbCount.flushes[mm]++;
  }
}

/** Forgets everything of an address space on one processor. */
export function flushMm(tlb: Tlb, cpu: number, mm: MmId): void {
  for (const arrays of tlb.arrays[cpu]) {
    for (const array of arrays) flushArray(tlb, array, mm, 0, tlb.m.addressPages);
  }
}

/**
 * A processor turns to an address space (`switch_mm`): where it can keep only so many apart, the one not used for longest
 * is forgotten.
 */
export function switchMm(tlb: Tlb, cpu: number, mm: MmId): void {
  if (tlb.asids > FEW_ASIDS) return;
  const { asid } = tlb.t.tlbCpu;
  const base = cpu * FEW_ASIDS;
  if (asid[base] === mm) return;
  const kept = Math.max(1, tlb.asids);
  let at = 0;
  while (at < kept - 1 && asid[base + at] !== mm) at++;
  const out = asid[base + at];
  if (out !== 0 && out !== mm) flushMm(tlb, cpu, asBrand<MmId>(out));
  for (; at > 0; at--) asid[base + at] = asid[base + at - 1];
  asid[base] = mm;
}
