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

interface Words {
  readonly now: Uint8Array | Uint32Array;
  readonly then: Uint8Array | Uint32Array;
}

export class WatchedLog extends AccessLog {
  readonly columns: readonly LoggedColumn[];
  private readonly shadow: Uint8Array;
  private readonly words: readonly Words[];
  private readonly kept: readonly number[];

  /** The cell of a column is its place in the list. */
  constructor(buffer: SharedArrayBuffer, columns: readonly LoggedColumn[]) {
    super();
    this.kept = [...columns.keys()].filter((cell) => columns[cell]?.kept === true);
    this.columns = columns;
    const copy = new ArrayBuffer(buffer.byteLength);
    this.shadow = new Uint8Array(copy);
    this.words = columns.map(({ offset, bytes }) => {
      const whole = offset % 4 === 0 && bytes % 4 === 0;
      const now = whole ? new Uint32Array(buffer, offset, bytes / 4) : new Uint8Array(buffer, offset, bytes);
      const then = whole ? new Uint32Array(copy, offset, bytes / 4) : new Uint8Array(copy, offset, bytes);
      return { now, then };
    });
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
    const { now, then } = this.words[cell] as Words;
    then.set(now as Uint32Array);
    return true;
  }

  private differs(cell: number): boolean {
    const { now, then } = this.words[cell] as Words;
    for (let at = 0; at < now.length; at++) if (now[at] !== then[at]) return true;
    return false;
  }
}
