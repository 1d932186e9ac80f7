/** How often each page was seen. Pages are page numbers, virtual or physical; what they number is the caller's matter. */

/** More different pages than this are not taken: V8's maps end at 2^24 entries. */
const MOST_PAGES = 2 ** 23;

/** See the head of the file. */
export class PageHeat {
  readonly #counts = new Map<number, number>();
  #samples = 0;

  /** Samples in all. */
  get samples(): number {
    return this.#samples;
  }

  /** Different pages. */
  get pages(): number {
    return this.#counts.size;
  }

  /**
   * Counts a page.
   * @throws RangeError beyond 2^23 different pages (32 GiB touched in 4K pages).
   */
  add(page: number, samples = 1): void {
    const before = this.#counts.get(page);
    if (before === undefined && this.#counts.size >= MOST_PAGES) {
      throw new RangeError(`more than ${MOST_PAGES} different pages were sampled; split the recording`);
    }
    this.#counts.set(page, (before ?? 0) + samples);
    this.#samples += samples;
  }

  /** Pages and their counts, in the order in which they were first seen. */
  entries(): IterableIterator<[page: number, samples: number]> {
    return this.#counts.entries();
  }

  /** Calls `visit` with each block of 2^order pages that was seen, ascending, with the samples of each of its pages. */
  forEachBlock(order: number, visit: (startPage: number, counts: Uint32Array) => void): void {
    const pages = Float64Array.from(this.#counts.keys()).sort();
    const size = 2 ** order;
    const counts = new Uint32Array(size);
    for (let at = 0; at < pages.length; ) {
      const start = Math.floor(pages[at] / size) * size;
      counts.fill(0);
      for (; at < pages.length && pages[at] < start + size; at++) {
        counts[pages[at] - start] = this.#counts.get(pages[at]) ?? 0;
      }
      visit(start, counts);
    }
  }
}
