// A set of page frame numbers that gives each member its rank (0 for the lowest) in constant time: a bitmap in chunks
// that exist only where members are, with running counts. It replaces sorting and searching, which for 16 million pages
// would take longer than reading the kernel's files.

const CHUNK_BITS = 15;
const CHUNK_WORDS = 2 ** (CHUNK_BITS - 5);
const DIRECTORY_SIZE = 2 ** (32 - CHUNK_BITS);

/** Set of 32-bit page frame numbers. Fill it, call `seal` once, then ask. */
export class FrameSet {
  /** Chunk number + 1 of each 32768 frames; 0 where there is none. */
  readonly #directory: Uint32Array = new Uint32Array(DIRECTORY_SIZE);
  readonly #bits: Uint32Array[] = [];
  /** Members below each word of each chunk; filled by `seal`. */
  readonly #below: Uint32Array[] = [];
  #size = 0;

  /** Adds a frame number; adding twice does nothing. */
  add(pfn: number): void {
    const slot = pfn >>> CHUNK_BITS;
    let chunk = this.#directory[slot];
    if (chunk === 0) {
      chunk = this.#bits.push(new Uint32Array(CHUNK_WORDS));
      this.#directory[slot] = chunk;
    }
    this.#bits[chunk - 1][(pfn >>> 5) & (CHUNK_WORDS - 1)] |= 1 << (pfn & 31);
  }

  /** Ends the filling: counts the members, so that `size`, `rank` and `sorted` can answer. */
  seal(): void {
    let below = 0;
    for (let slot = 0; slot < DIRECTORY_SIZE; slot++) {
      const chunk = this.#directory[slot];
      if (chunk === 0) continue;
      const bits = this.#bits[chunk - 1];
      const counts = new Uint32Array(CHUNK_WORDS);
      for (let word = 0; word < CHUNK_WORDS; word++) {
        counts[word] = below;
        below += popcount(bits[word]);
      }
      this.#below[chunk - 1] = counts;
    }
    this.#size = below;
  }

  /** Number of members. Needs `seal`. */
  get size(): number {
    return this.#size;
  }

  /** How many members are below `pfn`: the row of a member in `sorted()`. Needs `seal`, and `pfn` must be a member. */
  rank(pfn: number): number {
    const chunk = this.#directory[pfn >>> CHUNK_BITS] - 1;
    const word = (pfn >>> 5) & (CHUNK_WORDS - 1);
    return this.#below[chunk][word] + popcount(this.#bits[chunk][word] & ((1 << (pfn & 31)) - 1));
  }

  /** The members, ascending. Needs `seal`. */
  sorted(): Uint32Array {
    const out = new Uint32Array(this.#size);
    let next = 0;
    for (let slot = 0; slot < DIRECTORY_SIZE; slot++) {
      const chunk = this.#directory[slot];
      if (chunk === 0) continue;
      const bits = this.#bits[chunk - 1];
      for (let word = 0; word < CHUNK_WORDS; word++) {
        for (let left = bits[word]; left !== 0; left &= left - 1) {
          out[next++] = slot * 2 ** CHUNK_BITS + word * 32 + (31 - Math.clz32(left & -left));
        }
      }
    }
    return out;
  }
}

/** Number of set bits of a 32-bit word. */
export function popcount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
