/**
 * Allocation of rows in a table: a stack of freed rows, then rows never used before. The bookkeeping lies in the arena's
 * header, so that every thread attached to the buffer sees one pool. A word in it serialises allocation and freeing for
 * the few instructions that they take.
 *
 * Freed rows are handed out last in, first out. That makes an identity come back at once after a free, which is what a
 * kernel slab cache does, and what a check for stale identities has to survive.
 */
import { ArenaError, TableFullError } from './errors.js';
import type { TablePlan } from './layout.js';

const USED = 0;
const FREE_HEAD = 1;
const LIVE = 2;
const LOCK = 3;
const SPINS_BEFORE_WAIT = 200;
const WAITS_BEFORE_ERROR = 10_000;

/** The free rows of one pooled table. Row 0 is never handed out. */
export class RowPool {
  readonly name: string;
  readonly capacity: number;
  readonly #limit: string;
  readonly #meta: Int32Array;
  readonly #links: Uint32Array;
  readonly #clear: (row: number) => void;

  constructor(plan: TablePlan, buffer: SharedArrayBuffer, clear: (row: number) => void) {
    this.name = plan.name;
    this.capacity = plan.capacity;
    this.#limit = plan.limit;
    this.#meta = new Int32Array(buffer, plan.metaIndex * 4, 4);
    this.#links = new Uint32Array(buffer, plan.freeLinks, plan.capacity + 1);
    this.#clear = clear;
  }

  /** Rows handed out and not yet freed. */
  get live(): number {
    return Atomics.load(this.#meta, LIVE);
  }

  /** One more than the highest row ever handed out: the rows worth looking at. */
  get end(): number {
    return Atomics.load(this.#meta, USED) + 1;
  }

  /** A row whose cells are all zero. Errors: TableFullError. */
  alloc(): number {
    this.#acquire();
    let row = this.#meta[FREE_HEAD] as number;
    if (row !== 0) {
      this.#meta[FREE_HEAD] = this.#links[row] as number;
      this.#links[row] = 0;
    } else {
      row = (this.#meta[USED] as number) + 1;
      if (row > this.capacity) {
        this.#release();
        throw new TableFullError(this.name, this.#limit, this.capacity);
      }
      this.#meta[USED] = row;
    }
    this.#meta[LIVE] = (this.#meta[LIVE] as number) + 1;
    this.#release();
    return row;
  }

  /** Gives a row back; its cells are cleared first. Errors: a row that cannot be in use. */
  free(row: number): void {
    if (row < 1 || row >= this.end) throw new ArenaError(`row ${row} of table '${this.name}' was never handed out`);
    this.#clear(row);
    this.#acquire();
    this.#links[row] = this.#meta[FREE_HEAD] as number;
    this.#meta[FREE_HEAD] = row;
    this.#meta[LIVE] = (this.#meta[LIVE] as number) - 1;
    this.#release();
  }

  #acquire(): void {
    for (let spin = 0; spin < SPINS_BEFORE_WAIT; spin++) {
      if (Atomics.compareExchange(this.#meta, LOCK, 0, 1) === 0) return;
    }
    for (let wait = 0; wait < WAITS_BEFORE_ERROR; wait++) {
      if (Atomics.compareExchange(this.#meta, LOCK, 0, 1) === 0) return;
      Atomics.wait(this.#meta, LOCK, 1, 1);
    }
    throw new ArenaError(`table '${this.name}': its allocation word was not released; did a thread die?`);
  }

  #release(): void {
    Atomics.store(this.#meta, LOCK, 0);
    Atomics.notify(this.#meta, LOCK, 1);
  }
}
