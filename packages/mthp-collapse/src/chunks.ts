import { createOccupancy, isOccupied, type Occupancy, popcountWindow } from './bitmap.js';
import { fullnessPercent, type LimitContext } from './limits.js';

/**
 * Bitmaps of the proposals of early 2025, where one bit stands for a chunk of entries (khugepaged spec 15.2, 15.3).
 * - `entry`: no chunks, one bit per occupied entry, every generation from v12 on;
 * - `full` (RFC v1): a chunk counts when none of its entries is empty;
 * - `lastEntry` (RFC v2): a chunk counts when its last entry is occupied and fewer than the scaled limit are empty;
 * - `precedingChunk` (v4): bit k tells whether chunk k - 1 had at most the scaled limit of empty entries. That is one
 *   off, and kept as posted: bit 0 is always set and the last chunk is never represented.
 */
export type ChunkRule = 'entry' | 'full' | 'lastEntry' | 'precedingChunk';

/** What `chunkOccupancy` reads. */
export interface ChunkInput {
  /** Entries that the scan accepted as occupied. */
  readonly occupied: Occupancy;
  /** Entries that are empty or map the zero page; a swapped entry is in neither bitmap. */
  readonly empty: Occupancy;
  readonly maxPtesNone: number;
  readonly pmdOrder: number;
  /** A chunk has 2^chunkOrder entries. */
  readonly chunkOrder: number;
}

/**
 * The bitmap that the walk of a generation with chunks reads: bit k for chunk k, 2^(pmdOrder - chunkOrder) bits.
 * The limit of one chunk is max_ptes_none shifted down to the chunk's size.
 */
export function chunkOccupancy(rule: ChunkRule, input: ChunkInput): Occupancy {
  if (rule === 'entry') return input.occupied;
  if (rule === 'full') return fullChunks(input);
  return rule === 'lastEntry' ? chunksByLastEntry(input) : chunksByPrecedingChunk(input);
}

/** How many chunks of a window of `order` must count for it to be attempted; a chunk has 2^chunkOrder entries. */
export type ChunkRequirementRule = (order: number, chunkOrder: number, context: LimitContext) => number;

/**
 * RFC v1: the window's share of `fullnessPercent`, rounded down; 0 means that any window will do. It is a plug-in: the
 * posted arithmetic is not public, this one is recollected (khugepaged spec 15.2, 21.1).
 */
export function percentOfChunks(order: number, chunkOrder: number, context: LimitContext): number {
  return Math.floor((fullnessPercent(context) * (1 << (order - chunkOrder))) / 100);
}

/** RFC v2, v4: more than N - M - 1 entries, shifted down to the window's number of chunks (khugepaged spec 15.2). */
export function shiftedChunks(order: number, chunkOrder: number, { pmdOrder, settings }: LimitContext): number {
  return (((1 << pmdOrder) - settings.maxPtesNone - 1) >> (pmdOrder - (order - chunkOrder))) + 1;
}

function fullChunks({ empty, pmdOrder, chunkOrder }: ChunkInput): Occupancy {
  const chunks = createOccupancy(pmdOrder - chunkOrder);
  for (let chunk = 0; chunk < 1 << (pmdOrder - chunkOrder); chunk++) {
    if (popcountWindow(empty, chunk << chunkOrder, chunkOrder) === 0) setChunk(chunks, chunk);
  }
  return chunks;
}

function chunksByLastEntry({ occupied, empty, maxPtesNone, pmdOrder, chunkOrder }: ChunkInput): Occupancy {
  const chunks = createOccupancy(pmdOrder - chunkOrder);
  const limit = maxPtesNone >> (pmdOrder - chunkOrder);
  const last = (1 << chunkOrder) - 1;
  let emptyInChunk = 0;
  for (let i = 0; i < 1 << pmdOrder; i++) {
    if ((i & last) === 0) emptyInChunk = 0;
    if (isOccupied(empty, i)) emptyInChunk += 1;
    else if (isOccupied(occupied, i) && (i & last) === last && emptyInChunk < limit) setChunk(chunks, i >> chunkOrder);
  }
  return chunks;
}

function chunksByPrecedingChunk({ empty, maxPtesNone, pmdOrder, chunkOrder }: ChunkInput): Occupancy {
  const chunks = createOccupancy(pmdOrder - chunkOrder);
  const limit = maxPtesNone >> (pmdOrder - chunkOrder);
  let emptySinceChunk = 0;
  for (let i = 0; i < 1 << pmdOrder; i++) {
    if (i % (1 << chunkOrder) === 0) {
      if (emptySinceChunk <= limit) setChunk(chunks, i >> chunkOrder);
      emptySinceChunk = 0;
    }
    if (isOccupied(empty, i)) emptySinceChunk += 1;
  }
  return chunks;
}

function setChunk(chunks: Occupancy, index: number): void {
  chunks[index >>> 5] |= 1 << (index & 31);
}
