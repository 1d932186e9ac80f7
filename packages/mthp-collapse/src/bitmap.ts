/**
 * Occupancy bitmap of one page table: bit i set means entry i is occupied (khugepaged spec 1, `mthp_present_ptes`).
 *
 * A `Uint32Array` of N/32 words, bit i in word i >> 5; a table of 8 entries uses the low byte of one word. Windows
 * are powers of two and aligned to their size, so a window is either part of one word or a run of whole words: no
 * count ever masks two ends.
 */
export type Occupancy = Uint32Array;

/** Words that a table of 2^pmdOrder entries needs. */
export function occupancyWords(pmdOrder: number): number {
  return Math.max(1, (1 << pmdOrder) >>> 5);
}

/** An empty bitmap for a table of 2^pmdOrder entries. */
export function createOccupancy(pmdOrder: number): Occupancy {
  return new Uint32Array(occupancyWords(pmdOrder));
}

/** Set bits of one 32-bit word. */
export function popcount32(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * Set bits in the window [offset, offset + 2^order).
 *
 * @param offset in entries, a multiple of 2^order; not checked, this is the inner loop of every walk.
 */
export function popcountWindow(bitmap: Occupancy, offset: number, order: number): number {
  const word = offset >>> 5;
  if (order < 5) {
    const mask = (1 << (1 << order)) - 1;
    return popcount32((bitmap[word] >>> (offset & 31)) & mask);
  }
  const end = word + (1 << (order - 5));
  let count = 0;
  for (let i = word; i < end; i++) {
    const bits = bitmap[i];
    if (bits === 0xffffffff) count += 32;
    else if (bits !== 0) count += popcount32(bits);
  }
  return count;
}

/** Is entry `index` occupied? */
export function isOccupied(bitmap: Occupancy, index: number): boolean {
  return ((bitmap[index >>> 5] >>> (index & 31)) & 1) === 1;
}

/** Marks the entries [from, to) as occupied. */
export function occupyRange(bitmap: Occupancy, from: number, to: number): void {
  for (let i = from; i < to; ) {
    const inWord = i & 31;
    const upTo = Math.min(32, inWord + (to - i));
    bitmap[i >>> 5] |= upTo === 32 ? -1 << inWord : (-1 << inWord) & ~(-1 << upTo);
    i += upTo - inWord;
  }
}

/** Occupied entries of the whole bitmap. */
export function occupancyCount(bitmap: Occupancy): number {
  let count = 0;
  for (const word of bitmap) count += popcount32(word);
  return count;
}
