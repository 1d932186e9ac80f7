/** The scheduler's part of the arena: who is registered, where the scan stands (khugepaged spec 2.6). */
import type { Tables } from '@thplab/arena';
import type { Machine } from '@thplab/mm-model';

import { HINT_TABLES, type HintSizes, type HintTables, hintSizes } from './hints/tables.js';

/** Scanners that can work at once; the kernel has one (docs/decisions/0007-several-scanners.md). */
export const MAX_SCANNERS = 16;

/** One row per registered address space (`mm_slot`), on one list in the order of registration. */
export const MM_SLOT_TABLE = {
  doc: 'Address spaces registered with khugepaged (mm_slot)',
  rows: 'mmSlots',
  pooled: true,
  columns: {
    mm: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'the address space; the slot holds a reference on its row' },
    next: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'next slot' },
    prev: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'previous slot' },
  },
} as const;

/** Slot of each mm: where the kernel hashes (`mm_slots_hash`), the model indexes. */
export const MM_SLOT_INDEX_TABLE = {
  doc: 'Slot by mm',
  rows: 'mmSlotIndex',
  pooled: false,
  columns: { slot: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'slot of the mm, 0 if not registered' } },
} as const;

/** The scan (`khugepaged_scan`) and the thread; one row. */
export const KHUGEPAGED_TABLE = {
  doc: 'khugepaged itself',
  rows: 'one',
  pooled: false,
  columns: {
    mmLock: { type: 'i32', cells: 4, doc: 'khugepaged_mm_lock, a spinlock and a leaf' },
    mutex: { type: 'i32', cells: 4, doc: 'khugepaged_mutex: starting and stopping' },
    first: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'first slot (mm_head)' },
    last: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'last slot' },
    cursorSlot: {
      type: 'u32',
      cells: 16,
      guard: 'khugepaged_mm_lock',
      doc: 'slot that is being scanned, by scanner (the kernel has one, number 0); 0: none, start at the head',
    },
    cursorPage: { type: 'f64', cells: 16, doc: 'page at which the scan of that mm goes on, by scanner' },
    roundAt: {
      type: 'u32',
      guard: 'khugepaged_mm_lock',
      doc: 'last slot that was given to a scanner in this round through the list, 0: none yet',
    },
    heads: { type: 'u32', guard: 'khugepaged_mm_lock', doc: 'times that this pass began at the head of the list' },
    budget: { type: 'i32', doc: 'entries of this pass that no scanner has drawn yet' },
    portion: { type: 'i32', doc: 'entries that a scanner draws at a time' },
    passOpen: { type: 'i32', doc: 'several scanners: number of the pass that they may begin, -1: no more' },
    passLeft: { type: 'i32', doc: 'several scanners: how many have not ended the pass yet' },
    paused: { type: 'i32', doc: 'several scanners: 1 while no pass may begin' },
    aheadNext: {
      type: 'u32',
      guard: 'khugepaged_mm_lock',
      doc: 'work ahead (src/look-ahead): family of the plan that the next thread takes',
    },
    aheadStop: { type: 'i32', doc: 'work ahead: 1: the threads stop after their range' },
    aheadRanges: { type: 'i32', cells: 16, doc: 'work ahead: ranges done of this plan, by thread' },
    aheadCollapsed: { type: 'i32', cells: 16, doc: 'work ahead: ranges collapsed in finished parts, by thread' },
    sleepExpire: { type: 'f64', doc: 'when the scan sleep is over, ns; 0: at once' },
    running: { type: 'u8', guard: 'khugepaged_mutex', doc: '1 while the thread exists' },
    shouldStop: { type: 'u8', doc: '1: the thread has been asked to end' },
    pagesCollapsed: { type: 'u32', doc: 'pages_collapsed: PMD ranges with success' },
    fullScans: { type: 'u32', doc: 'full_scans: times the end of the list was reached' },
    rangesScanned: { type: 'f64', doc: 'PMD ranges looked at (not in the kernel; for reports)' },
    passes: { type: 'f64', doc: 'passes of khugepaged_do_scan (not in the kernel; for reports)' },
  },
} as const;

/** The tables' type. */
export type KhugepagedTables = {
  readonly mmSlot: typeof MM_SLOT_TABLE;
  readonly mmSlotIndex: typeof MM_SLOT_INDEX_TABLE;
  readonly khugepaged: typeof KHUGEPAGED_TABLE;
} & HintTables;

/** The scheduler's tables, to be given to `bootMachine` as `extraTables`. */
export const KHUGEPAGED_TABLES: KhugepagedTables = {
  mmSlot: MM_SLOT_TABLE,
  mmSlotIndex: MM_SLOT_INDEX_TABLE,
  khugepaged: KHUGEPAGED_TABLE,
  ...HINT_TABLES,
};

/** The scheduler's tables of a machine whose arena holds them. */
export function khugepagedTables(m: Machine): Tables<KhugepagedTables> {
  return m.arena.tables as unknown as Tables<KhugepagedTables>;
}

/** Sizes of the scheduler's tables. */
export interface KhugepagedSizes extends HintSizes, Readonly<Record<string, number>> {
  readonly mmSlots: number;
  readonly mmSlotIndex: number;
}

/**
 * Sizes of the tables for a machine with so many address spaces (its limit 'mms', default 256) and so many collapse hints
 * that wait at once (limit 'hints', default 1024; 1 will do for a kernel without hints).
 */
export function khugepagedSizes(mms = 256, hints = 1024): KhugepagedSizes {
  return { mmSlots: mms, mmSlotIndex: mms + 1, ...hintSizes(mms, hints) };
}
