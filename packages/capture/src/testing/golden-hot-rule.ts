/** Golden data of DAMON spec 4.2: the rule by which RFC v1 told hot pages, and its example. */

/** Samples from which a page is hot, by the samples of the hottest page; as published there was no least of 1. */
export const HOT_RULE = [
  { row: '4.2 hot rule', peak: 1, corrected: 1, published: 0 },
  { row: '4.2 hot rule', peak: 9, corrected: 1, published: 0 },
  { row: '4.2 hot rule', peak: 10, corrected: 1, published: 1 },
  { row: '4.2 hot rule', peak: 25, corrected: 2, published: 2 },
  { row: '4.2 hot rule', peak: 39_794, corrected: 3_979, published: 3_979 },
] as const;

/** Hot pages of 512, their share in per cent (rounded down), and whether the block is split below a threshold. */
export const HOT_FRACTION = [
  { row: '4.2 THP-0 of the example', hot: 460, percent: 89, threshold: 80, split: false },
  { row: '4.2 THP-1 of the example', hot: 128, percent: 25, threshold: 80, split: true },
  { row: '4.2 hot_threshold 30', hot: 153, percent: 29, threshold: 30, split: true },
  { row: '4.2 hot_threshold 30', hot: 154, percent: 30, threshold: 30, split: false },
] as const;
