/** Which huge pages to split, as address ranges for a scheme's filters (DAMON spec 5.1, stages 5 and 6). */
import type { HotBlock } from './hot-blocks.js';

/** The tool's limit of address filters. */
export const MAX_FILTERS = 256;

/** What makes a block a candidate, and how many ranges may come out. */
export interface CandidateOptions {
  /** Candidates are hot in less than so many per cent of their pages; 30 in the published tool. */
  readonly thresholdPercent: number;
  /** Blocks with fewer samples are passed over; 0 unless told otherwise. */
  readonly minSamples?: number;
  /** Most ranges: {@link MAX_FILTERS} unless told otherwise. */
  readonly maxRanges?: number;
}

/** Blocks that follow each other. Page numbers, [start, end). */
export interface CandidateRange {
  readonly startPage: number;
  readonly endPage: number;
  /** Hot per cent of the range: the mean of its blocks. */
  readonly hotPercent: number;
  readonly samples: number;
}

/** The outcome of a selection. */
export interface Candidates {
  /** Ascending. */
  readonly ranges: readonly CandidateRange[];
  /** Blocks below the threshold with samples enough. */
  readonly blocks: number;
  /** Blocks passed over for their few samples. */
  readonly tooFewSamples: number;
  /** Ranges left out by the limit: those with the most hot pages. */
  readonly leftOut: number;
}

/** Selects, joins neighbours (unless everything would become one range) and keeps at most the limit: the coldest. */
export function selectCandidates(blocks: readonly HotBlock[], order: number, options: CandidateOptions): Candidates {
  const { thresholdPercent, minSamples = 0, maxRanges = MAX_FILTERS } = options;
  const sparse = blocks.filter(({ hotPercent }) => hotPercent < thresholdPercent);
  const judged = sparse.filter(({ samples }) => samples >= minSamples);
  const single = judged.map((block) => rangeOf([block], order));
  const joined = joinNeighbours(judged, order);
  const ranges = joined.length === 1 ? single : joined;
  const kept = ranges.length <= maxRanges ? ranges : coldest(ranges, maxRanges);
  return {
    ranges: kept,
    blocks: judged.length,
    tooFewSamples: sparse.length - judged.length,
    leftOut: ranges.length - kept.length,
  };
}

function joinNeighbours(blocks: readonly HotBlock[], order: number): CandidateRange[] {
  const ranges: CandidateRange[] = [];
  for (let from = 0; from < blocks.length; ) {
    let to = from + 1;
    while (to < blocks.length && blocks[to].startPage === blocks[to - 1].startPage + 2 ** order) to++;
    ranges.push(rangeOf(blocks.slice(from, to), order));
    from = to;
  }
  return ranges;
}

function rangeOf(blocks: readonly HotBlock[], order: number): CandidateRange {
  return {
    startPage: blocks[0].startPage,
    endPage: blocks[blocks.length - 1].startPage + 2 ** order,
    hotPercent: blocks.reduce((sum, { hotPercent }) => sum + hotPercent, 0) / blocks.length,
    samples: blocks.reduce((sum, { samples }) => sum + samples, 0),
  };
}

function coldest(ranges: readonly CandidateRange[], count: number): CandidateRange[] {
  return [...ranges]
    .sort((a, b) => a.hotPercent - b.hotPercent || a.startPage - b.startPage)
    .slice(0, count)
    .sort((a, b) => a.startPage - b.startPage);
}
