/** The analytic streams of processes that live: all, by address space, and by block. */
import type { Tables } from '@thplab/arena';
import type { Stream } from './stream.js';
import type { AccessTables } from './tables.js';

/** See the head of the file. */
export class LiveStreams {
  readonly #t: Tables<AccessTables>;
  readonly #ptes: number;
  readonly #byMm = new Map<number, readonly Stream[]>();
  #all: readonly Stream[];

  constructor(t: Tables<AccessTables>, ptes: number, streams: readonly Stream[]) {
    this.#t = t;
    this.#ptes = ptes;
    this.#all = streams;
    for (const { process } of streams) {
      if (this.#byMm.has(process.mm)) continue;
      this.#byMm.set(
        process.mm,
        streams.filter((one) => one.process.mm === process.mm),
      );
    }
  }

  get all(): readonly Stream[] {
    return this.#all;
  }

  /** Address spaces with streams. */
  get mms(): readonly number[] {
    return [...this.#byMm.keys()];
  }

  /** Streams of an address space; undefined if it has none. */
  in(mm: number): readonly Stream[] | undefined {
    return this.#byMm.get(mm);
  }

  /** Streams that lie in a block. */
  ofBlock(row: number): Stream[] {
    const b = this.#t.accessBlock;
    const first = b.block[row] * this.#ptes;
    const own = this.#byMm.get(b.mm[row]) ?? [];
    return own.filter((one) => one.start < first + this.#ptes && one.start + one.pages > first);
  }

  /** An address space is gone. */
  forget(mm: number): void {
    const gone = new Set(this.#byMm.get(mm) ?? []);
    this.#byMm.delete(mm);
    this.#all = this.#all.filter((one) => !gone.has(one));
  }
}
