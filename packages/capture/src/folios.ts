// Folio orders from kpageflags, and frames renumbered. kpageflags does not tell an order: it marks the first page of a folio
// (COMPOUND_HEAD) and the others (COMPOUND_TAIL), so the order is the length of head plus tails. A folio of which the
// process maps only a part is looked at whole.
import { KPF, type KpageReader } from './kpage-files.js';

const COMPOUND = KPF.compoundHead | KPF.compoundTail;

/** What stands for each frame, in the order of the sorted frame numbers. */
export interface FrameFacts {
  /** Ascending raw frame numbers. */
  readonly frames: Uint32Array;
  /** kpageflags of each, see kpfWord. */
  readonly kpf: Int32Array;
  /** Folio order of each; filled by {@link findOrders}. */
  readonly order: Uint8Array;
}

/** Finds the orders of folios block by block. */
export class OrderFinder {
  readonly #blockSize: number;
  readonly #reader: KpageReader;
  readonly #block: Int32Array;
  readonly #blockOrders: Uint8Array;

  /**
   * @param blockOrder PMD order: folios are naturally aligned, so none of the usual ones crosses a block of this size.
   *   A page of a larger folio (1 GiB pages of the hugetlb pool) gets this order.
   * @param reader of kpageflags, for the frames of a block that this process does not map.
   */
  constructor(blockOrder: number, reader: KpageReader) {
    this.#blockSize = 2 ** blockOrder;
    this.#reader = reader;
    this.#block = new Int32Array(this.#blockSize);
    this.#blockOrders = new Uint8Array(this.#blockSize);
  }

  /**
   * Fills the `order` of the frames from `from` on that lie in the same aligned block.
   * @returns the index of the first frame after the block.
   */
  findInBlock(facts: FrameFacts, from: number): number {
    const { frames, kpf, order } = facts;
    const blockSize = this.#blockSize;
    const base = frames[from] - (frames[from] % blockSize);
    let to = from;
    let seen = 0;
    while (to < frames.length && frames[to] < base + blockSize) seen |= kpf[to++];
    if ((seen & COMPOUND) === 0) return to;
    if (to - from === blockSize) this.#block.set(kpf.subarray(from, to));
    else this.#reader.readBlock(base, blockSize, this.#block);
    ordersInBlock(this.#block, this.#blockOrders);
    for (let index = from; index < to; index++) order[index] = this.#blockOrders[frames[index] - base];
    return to;
  }
}

/**
 * The order of the folio that each page of an aligned block belongs to. On a live machine folios are split and freed
 * while they are read: a row of pages that is no naturally aligned power of two counts as its largest aligned beginning,
 * and the rest as single pages, so that folios never overlap.
 */
export function ordersInBlock(block: Int32Array, orders: Uint8Array): void {
  orders.fill(0);
  let at = 0;
  while (at < block.length) {
    let end = at + 1;
    if ((block[at] & COMPOUND) !== 0) while (end < block.length && (block[end] & KPF.compoundTail) !== 0) end++;
    let order = 31 - Math.clz32(end - at);
    while (at % 2 ** order !== 0) order--;
    orders.fill(order, at, at + 2 ** order);
    at = end;
  }
}

/** New numbers for frames. */
export interface Renumbering {
  /** The new number of each frame, in the order of the sorted frame numbers. */
  readonly newFrame: Uint32Array;
  /** All new numbers, and all pages of their folios, are below this. */
  readonly frameCount: number;
}

/**
 * Numbers frames anew, so that no physical address is left but every fact that counts is kept: neighbours stay neighbours,
 * a folio stays whole and aligned to its size, and what was apart stays apart (by a gap of at least one frame).
 *
 * A run is a row of frames without a gap, together with the pages of their folios that this process does not map. Each
 * run moves as a whole to the next place that equals its old one modulo the largest folio in it.
 *
 * @param leastOrder alignment to keep at least, as an order.
 */
export function renumberFrames(frames: Uint32Array, order: Uint8Array, leastOrder = 0): Renumbering {
  const newFrame = new Uint32Array(frames.length);
  let next = 0;
  let from = 0;
  while (from < frames.length) {
    let maxOrder = Math.max(order[from], leastOrder);
    const start = folioStart(frames[from], order[from]);
    let end = start + 2 ** order[from];
    let to = from + 1;
    while (to < frames.length && folioStart(frames[to], order[to]) <= end) {
      end = Math.max(end, folioStart(frames[to], order[to]) + 2 ** order[to]);
      maxOrder = Math.max(maxOrder, order[to]);
      to++;
    }
    const modulus = 2 ** maxOrder;
    const base = next + ((((start - next) % modulus) + modulus) % modulus);
    for (let index = from; index < to; index++) newFrame[index] = base + (frames[index] - start);
    next = base + (end - start) + 1;
    from = to;
  }
  return { newFrame, frameCount: next };
}

function folioStart(frame: number, order: number): number {
  return frame - (frame % 2 ** order);
}
