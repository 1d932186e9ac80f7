/**
 * Doubly linked lists whose links are columns: a row is on the list by its own `next` and `prev` cells. Many lists can
 * share one pair of link columns (one list per owner), because the head and the tail are cells of the owner. Row 0 means
 * the end.
 */
import { ArenaError } from './errors.js';

/** The columns that make up the lists of one kind. */
export interface ListColumns {
  /** First row of each list, by owner. */
  readonly first: Uint32Array;
  /** Last row of each list, by owner. */
  readonly last: Uint32Array;
  readonly next: Uint32Array;
  readonly prev: Uint32Array;
}

/**
 * Operations on lists in columns. A row must be on at most one list of a pair of link columns; what its links hold while
 * it is on none does not matter, so another use may share the columns.
 */
export class IntrusiveList {
  readonly #c: ListColumns;

  constructor(columns: ListColumns) {
    this.#c = columns;
  }

  first(owner: number): number {
    return this.#c.first[owner];
  }

  last(owner: number): number {
    return this.#c.last[owner];
  }

  next(row: number): number {
    return this.#c.next[row];
  }

  prev(row: number): number {
    return this.#c.prev[row];
  }

  isEmpty(owner: number): boolean {
    return this.#c.first[owner] === 0;
  }

  pushBack(owner: number, row: number): void {
    this.insertAfter(owner, this.#c.last[owner], row);
  }

  pushFront(owner: number, row: number): void {
    this.insertAfter(owner, 0, row);
  }

  /** Puts `row` behind `after`, or at the front if `after` is 0. */
  insertAfter(owner: number, after: number, row: number): void {
    const { first, last, next, prev } = this.#c;
    const follower = (after === 0 ? first[owner] : next[after]) as number;
    prev[row] = after;
    next[row] = follower;
    if (after === 0) first[owner] = row;
    else next[after] = row;
    if (follower === 0) last[owner] = row;
    else prev[follower] = row;
  }

  /** Takes `row` off the owner's list. Errors: ArenaError if it is not on it, as far as its neighbours show. */
  remove(owner: number, row: number): void {
    const { first, last, next, prev } = this.#c;
    const before = prev[row];
    const behind = next[row];
    const here = before === 0 ? first[owner] : next[before];
    const back = behind === 0 ? last[owner] : prev[behind];
    if (here !== row || back !== row) throw new ArenaError(`row ${row} is not on the list of owner ${owner}`);
    if (before === 0) first[owner] = behind;
    else next[before] = behind;
    if (behind === 0) last[owner] = before;
    else prev[behind] = before;
    next[row] = 0;
    prev[row] = 0;
  }

  /** Removes and returns the first row, or 0. */
  popFront(owner: number): number {
    const row = this.#c.first[owner];
    if (row !== 0) this.remove(owner, row);
    return row;
  }

  /** The rows in order. The list may not change under the iteration, except by removal of the row just given. */
  *rows(owner: number): Generator<number, void, undefined> {
    let row = this.first(owner);
    while (row !== 0) {
      const next = this.next(row);
      yield row;
      row = next;
    }
  }
}
