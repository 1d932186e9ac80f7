/**
 * Where a mapping goes when the caller names no address (`mm_get_unmapped_area`, top-down): the highest hole below the
 * mapping base that fits. Anonymous memory of whole PMD ranges is aligned to them, so that it can be huge.
 */
import type { MmId } from '../brands.js';
import { VMA_KIND } from '../flags.js';
import type { Machine } from '../machine.js';
import { prevVma, vmaBelow, vmaIntersecting } from '../vma-tree.js';

/** Bytes at the bottom that are never mapped (`vm.mmap_min_addr`). */
const MIN_ADDRESS_BYTES = 65_536;

/** First page that may be mapped. */
export function lowestPage(m: Machine): number {
  return Math.max(1, MIN_ADDRESS_BYTES >> m.geometry.pageShift);
}

/** Mappings without an address are placed below this page, a PMD boundary; the sixteenth above it is left to stacks. */
export function mmapBase(m: Machine): number {
  const top = m.addressPages - Math.floor(m.addressPages / 16);
  return top - (top % m.ptes);
}

/** A free range of `pages`, at `hint` if that is free; its first page, or 0 if there is none. */
export function findUnmappedArea(m: Machine, mm: MmId, pages: number, kind: number, hint = 0): number {
  const fits = hint >= lowestPage(m) && hint + pages <= m.addressPages;
  if (fits && vmaIntersecting(m, mm, hint, hint + pages) === 0) return hint;
  const align = kind === VMA_KIND.anon && pages % m.ptes === 0 ? m.ptes : 1;
  return highestHole(m, mm, pages, align) || (align > 1 ? highestHole(m, mm, pages, 1) : 0);
}

function highestHole(m: Machine, mm: MmId, pages: number, align: number): number {
  let top = mmapBase(m);
  let below = vmaBelow(m, mm, top);
  // A VMA across the base starts below it, and is not "below".
  const across = vmaIntersecting(m, mm, top, top + 1);
  if (across !== 0) top = Math.min(top, m.vma.start[across]);
  for (;;) {
    const place = Math.floor((top - pages) / align) * align;
    const bottom = below === 0 ? lowestPage(m) : m.vma.end[below];
    if (place >= bottom) return place;
    if (below === 0) return 0;
    top = m.vma.start[below];
    below = prevVma(m, below);
  }
}
