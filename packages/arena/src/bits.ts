/**
 * Bit planes: one bit per slot, 32 to a word. A plane of a table with 512 slots is 16 words, so that questions about a
 * whole page table are 16 word operations and popcounts instead of a loop over 512 entries.
 *
 * Indices are bit numbers counted from the start of the array, below 2^32. A row starts at a word of its own, so its
 * plane starts at `row * slots` if that is a multiple of 32, else further on: `planeStart` gives it.
 */

/** Words that one row of `slots` bits takes. */
export function wordsPerRow(slots: number): number {
  return Math.ceil(slots / 32);
}

/** Number of the first bit of a row's plane, in a column with `slots` bits per row. */
export function planeStart(row: number, slots: number): number {
  return row * wordsPerRow(slots) * 32;
}

/** Number of set bits of a 32-bit word. */
export function popcount32(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** True if bit `index` is set. */
export function getBit(words: Uint32Array, index: number): boolean {
  return (words[index >>> 5] & (1 << (index & 31))) !== 0;
}

/** Sets bit `index`. */
export function setBit(words: Uint32Array, index: number): void {
  const w = index >>> 5;
  words[w] = words[w] | (1 << (index & 31));
}

/** Clears bit `index`. */
export function clearBit(words: Uint32Array, index: number): void {
  const w = index >>> 5;
  words[w] = words[w] & ~(1 << (index & 31));
}

/** Sets bit `index` atomically: for planes that are written without the row's lock. Returns the former value. */
export function setBitAtomic(words: Uint32Array, index: number): boolean {
  const bit = 1 << (index & 31);
  return (Atomics.or(words, index >>> 5, bit) & bit) !== 0;
}

/** Clears bit `index` atomically. Returns the former value. */
export function clearBitAtomic(words: Uint32Array, index: number): boolean {
  const bit = 1 << (index & 31);
  return (Atomics.and(words, index >>> 5, ~bit) & bit) !== 0;
}

/** Mask of the bits from `from` to `to - 1` that lie in word `word`. */
export function rangeMask(word: number, from: number, to: number): number {
  const base = word * 32;
  const low = from > base ? from - base : 0;
  const high = to < base + 32 ? to - base : 32;
  if (low >= high) return 0;
  return ((high === 32 ? -1 : (1 << high) - 1) & (-1 << low)) >>> 0;
}

/** Sets the bits from `from` to `to - 1`. */
export function setBits(words: Uint32Array, from: number, to: number): void {
  for (let w = from >>> 5; w * 32 < to; w++) words[w] = words[w] | rangeMask(w, from, to);
}

/** Clears the bits from `from` to `to - 1`. */
export function clearBits(words: Uint32Array, from: number, to: number): void {
  for (let w = from >>> 5; w * 32 < to; w++) words[w] = words[w] & ~rangeMask(w, from, to);
}

/** Number of set bits from `from` to `to - 1`. */
export function countBits(words: Uint32Array, from: number, to: number): number {
  let count = 0;
  for (let w = from >>> 5; w * 32 < to; w++) count += popcount32(words[w] & rangeMask(w, from, to));
  return count;
}

/** The first set bit at or after `from` and below `to`, or -1. */
export function findBit(words: Uint32Array, from: number, to: number): number {
  for (let w = from >>> 5; w * 32 < to; w++) {
    const word = words[w] & rangeMask(w, from, to);
    if (word !== 0) return w * 32 + 31 - Math.clz32(word & -word);
  }
  return -1;
}

/** The last set bit at or after `from` and below `to`, or -1. */
export function findLastBit(words: Uint32Array, from: number, to: number): number {
  if (to <= from) return -1;
  for (let w = (to - 1) >>> 5; w >= from >>> 5; w--) {
    const word = words[w] & rangeMask(w, from, to);
    if (word !== 0) return w * 32 + 31 - Math.clz32(word);
  }
  return -1;
}
