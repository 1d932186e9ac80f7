/**
 * Records which cells of shared state the running step reads and writes.
 *
 * A cell is whatever the case calls one: a word of the arena, a row, a whole table. Numbers should be small. Code that
 * touches shared state past the log makes the search miss orders: a cell that two tasks use and one of them writes must
 * be logged by both. Off (no log in the case) it costs nothing, since nothing calls it.
 */
import type { HeldLocks } from '../held-locks.js';
import { MAX_CELL } from './accesses.js';

const FIRST_CELLS = 256;

export class AccessLog {
  /** Cells of the current step in the order of their first use. */
  cells: Int32Array = new Int32Array(FIRST_CELLS);
  count = 0;
  /** What the running task holds; undefined between steps. */
  held: HeldLocks | undefined = undefined;
  /** By cell: twice the number of the last step that used it, plus 1 if it wrote. */
  private stamps: Float64Array = new Float64Array(FIRST_CELLS);
  private step = 1;

  /** The running step reads the cell. */
  read(cell: number): void {
    if (this.held === undefined) return;
    if (cell >= this.stamps.length) this.grow(cell);
    if ((this.stamps[cell] as number) >= 2 * this.step) return;
    this.stamps[cell] = 2 * this.step;
    this.add(cell);
  }

  /** The running step writes the cell. */
  write(cell: number): void {
    if (this.held === undefined) return;
    if (cell >= this.stamps.length) this.grow(cell);
    const stamp = this.stamps[cell] as number;
    if (stamp > 2 * this.step) return;
    this.stamps[cell] = 2 * this.step + 1;
    if (stamp < 2 * this.step) this.add(cell);
  }

  /** True if the current step has written the cell. */
  wrote(cell: number): boolean {
    return this.stamps[cell] === 2 * this.step + 1;
  }

  /** A step of a task that holds these locks begins; done by the executor. */
  begin(held: HeldLocks): void {
    this.held = held;
    this.step++;
    this.count = 0;
  }

  /**
   * The code of the step has run without an error: a log that finds out only now what was written throws a GuardError here
   * if the task lacks the lock for it.
   */
  checkGuards(): void {}

  /** The code of the step has run, its cells are read next: a log that finds out only now what was touched adds it here. */
  settle(): void {}

  /** The step is over: what is touched now (a check, a reset) is nobody's. */
  end(): void {
    this.held = undefined;
  }

  private add(cell: number): void {
    if (this.count === this.cells.length) {
      const larger = new Int32Array(2 * this.count);
      larger.set(this.cells);
      this.cells = larger;
    }
    this.cells[this.count++] = cell;
  }

  private grow(cell: number): void {
    if (!(Number.isInteger(cell) && cell >= 0 && cell <= MAX_CELL)) {
      throw new RangeError(`cell ${cell} must be a whole number from 0 to ${MAX_CELL}`);
    }
    const larger = new Float64Array(Math.max(cell + 1, 2 * this.stamps.length));
    larger.set(this.stamps);
    this.stamps = larger;
  }
}
