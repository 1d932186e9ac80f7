/** From physical to virtual pages, through the page tables of a captured process (DAMON spec 5.1, stage 4). */
import { PageFlag } from '../page-kind.js';
import type { Snapshot } from '../snapshot.js';
import { PageHeat } from './page-heat.js';

/** Samples that found their place, and those that did not. */
export interface PlacedSamples {
  readonly virtual: PageHeat;
  readonly placed: number;
  /** Samples of memory that the process does not map, or no longer maps where it was sampled. */
  readonly elsewhere: number;
}

/** The page numbers at which the process maps a frame. */
export type FrameIndex = ReadonlyMap<number, number>;

/**
 * Virtual page by frame number, for the frames that `wanted` has. A frame that is mapped twice is found at its first address.
 * @throws RangeError if the snapshot was captured without its frame numbers.
 */
export function indexFrames(snapshot: Snapshot, wanted: PageHeat): FrameIndex {
  const { pfn, vpn, length } = snapshot.pages;
  if (pfn === undefined) {
    throw new RangeError(
      'the snapshot has no physical frame numbers; capture it with --keep-frames as root, or import samples with virtual addresses',
    );
  }
  const sampled = new Set<number>();
  for (const [frame] of wanted.entries()) sampled.add(frame);
  const index = new Map<number, number>();
  for (let row = 0; row < length; row++) {
    if (sampled.has(pfn[row]) && !index.has(pfn[row])) index.set(pfn[row], vpn[row]);
  }
  return index;
}

/** Moves samples of frames to the pages that map them. */
export function placeSamples(physical: PageHeat, index: FrameIndex): PlacedSamples {
  const virtual = new PageHeat();
  let elsewhere = 0;
  for (const [frame, samples] of physical.entries()) {
    const page = index.get(frame);
    if (page === undefined) elsewhere += samples;
    else virtual.add(page, samples);
  }
  return { virtual, placed: virtual.samples, elsewhere };
}

/** First pages of the blocks that the process maps by a PMD: what a split can act on. */
export function hugeBlocks(snapshot: Snapshot): Set<number> {
  const size = 2 ** snapshot.kernel.pmdOrder;
  const { vpn, flags, length } = snapshot.pages;
  const blocks = new Set<number>();
  for (let row = 0; row < length; row++) {
    if ((flags[row] & PageFlag.pmdMapped) !== 0 && vpn[row] % size === 0) blocks.add(vpn[row]);
  }
  return blocks;
}
