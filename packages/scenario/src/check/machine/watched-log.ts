/**
 * The access log of a searched machine. Reads are known by the columns that a step fetches (watched-machine.ts); writes by
 * comparing each fetched column with a shadow of the arena at the end of the step. So a cell is a column: coarse, but the
 * columns themselves stay what they are, and `Atomics` and the compiler treat them as ever.
 */
import { AccessLog } from '@thplab/sync';

/** A column whose bytes are compared. */
export interface LoggedColumn {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  /** Somebody keeps the column in a variable: it is compared after every step, whether it was fetched or not. */
  readonly kept?: boolean;
}

export class WatchedLog extends AccessLog {
  readonly columns: readonly LoggedColumn[];
  private readonly shadow: Uint8Array;
  /** The arena and its shadow, in words: one kind of array, or comparing gets slow. */
  private readonly now: Int32Array;
  private readonly seen: Int32Array;
  /** First word of each column, and one past its last. */
  private readonly from: Int32Array;
  private readonly to: Int32Array;
  private readonly kept: readonly number[];

  /** The cell of a column is its place in the list. */
  constructor(buffer: SharedArrayBuffer, columns: readonly LoggedColumn[]) {
    super();
    this.kept = [...columns.keys()].filter((cell) => columns[cell]?.kept === true);
    this.columns = columns;
    this.now = new Int32Array(buffer);
    this.seen = new Int32Array(buffer.byteLength / 4);
    this.shadow = new Uint8Array(this.seen.buffer);
    // Columns begin at whole cache lines, so what fills the last word is nobody's.
    this.from = Int32Array.from(columns, ({ offset }) => offset / 4);
    this.to = Int32Array.from(columns, ({ offset, bytes }) => Math.ceil((offset + bytes) / 4));
  }

  /** The arena has just been given these bytes. */
  restart(bytes: Uint8Array): void {
    this.shadow.set(bytes);
  }

  override settle(): void {
    for (const cell of this.kept) if (this.differs(cell)) this.write(cell);
  }

  /** The step wrote the cell: it says so itself, or the column has changed. Asked once per cell, at the end of a step. */
  override wrote(cell: number): boolean {
    return this.takeChanges(cell) || super.wrote(cell);
  }

  /** Columns that have changed since the last step without having been fetched: empty, or the log is not to be trusted. */
  unseen(): readonly string[] {
    return this.columns.filter((_, cell) => this.takeChanges(cell)).map(({ name }) => name);
  }

  private takeChanges(cell: number): boolean {
    if (!this.differs(cell)) return false;
    const { now, seen } = this;
    const to = this.to[cell] as number;
    for (let at = this.from[cell] as number; at < to; at++) seen[at] = now[at] as number;
    return true;
  }

  private differs(cell: number): boolean {
    const { now, seen } = this;
    const to = this.to[cell] as number;
    for (let at = this.from[cell] as number; at < to; at++) if (now[at] !== seen[at]) return true;
    return false;
  }
}
