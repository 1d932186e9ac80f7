/** The TLBs of all processors as tables of the arena (law 1): entries, arrays of entries, and what is counted. */
import type { Sizes } from '@thplab/arena';
import type { TlbSpec } from './spec.js';

/** One entry of a TLB. */
export const TLB_ENTRY_TABLE = {
  doc: 'TLB entries, array by array, set by set',
  rows: 'tlbEntries',
  pooled: false,
  columns: {
    mm: { type: 'u32', doc: 'address space (ASID), 0 if the entry is not in use' },
    tag: { type: 'f64', doc: 'page number divided by the pages of the entry' },
    attributes: { type: 'u8', doc: 'order of the entry in bits 0-3; bit 4: writes need no walk (writable and dirty)' },
    pfn: { type: 'u32', doc: 'first frame' },
    used: { type: 'f64', doc: 'number of the access that used it last' },
  },
} as const;

/** One array of one processor. */
export const TLB_ARRAY_TABLE = {
  doc: 'Arrays of TLB entries, processor by processor, level by level',
  rows: 'tlbArrays',
  pooled: false,
  columns: {
    first: { type: 'u32', doc: 'row of its first entry' },
    inUse: { type: 'u32', cells: 16, doc: 'entries in use, by order' },
  },
} as const;

/** What is counted for each address space. */
export const TLB_COUNT_TABLE = {
  doc: 'Accesses through the TLBs, by address space',
  rows: 'mms',
  pooled: false,
  columns: {
    accesses: { type: 'f64', doc: 'accesses' },
    firstHits: { type: 'f64', doc: 'hits of the first level' },
    secondHits: { type: 'f64', doc: 'hits of the second level' },
    walksHuge: { type: 'f64', doc: 'walks that ended at a huge PMD' },
    walksBase: { type: 'f64', doc: 'walks that ended at a PTE' },
    dirtyWalks: { type: 'f64', doc: 'of these, walks of a hit only to mark the entry dirty' },
    flushes: { type: 'f64', doc: 'entries that flushes removed' },
  },
} as const;

/** One processor. */
export const TLB_CPU_TABLE = {
  doc: 'Processors as their TLBs see them',
  rows: 'cpus',
  pooled: false,
  columns: {
    clock: { type: 'f64', doc: 'accesses so far' },
    asid: { type: 'u32', cells: 16, doc: 'address spaces kept apart, newest first, where there are few' },
  },
} as const;

/** Tables of the TLBs, for `MachineConfig.extraTables`. */
export const TLB_TABLES: {
  readonly tlbEntry: typeof TLB_ENTRY_TABLE;
  readonly tlbArray: typeof TLB_ARRAY_TABLE;
  readonly tlbCount: typeof TLB_COUNT_TABLE;
  readonly tlbCpu: typeof TLB_CPU_TABLE;
} = {
  tlbEntry: TLB_ENTRY_TABLE,
  tlbArray: TLB_ARRAY_TABLE,
  tlbCount: TLB_COUNT_TABLE,
  tlbCpu: TLB_CPU_TABLE,
};

/** The tables' type. */
export type TlbTables = typeof TLB_TABLES;

/** Sizes of the tables, for `MachineConfig.extraSizes`. */
export function tlbSizes(spec: TlbSpec, cpus: number): Sizes {
  const arrays = spec.levels.flat();
  return { tlbArrays: cpus * arrays.length, tlbEntries: cpus * arrays.reduce((sum, one) => sum + one.entries, 0) };
}
