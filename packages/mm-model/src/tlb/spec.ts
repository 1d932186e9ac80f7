/**
 * What a TLB is made of, as data. Each level is a set of arrays that are asked side by side; an array holds entries of the
 * page sizes that it names. The last level decides the reach.
 *
 * The presets are of classes of processors, as far as is publicly known (DAMON spec 2.1 gives the numbers of entries of
 * the last level; associativity and latencies are general knowledge). Who knows better writes a `TlbSpec` of his own.
 */

/** What happens when a set is full. `random` is drawn from a seeded generator. */
export type TlbReplacement = 'lru' | 'random';

/** One array of entries. */
export interface TlbArraySpec {
  readonly entries: number;
  /** Entries of a set; leave out for a fully associative array. */
  readonly ways?: number;
  /** Bytes of the pages that it holds entries of. A size that the machine does not have is passed over. */
  readonly sizes: readonly number[];
  /** Default LRU. */
  readonly replacement?: TlbReplacement;
}

/** See the head of the file. */
export interface TlbSpec {
  readonly name: string;
  /** First level first; one or two of them. */
  readonly levels: readonly (readonly TlbArraySpec[])[];
  /**
   * Sizes between a base page and a huge page that one entry can hold if the walk finds the whole aligned block mapped
   * in order: the contiguous hint of arm64 (64 KiB of 4 KiB pages), or entries that the processor merges by itself.
   */
  readonly contiguous?: readonly number[];
  /** True: a contiguous entry needs one folio behind it, as arm64's hint; false: frames in order are enough. */
  readonly contiguousNeedsFolio?: boolean;
  /** Address spaces whose entries a processor keeps apart; 0: a switch to another one empties the TLB. Default 65,536. */
  readonly asids?: number;
  readonly cycles: {
    /** More than a hit of the first level costs. */
    readonly secondLevelHit: number;
    /** A walk that ends at a huge PMD. */
    readonly walkHuge: number;
    /** A walk that ends at a PTE: one more access to memory. */
    readonly walkBase: number;
  };
  readonly gigahertz: number;
}

const K = 1024;
const ALL = [4 * K, 16 * K, 64 * K, 2 * K * K, 32 * K * K, 512 * K * K] as const;

/** HiSilicon Kunpeng 920 (TaiShan V110): 48 and 2048 entries (DAMON spec 2.1). */
export const KUNPENG_920: TlbSpec = {
  name: 'kunpeng920',
  levels: [[{ entries: 48, sizes: ALL }], [{ entries: 2048, ways: 8, sizes: ALL }]],
  cycles: { secondLevelHit: 7, walkHuge: 30, walkBase: 40 },
  gigahertz: 2.6,
};

/** Intel since Skylake: separate arrays at the first level, 1536 entries shared by 4 KiB and 2 MiB at the second. */
export const SKYLAKE: TlbSpec = {
  name: 'skylake',
  levels: [
    [
      { entries: 64, ways: 4, sizes: [4 * K] },
      { entries: 32, ways: 4, sizes: [2 * K * K] },
    ],
    [{ entries: 1536, ways: 12, sizes: [4 * K, 2 * K * K] }],
  ],
  asids: 6,
  cycles: { secondLevelHit: 7, walkHuge: 25, walkBase: 35 },
  gigahertz: 3.5,
};

/** AMD Zen 4: 72 and 3072 entries; four pages in order share an entry. */
export const ZEN_4: TlbSpec = {
  name: 'zen4',
  levels: [
    [{ entries: 72, sizes: [4 * K, 16 * K, 2 * K * K] }],
    [{ entries: 3072, ways: 12, sizes: [4 * K, 16 * K, 2 * K * K] }],
  ],
  contiguous: [16 * K],
  contiguousNeedsFolio: false,
  asids: 6,
  cycles: { secondLevelHit: 7, walkHuge: 25, walkBase: 35 },
  gigahertz: 4.0,
};

/** Arm Neoverse: 48 and 2048 entries, with the contiguous hint (64 KiB of 4 KiB pages). */
export const NEOVERSE: TlbSpec = {
  name: 'neoverse',
  levels: [[{ entries: 48, sizes: ALL }], [{ entries: 2048, ways: 8, sizes: ALL }]],
  contiguous: [64 * K],
  contiguousNeedsFolio: true,
  cycles: { secondLevelHit: 5, walkHuge: 25, walkBase: 35 },
  gigahertz: 3.0,
};

/** Processors that remember nothing: every access walks. For what-if, and to see memory without the effects of a TLB. */
export const NO_TLB: TlbSpec = {
  name: 'none',
  levels: [[{ entries: 1, sizes: [] }]],
  cycles: { secondLevelHit: 0, walkHuge: 25, walkBase: 35 },
  gigahertz: 3.0,
};

/** All presets, by name. */
export const TLB_PRESETS: { readonly [name: string]: TlbSpec } = {
  [KUNPENG_920.name]: KUNPENG_920,
  [SKYLAKE.name]: SKYLAKE,
  [ZEN_4.name]: ZEN_4,
  [NEOVERSE.name]: NEOVERSE,
};

/** Entries of the last level that can hold pages of a size. */
export function tlbCapacity(spec: TlbSpec, bytes: number): number {
  const last = spec.levels[spec.levels.length - 1];
  return last.reduce((sum, array) => sum + (array.sizes.includes(bytes) ? array.entries : 0), 0);
}

/** Bytes that pages of one size reach without a walk: entries times size (DAMON spec 2.1). */
export function tlbReach(spec: TlbSpec, bytes: number): number {
  return tlbCapacity(spec, bytes) * bytes;
}

/** Time of an event that takes so many cycles, ns. */
export function cyclesToNs(spec: TlbSpec, cycles: number): number {
  return cycles / spec.gigahertz;
}
