/**
 * Candidates without samples: every block of the VMAs in which smaps counts huge pages (DAMON spec 5.1, the fallback). It selects
 * too much: smaps does not say which blocks of a VMA are huge, and nothing says which of them are cold.
 */
import type { MapsEntry } from '../smaps.js';
import type { HotBlock } from './hot-blocks.js';

/** All aligned blocks of VMAs with AnonHugePages, as if nothing in them were hot. */
export function blocksOfSmaps(entries: readonly MapsEntry[], pageSize: number, pmdOrder: number): HotBlock[] {
  const bytes = pageSize * 2 ** pmdOrder;
  const blocks: HotBlock[] = [];
  for (const { start, end, fieldsKb } of entries) {
    if ((fieldsKb.AnonHugePages ?? 0) === 0) continue;
    for (let at = Math.ceil(start / bytes) * bytes; at + bytes <= end; at += bytes) {
      blocks.push({ startPage: at / pageSize, samples: 0, peak: 0, accessed: 0, hot: 0, hotPercent: 0 });
    }
  }
  return blocks;
}

/** Blocks that are huge for certain, by smaps' own sums. */
export function hugeBlocksCounted(entries: readonly MapsEntry[], pageSize: number, pmdOrder: number): number {
  const kb = entries.reduce((sum, { fieldsKb }) => sum + (fieldsKb.AnonHugePages ?? 0), 0);
  return Math.round((kb * 1024) / (pageSize * 2 ** pmdOrder));
}
