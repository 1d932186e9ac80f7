/**
 * When an accessed bit was looked at last, and a block flushed last. Only what is recent matters: DAMON clears a bit and
 * looks at it one sampling interval later. So a cache is enough, of four ways; what has gone from it counts as "never".
 */
import type { Tables } from '@thplab/arena';
import type { AccessTables } from './tables.js';

/** What is remembered of a place. */
export const LOOK = { pte: 0, huge: 1, table: 2, flush: 3, flushPage: 4 } as const;
export type LookKind = (typeof LOOK)[keyof typeof LOOK];

const WAYS = 4;
/** Page numbers are below 2^36, address spaces below 2^14, so that a key is exact. */
const PAGE_BITS = 2 ** 36;

/** See the head of the file. */
export class Looks {
  readonly #t: Tables<AccessTables>['accessLook'];
  readonly #sets: number;

  constructor(t: Tables<AccessTables>) {
    this.#t = t.accessLook;
    this.#sets = t.accessLook.capacity / WAYS;
  }

  /** When, ns; -Infinity if not known. */
  last(kind: LookKind, mm: number, page: number): number {
    const key = keyOf(kind, mm, page);
    const start = this.#setOf(key);
    for (let row = start; row < start + WAYS; row++) if (this.#t.key[row] === key) return this.#t.atNs[row];
    return Number.NEGATIVE_INFINITY;
  }

  /** Remembers, in place of what is oldest in its set. */
  remember(kind: LookKind, mm: number, page: number, atNs: number): void {
    const key = keyOf(kind, mm, page);
    const start = this.#setOf(key);
    let oldest = start;
    for (let row = start; row < start + WAYS; row++) {
      if (this.#t.key[row] === key) {
        this.#t.atNs[row] = atNs;
        return;
      }
      if (this.#t.atNs[row] < this.#t.atNs[oldest] || this.#t.key[row] === 0) {
        if (this.#t.key[oldest] !== 0) oldest = row;
      }
    }
    this.#t.key[oldest] = key;
    this.#t.atNs[oldest] = atNs;
  }

  #setOf(key: number): number {
    const low = (key % 2 ** 32) | 0;
    const high = Math.floor(key / 2 ** 32) | 0;
    let hash = Math.imul(low ^ (low >>> 16), 0x85eb_ca6b) ^ Math.imul(high, 0xc2b2_ae35);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0x27d4_eb2f);
    return (((hash ^ (hash >>> 15)) >>> 0) % this.#sets) * WAYS;
  }
}

function keyOf(kind: LookKind, mm: number, page: number): number {
  return (mm * PAGE_BITS + page) * 8 + kind;
}
