/** What the accesses of programs keep in the arena (law 1). */
import type { Sizes } from '@thplab/arena';

/** Groups of alike pages that a stream tells apart (`PageGroup.bucket`). */
export const BUCKETS = 64;

/** A stream: one pattern over one range of one process. Row 0 is not in use. */
export const ACCESS_STREAM_TABLE = {
  doc: 'Streams of accesses',
  rows: 'accessStreams',
  pooled: false,
  columns: {
    turn: { type: 'f64', doc: 'exact: accesses made so far' },
    entriesHuge: { type: 'f64', cells: 64, doc: 'analytic: huge PMDs that it uses, by bucket' },
    shareHuge: { type: 'f64', cells: 64, doc: 'their share of its accesses' },
    entriesBase: { type: 'f64', cells: 64, doc: 'TLB entries of PTEs that it uses, by bucket' },
    shareBase: { type: 'f64', cells: 64, doc: 'their share of its accesses' },
    accesses: { type: 'f64', doc: 'analytic: accesses until now' },
    firstHits: { type: 'f64', doc: 'of these, expected hits of the first level' },
    secondHits: { type: 'f64', doc: 'expected hits of the second level' },
    walksHuge: { type: 'f64', doc: 'expected walks that end at a huge PMD' },
    walksBase: { type: 'f64', doc: 'expected walks that end at a PTE' },
  },
} as const;

/** Cells of `accessBlock.state`. */
export const STATE = {
  /** When the accessed bits of all of the block were looked at last, ns. */
  look: 0,
  /** When its translations were flushed last, ns. */
  flush: 1,
  /** Uses of its huge PMD in a second, as worked out last. */
  rate: 2,
  /** Expected walks to it in a second. */
  walks: 3,
  /** Since when these uses go on, ns. */
  began: 4,
  /** Number of the solution that these are of; 0: they cannot be kept. */
  solved: 5,
  /** How long it stays in the TLB without a use, s. */
  time: 6,
  cells: 8,
} as const;

/** A block of the page table in which somebody makes accesses. Row 0 is not in use. */
export const ACCESS_BLOCK_TABLE = {
  doc: 'Blocks (PMD ranges) in which programs make accesses',
  rows: 'accessBlocks',
  slots: 'slots',
  pooled: false,
  columns: {
    mm: { type: 'u32', doc: 'owner' },
    block: { type: 'f64', doc: 'first page divided by the pages of a block' },
    kind: { type: 'u8', doc: 'how it was mapped when it was looked at last: 0 not, 1 by a table, 2 by a huge PMD' },
    used: { type: 'u8', doc: 'analytic: 1 if a stream uses a page of it' },
    present: { type: 'u16', doc: 'pages that its table mapped' },
    entries: { type: 'u16', doc: 'TLB entries that these need' },
    stale: { type: 'u8', doc: '1: its translations have changed since' },
    next: { type: 'u32', doc: 'next in the list of stale blocks' },
    nextHole: { type: 'u32', doc: 'next in the list of blocks with holes' },
    hole: { type: 'u8', doc: '1: in the list of blocks that are not wholly mapped' },
    filledNs: { type: 'f64', doc: 'until when first touches of its holes were made' },
    misses: { type: 'f64', doc: 'exact: walks in the present interval' },
    missesBefore: { type: 'f64', doc: 'exact: walks in the interval before' },
    interval: { type: 'f64', doc: 'number of the present interval' },
    state: {
      type: 'f64',
      cells: 8,
      doc: 'analytic: what a look at a huge PMD needs, in one line of the cache (`STATE`)',
    },
    lookTick: { type: 'u32', per: 'slot', doc: 'analytic: when the accessed bit of a page was looked at last, ticks' },
    flushTick: { type: 'u32', per: 'slot', doc: 'analytic: when the translation of a page was flushed last, ticks' },
  },
} as const;

/** What a stream needs of the TLB for one block, as it was added to the stream's sums. Row 0 is not in use. */
export const ACCESS_PART_TABLE = {
  doc: 'Blocks of analytic streams, stream by stream',
  rows: 'accessParts',
  pooled: false,
  columns: {
    kind: { type: 'u8', doc: 'how the block was mapped, as `accessBlock.kind`' },
    there: { type: 'f64', doc: 'share of the pages in use that were mapped' },
    together: { type: 'f64', doc: 'TLB entries for each of these' },
  },
} as const;

/** Ends of lists. */
export const ACCESS_STATE_TABLE = {
  doc: 'Lists of blocks with accesses',
  rows: 'one',
  pooled: false,
  columns: {
    staleFirst: { type: 'u32', doc: 'first stale block' },
    holeFirst: { type: 'u32', doc: 'first block with holes' },
    holeLast: { type: 'u32', doc: 'last block with holes' },
    untilNs: { type: 'f64', doc: 'time up to which expected values are summed up' },
  },
} as const;

/** Tables of programs' accesses, for `MachineConfig.extraTables`. */
export const ACCESS_TABLES: {
  readonly accessStream: typeof ACCESS_STREAM_TABLE;
  readonly accessBlock: typeof ACCESS_BLOCK_TABLE;
  readonly accessPart: typeof ACCESS_PART_TABLE;
  readonly accessState: typeof ACCESS_STATE_TABLE;
} = {
  accessStream: ACCESS_STREAM_TABLE,
  accessBlock: ACCESS_BLOCK_TABLE,
  accessPart: ACCESS_PART_TABLE,
  accessState: ACCESS_STATE_TABLE,
};

/** The tables' type. */
export type AccessTables = typeof ACCESS_TABLES;

/** Sizes of the tables. `slots`: pages of a block, 0 where no stream is analytic. */
export function accessSizes(streams: number, blocks: number, parts: number, slots: number): Sizes {
  return {
    one: 1,
    accessStreams: streams + 1,
    accessBlocks: blocks + 1,
    accessParts: parts + 1,
    slots: Math.max(1, slots),
  };
}
