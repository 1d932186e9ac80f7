/**
 * The access log of a searched machine. Reads are known by the columns that a step fetches (watched-machine.ts); writes by
 * comparing each fetched column with a shadow of the arena at the end of the step. So a cell is a column: coarse, but the
 * columns themselves stay what they are, and `Atomics` and the compiler treat them as ever.
 */
import { AccessLog, type HeldLocks } from '@thplab/sync';
import type { GuardCheck, GuardedColumn } from './guard-check.js';

/** A column whose bytes are compared. */
export interface LoggedColumn {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  /** Group of the columns that somebody keeps in a variable, -1 if nobody does. */
  readonly kept: number;
  /** A step that fetches the column may have changed kept columns of this group; -1: of none. */
  readonly group: number;
  /** Kept, and to be compared after every step. */
  readonly always: boolean;
  /** Who may write it; absent: anybody. */
  readonly guard?: GuardedColumn;
}

export class WatchedLog extends AccessLog {
  readonly columns: readonly LoggedColumn[];
  /** The arena as it was when the running step began; for reading. */
  readonly shadowBuffer: SharedArrayBuffer;
  /** Looks at what steps write; set once, before the first of them. */
  guards: GuardCheck | undefined = undefined;
  private readonly shadow: Uint8Array;
  /** The arena and its shadow, in words: one kind of array, or comparing gets slow. */
  private readonly now: Int32Array;
  private readonly seen: Int32Array;
  /** First word of each column, and one past its last. */
  private readonly from: Int32Array;
  private readonly to: Int32Array;
  /** Kept columns by group. */
  private readonly kept: readonly Int32Array[];
  private readonly group: Int32Array;
  /** Groups that are compared after every step, as a mask. */
  private readonly alwaysGroups: number;
  /** Columns that the step has changed; a kept one that it has fetched may be here twice. */
  private readonly changed: Int32Array;
  private changedCount = 0;
  private compared = -1;
  /** By cell: number of the last step that used it past its guard. */
  private readonly excused: Float64Array;
  /** Number of the running step; goes on when the step frees a row, because that ends what its guard has said. */
  epoch = 0;
  private turn = 0;
  private keptEpoch = -1;
  private keepsTables = false;
  private vmasEpoch = -1;
  private keepsVmas = false;

  /** The cell of a column is its place in the list. */
  constructor(buffer: SharedArrayBuffer, columns: readonly LoggedColumn[]) {
    super();
    const groups = 1 + columns.reduce((most, { kept }) => Math.max(most, kept), -1);
    this.kept = Array.from({ length: groups }, (_, group) =>
      Int32Array.from([...columns.keys()].filter((cell) => columns[cell]?.kept === group)),
    );
    this.group = Int32Array.from(columns, ({ group }) => group);
    this.alwaysGroups = columns.reduce((mask, { kept, always }) => (always ? mask | (1 << kept) : mask), 0);
    this.changed = new Int32Array(2 * columns.length);
    this.excused = new Float64Array(columns.length);
    this.columns = columns;
    this.shadowBuffer = new SharedArrayBuffer(buffer.byteLength);
    this.now = new Int32Array(buffer);
    this.seen = new Int32Array(this.shadowBuffer);
    this.shadow = new Uint8Array(this.shadowBuffer);
    this.shadow.set(new Uint8Array(buffer));
    // Columns begin at whole cache lines, so what fills the last word is nobody's.
    this.from = Int32Array.from(columns, ({ offset }) => offset / 4);
    this.to = Int32Array.from(columns, ({ offset, bytes }) => Math.ceil((offset + bytes) / 4));
  }

  /** The arena has just been given these bytes. */
  restart(bytes: Uint8Array): void {
    this.shadow.set(bytes);
  }

  override begin(held: HeldLocks): void {
    super.begin(held);
    this.turn++;
    this.epoch++;
  }

  /** The running step uses the cell where its guard does not count (mm-model's lockless.ts). */
  excuse(cell: number): void {
    this.excused[cell] = this.turn;
  }

  /** True if the running step may read all page tables (or no step runs). */
  mayReadTables(): boolean {
    const { held, guards } = this;
    if (held === undefined || guards === undefined) return true;
    if (this.keptEpoch !== this.epoch) {
      this.keptEpoch = this.epoch;
      this.keepsTables = guards.keepsAllTables(held);
    }
    return this.keepsTables;
  }

  /** True if the running step may read all that guards of VMAs and address spaces keep. */
  mayReadVmas(): boolean {
    const { held, guards } = this;
    if (held === undefined || guards === undefined) return false;
    if (this.vmasEpoch !== this.epoch) {
      this.vmasEpoch = this.epoch;
      this.keepsVmas = guards.keepsAllVmas(held);
    }
    return this.keepsVmas;
  }

  override checkGuards(): void {
    this.compare();
    for (let at = 0; at < this.changedCount; at++) this.checkGuard(this.changed[at] as number);
  }

  override settle(): void {
    this.compare();
    for (let at = 0; at < this.changedCount; at++) this.write(this.changed[at] as number);
    this.takeChanges();
  }

  /** Compares the columns that the step has fetched, and those that it may have had already: once per step. */
  private compare(): void {
    if (this.compared === this.turn) return;
    this.compared = this.turn;
    this.changedCount = 0;
    const { count, cells, kept, group } = this;
    let groups = this.alwaysGroups;
    for (let at = 0; at < count; at++) {
      const cell = cells[at] as number;
      this.compareCell(cell);
      if (group[cell] !== -1) groups |= 1 << (group[cell] as number);
    }
    for (let one = 0; groups >> one !== 0; one++) {
      const keptCells = kept[one] as Int32Array;
      if ((groups & (1 << one)) !== 0)
        for (let at = 0; at < keptCells.length; at++) this.compareCell(keptCells[at] as number);
    }
  }

  private compareCell(cell: number): void {
    if (this.differs(cell)) this.changed[this.changedCount++] = cell;
  }

  private checkGuard(cell: number): void {
    const { held } = this;
    const guard = this.columns[cell]?.guard;
    if (guard === undefined || held === undefined || this.excused[cell] === this.turn) return;
    const { now, seen } = this;
    const to = this.to[cell] as number;
    let last = -1;
    for (let at = this.from[cell] as number; at < to; at++) {
      if (now[at] === seen[at]) continue;
      const row = Math.floor((at * 4 - guard.offset) / guard.rowBytes);
      if (row !== last) this.guards?.written(guard, row, held);
      last = row;
    }
  }

  private takeChanges(): void {
    const { now, seen } = this;
    for (let i = 0; i < this.changedCount; i++) {
      const cell = this.changed[i] as number;
      const to = this.to[cell] as number;
      for (let at = this.from[cell] as number; at < to; at++) seen[at] = now[at] as number;
    }
    this.changedCount = 0;
  }

  /** Columns that have changed since the last step without having been fetched: empty, or the log is not to be trusted. */
  unseen(): readonly string[] {
    this.changedCount = 0;
    for (const cell of this.columns.keys()) this.compareCell(cell);
    const names = Array.from(this.changed.subarray(0, this.changedCount), (cell) => this.columns[cell]?.name ?? '');
    this.takeChanges();
    return names;
  }

  private differs(cell: number): boolean {
    const { now, seen } = this;
    const to = this.to[cell] as number;
    for (let at = this.from[cell] as number; at < to; at++) if (now[at] !== seen[at]) return true;
    return false;
  }
}
