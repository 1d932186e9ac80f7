/**
 * Memory that MADV_COLLAPSE is timed on: the same steps are taken by the running kernel (thplab calibrate) and by the model.
 * Pages are counted from the start of a fresh mapping of whole PMD ranges.
 */

/** One step of making the memory. */
export type WorkloadStep =
  /** Writes the pages; `every`: only each so manieth of them. */
  | { readonly do: 'write'; readonly at: number; readonly pages: number; readonly every?: number }
  /** MADV_HUGEPAGE: the next write faults in a huge page. */
  | { readonly do: 'advise'; readonly at: number; readonly pages: number }
  /** MADV_DONTNEED. */
  | { readonly do: 'drop'; readonly at: number; readonly pages: number }
  /** Makes a huge page mapped by PTEs: one page is protected and unprotected. */
  | { readonly do: 'split'; readonly at: number }
  /** A child that shares all of it until the collapse is over. */
  | { readonly do: 'fork' };

/** Memory, and how much of it. */
export interface CollapseWorkload {
  readonly name: string;
  /** PMD ranges of 512 pages. */
  readonly ranges: number;
  readonly steps: readonly WorkloadStep[];
}

const RANGE = 512;
const written = (pages: number): CollapseWorkload => ({
  name: `${pages} of 512 pages present`,
  ranges: 1,
  steps: [{ do: 'write', at: 0, pages }],
});
const hugeInParts = (at: number): readonly WorkloadStep[] => [
  { do: 'advise', at, pages: RANGE },
  { do: 'write', at, pages: RANGE },
  { do: 'split', at },
];

/** What the costs are made from. */
export const CALIBRATION: Readonly<Record<'sparse' | 'quarter' | 'dense' | 'hugeInParts', CollapseWorkload>> = {
  sparse: written(1),
  quarter: written(128),
  dense: written(512),
  hugeInParts: { name: 'a huge page mapped by PTEs', ranges: 1, steps: hugeInParts(0) },
};

/** What the costs are tried on: nothing here is used to make them. */
export const UNSEEN: readonly CollapseWorkload[] = [
  {
    name: 'every second page present, holes between',
    ranges: 1,
    steps: [{ do: 'write', at: 0, pages: RANGE, every: 2 }],
  },
  {
    name: 'all 512 pages shared with a child',
    ranges: 1,
    steps: [{ do: 'write', at: 0, pages: RANGE }, { do: 'fork' }],
  },
  {
    name: 'a huge page in parts, half given back, 128 pages written again',
    ranges: 1,
    steps: [...hugeInParts(0), { do: 'drop', at: 256, pages: 256 }, { do: 'write', at: 256, pages: 128 }],
  },
  {
    name: 'three ranges in one call: 384 present, a huge page in parts, 64 present',
    ranges: 3,
    steps: [{ do: 'write', at: 0, pages: 384 }, ...hugeInParts(RANGE), { do: 'write', at: 2 * RANGE, pages: 64 }],
  },
];
