/**
 * Allocation of rows in a table: a stack of freed rows, then rows never used before. The bookkeeping lies in the arena's
 * header, so that every thread attached to the buffer sees one pool. A word in it serialises allocation and freeing for
 * the few instructions that they take.
 *
 * Freed rows are handed out last in, first out. That makes an identity come back at once after a free, which is what a
 * kernel slab cache does, and what a check for stale identities has to survive.
 *
 * The link of a row is 0 while the row is handed out, the next free row on the stack, or LAST for the undermost one: so a
 * row that is freed twice is noticed.
 */
import { ArenaError, TableFullError } from './errors.js';
import type { ArenaPlan, TablePlan } from './layout.js';

/** Bookkeeping words of a pool, counted from the table's `metaIndex`. */
export const POOL_META = { used: 0, freeHead: 1, live: 2, lock: 3 } as const;

const { used: USED, freeHead: FREE_HEAD, live: LIVE, lock: LOCK } = POOL_META;
const LAST = 0xffff_ffff;

const FREE = 0;
const HELD = 1;
const CONTENDED = 2;
const SPINS_BEFORE_WAIT = 200;
const SPINS_WITHOUT_WAIT = 1_000_000;
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
    return Atomics.load(this.#meta, LIVE) >>> 0;
  }

  /** One more than the highest row ever handed out: the rows worth looking at. */
  get end(): number {
    return (Atomics.load(this.#meta, USED) >>> 0) + 1;
  }

  /** True if the row is handed out. */
  isLive(row: number): boolean {
    return row >= 1 && row < this.end && this.#links[row] === 0;
  }

  /** The rows handed out, upwards. Rows may be freed meanwhile. */
  *rows(): Generator<number, void, undefined> {
    for (let row = 1; row < this.end; row++) if (this.#links[row] === 0) yield row;
  }

  /** A row whose cells are all zero. Errors: TableFullError. */
  alloc(): number {
    this.#acquire();
    let row = this.#meta[FREE_HEAD] >>> 0;
    if (row !== 0) {
      const next = this.#links[row];
      this.#meta[FREE_HEAD] = next === LAST ? 0 : next;
      this.#links[row] = 0;
    } else {
      row = this.end;
      if (row > this.capacity) {
        this.#release();
        throw new TableFullError(this.name, this.#limit, this.capacity);
      }
      this.#meta[USED] = row;
    }
    this.#meta[LIVE] = this.#meta[LIVE] + 1;
    this.#release();
    return row;
  }

  /** Gives a row back; its cells are cleared first. Errors: a row that is not handed out. */
  free(row: number): void {
    if (!this.isLive(row)) throw this.#notLive(row);
    this.#clear(row);
    this.#acquire();
    const twice = this.#links[row] !== 0;
    if (!twice) {
      const head = this.#meta[FREE_HEAD] >>> 0;
      this.#links[row] = head === 0 ? LAST : head;
      this.#meta[FREE_HEAD] = row;
      this.#meta[LIVE] = this.#meta[LIVE] - 1;
    }
    this.#release();
    if (twice) throw this.#notLive(row);
  }

  /**
   * Recomputes the bookkeeping and compares: undefined, or what is wrong with it. For checks after a run, and for state
   * that came from outside.
   */
  defect(): string | undefined {
    const used = this.end - 1;
    if (used > this.capacity) return `table '${this.name}': ${used} rows used of ${this.capacity}`;
    let free = 0;
    for (let row = 1; row <= used; row++) if (this.#links[row] !== 0) free++;
    if (used - free !== this.live) return `table '${this.name}': ${this.live} rows live, counted ${used - free}`;
    let row = this.#meta[FREE_HEAD] >>> 0;
    for (let seen = 0; seen < free; seen++) {
      if (row < 1 || row > used) return `table '${this.name}': the free list breaks off after ${seen} of ${free} rows`;
      row = this.#links[row];
    }
    return free === 0 ? whole(row === 0, this.name) : whole(row === LAST, this.name);
  }

  #notLive(row: number): ArenaError {
    const why = row >= 1 && row < this.end ? 'is free already' : 'was never handed out';
    return new ArenaError(`row ${row} of table '${this.name}' ${why}`);
  }

  #acquire(): void {
    const meta = this.#meta;
    for (let spin = 0; spin < SPINS_BEFORE_WAIT; spin++) {
      if (Atomics.compareExchange(meta, LOCK, FREE, HELD) === FREE) return;
    }
    for (let wait = 0; wait < WAITS_BEFORE_ERROR; wait++) {
      if (Atomics.exchange(meta, LOCK, CONTENDED) === FREE) return;
      if (!mayWait(meta)) break;
    }
    for (let spin = 0; spin < SPINS_WITHOUT_WAIT; spin++) {
      if (Atomics.compareExchange(meta, LOCK, FREE, CONTENDED) === FREE) return;
    }
    throw new ArenaError(`table '${this.name}': its allocation word was not released; did a thread die?`);
  }

  #release(): void {
    if (Atomics.exchange(this.#meta, LOCK, FREE) === CONTENDED) Atomics.notify(this.#meta, LOCK, 1);
  }
}

/** Waits a moment for the lock word. False: this thread may not wait (the main thread of a browser). */
function mayWait(meta: Int32Array): boolean {
  try {
    Atomics.wait(meta, LOCK, CONTENDED, 1);
    return true;
  } catch {
    return false;
  }
}

function whole(ends: boolean, table: string): string | undefined {
  return ends ? undefined : `table '${table}': the free list goes on after its last row`;
}

/** Opens the locks of all pools: a copied state may hold one that a thread had closed when it was copied. */
export function resetPoolLocks(plan: ArenaPlan, buffer: SharedArrayBuffer): void {
  for (const table of plan.tables) {
    if (table.pooled) Atomics.store(new Int32Array(buffer, table.metaIndex * 4, 4), LOCK, FREE);
  }
}
