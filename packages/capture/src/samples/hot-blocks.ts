/** From samples per page to hot and cold parts of huge pages (DAMON spec 5.1, stage 3). */
import type { PageHeat } from './page-heat.js';

/**
 * When a page of a block counts as hot, by the samples of the block's most-sampled page. `corrected`: at least a tenth of them,
 * and at least one. `published`: the integer part of a tenth, so that in a block whose peak is below ten every page is
 * hot, sampled or not (the tool's defect).
 */
export type HotRule = 'corrected' | 'published';

/** One block of a huge page's size. */
export interface HotBlock {
  /** Number of its first page. */
  readonly startPage: number;
  readonly samples: number;
  /** Samples of its most-sampled page. */
  readonly peak: number;
  /** Pages with a sample. */
  readonly accessed: number;
  /** Pages that are hot by the rule. */
  readonly hot: number;
  /** Whole per cent of the pages that are hot, rounded down. */
  readonly hotPercent: number;
}

/** The blocks of 2^order pages that have samples, ascending. */
export function hotBlocks(heat: PageHeat, order: number, rule: HotRule = 'corrected'): HotBlock[] {
  const blocks: HotBlock[] = [];
  heat.forEachBlock(order, (startPage, counts) => blocks.push(measure(startPage, counts, rule)));
  return blocks;
}

function measure(startPage: number, counts: Uint32Array, rule: HotRule): HotBlock {
  let samples = 0;
  let peak = 0;
  let accessed = 0;
  for (const count of counts) {
    samples += count;
    if (count > peak) peak = count;
    if (count > 0) accessed++;
  }
  const least = leastHot(peak, rule);
  let hot = 0;
  for (const count of counts) if (count >= least) hot++;
  return { startPage, samples, peak, accessed, hot, hotPercent: Math.floor((hot * 100) / counts.length) };
}

/** Samples from which a page is hot. */
export function leastHot(peak: number, rule: HotRule): number {
  const tenth = Math.floor(peak / 10);
  return rule === 'published' ? tenth : Math.max(tenth, 1);
}

/** Blocks by the share of their pages that have a sample: ten bins of ten per cent, the last one with 100 %. */
export function accessedDistribution(blocks: readonly HotBlock[], order: number): number[] {
  const bins = new Array<number>(10).fill(0);
  for (const { accessed } of blocks) bins[Math.min(9, Math.floor((accessed * 10) / 2 ** order))]++;
  return bins;
}

const SHADES: readonly (readonly [below: number, shade: string])[] = [
  [1, '.'],
  [10, '1'],
  [50, '2'],
  [100, '3'],
  [500, '4'],
];
const COLUMNS = 64;

/** A block as 64 characters, from `.` (no sample) over `1` to `4` to `#` (500 and more samples in the column's pages). */
export function blockPicture(counts: Uint32Array): string {
  const columns = Math.min(COLUMNS, counts.length);
  const width = counts.length / columns;
  let picture = '';
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let page = column * width; page < (column + 1) * width; page++) sum += counts[page];
    picture += SHADES.find(([below]) => sum < below)?.[1] ?? '#';
  }
  return picture;
}

/**
 * Hot pages that n samples are expected to show of a block with h equally hot ones (DAMON spec 5.3): h (1 - (1 - 1/h)^n). A
 * block with few samples looks sparser than it is.
 */
export function expectedSeen(hotPages: number, samples: number): number {
  return hotPages === 0 ? 0 : hotPages * (1 - (1 - 1 / hotPages) ** samples);
}

/** Samples from which a block that is hot throughout is expected to show at least so many per cent of its pages. */
export function samplesToJudge(pages: number, percent: number): number {
  if (percent >= 100) return Number.POSITIVE_INFINITY;
  return Math.ceil(Math.log(1 - percent / 100) / Math.log(1 - 1 / pages));
}
