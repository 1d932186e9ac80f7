/**
 * The ring as writers and readers see it. A writer reserves a row by one compare-and-exchange, so that threads can share
 * the ring. The counter of events is one 32-bit word that goes back to 0 at a multiple of the ring's size, and a word
 * that counts how often it did: together they count further than any run lasts.
 */
import type { Tables } from '@thplab/arena';
import type { TRACE_TABLES } from './tables.js';

/** The tables of a traced arena. */
export type TraceTables = Tables<typeof TRACE_TABLES>;

/** Where the ring is. */
export class TraceRing {
  /** Events that the ring holds. */
  readonly capacity: number;
  /** Value at which the head counter goes back to 0. */
  readonly span: number;
  readonly rows: TraceTables['traceEvents'];
  readonly #head: Uint32Array;
  readonly #wraps: Uint32Array;

  constructor(tables: TraceTables) {
    this.rows = tables.traceEvents;
    this.capacity = tables.traceEvents.capacity;
    this.span = this.capacity * Math.floor((2 ** 32 - 1) / this.capacity);
    this.#head = tables.traceRing.head;
    this.#wraps = tables.traceRing.wraps;
  }

  /** Takes the place of the next event: a head value, whose remainder by `capacity` is the row. */
  reserve(): number {
    const head = this.#head;
    for (;;) {
      const at = Atomics.load(head, 0);
      const next = at + 1 === this.span ? 0 : at + 1;
      if (Atomics.compareExchange(head, 0, at, next) !== at) continue;
      if (next === 0) Atomics.add(this.#wraps, 0, 1);
      return at;
    }
  }

  /** Events written since the ring was cleared. */
  get written(): number {
    return Atomics.load(this.#wraps, 0) * this.span + Atomics.load(this.#head, 0);
  }

  /** Number of the oldest event that is still there. */
  get oldest(): number {
    return Math.max(0, this.written - this.capacity);
  }

  /** Forgets all events. Not while others write. */
  clear(): void {
    this.#head[0] = 0;
    this.#wraps[0] = 0;
    this.rows.stamp.fill(0);
  }
}
