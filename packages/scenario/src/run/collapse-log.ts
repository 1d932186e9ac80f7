/**
 * What became of every PMD range: the last result, the orders that were built in it, and totals over all attempts. Filled
 * by the collapse code's decision recorder, so that it is whole whatever the trace ring holds.
 */
import type { Machine, MmId, VmaId, Vpn } from '@thplab/mm-model';
import type { DecisionRecorder, ScanFacts, ScanResult } from '@thplab/mthp-collapse';
import { SCAN } from '@thplab/mthp-collapse';
import { type TableView, viewTable } from '../report/table-slots.js';

/** One PMD range that was looked at. */
export interface RangeRecord {
  /** Result of the last look. */
  result: ScanResult;
  /** Bit o: a window of order o was collapsed here. */
  orders: number;
  /** Times that it was looked at. */
  looks: number;
  /** When it was looked at last, ns. */
  lastNs: number;
}

/** One step of the decision about a table, for zooming in. */
export type DecisionStep =
  | { readonly kind: 'scan'; readonly result: ScanResult; readonly facts: ScanFacts }
  | {
      readonly kind: 'skip';
      readonly page: number;
      readonly order: number;
      readonly occupied: number;
      readonly required: number;
    }
  | { readonly kind: 'attempt'; readonly page: number; readonly order: number; readonly result: ScanResult }
  | {
      readonly kind: 'lock';
      readonly lock: string;
      readonly mode: 'read' | 'write';
      readonly taken: boolean;
      readonly atNs: number;
    }
  | { readonly kind: 'done'; readonly result: ScanResult };

/** All decisions about one table in one look. */
export interface TableLook {
  readonly atNs: number;
  /** The table when the look began; null if there was none. */
  readonly before: TableView | null;
  readonly steps: readonly DecisionStep[];
}

/** A table whose every decision is kept. */
export interface ZoomTarget {
  readonly mm: number;
  /** First page of the range. */
  readonly page: number;
}

/** Collapses done up to a time. */
export interface ProgressPoint {
  readonly atNs: number;
  /** Base pages in folios that were built since the start. */
  readonly pages: number;
}

/** Looks kept for a zoomed table; later ones of a long run say nothing new. */
const MAX_LOOKS = 64;
/** Addresses have 35 bits of page number and more than 9 of slots: a range number stays below this. */
const MM_FACTOR = 2 ** 36;

/** See the head of the file. */
export class CollapseLog implements DecisionRecorder {
  readonly #m: Machine;
  readonly #ranges = new Map<number, RangeRecord>();
  /** Attempts by order, then by result. */
  readonly attempts: Map<number, Map<ScanResult, number>> = new Map();
  /** Ranges by result, every look counted. */
  readonly looks: Map<ScanResult, number> = new Map();
  /** Base pages in folios that were built. */
  collapsedPages = 0;
  /** Base pages that had content to be copied into them. */
  copiedPages = 0;
  readonly progress: ProgressPoint[] = [];
  readonly zoomed: Map<number, TableLook[]> = new Map();
  /** Told of every folio that is built. */
  built: ((mm: MmId, page: Vpn, order: number) => void) | undefined;
  #zoom: ReadonlySet<number> = new Set();
  #steps: DecisionStep[] = [];
  #before: TableView | null = null;
  /** Task that looks at a zoomed table now; 0: none. */
  #task = 0;

  constructor(m: Machine) {
    this.#m = m;
  }

  /** Keeps every decision about these tables from now on. */
  zoomInto(targets: readonly ZoomTarget[]): void {
    this.#zoom = new Set(targets.map((target) => this.#key(target.mm, target.page)));
  }

  /** What is known of the range that starts with a page; undefined if nobody looked. */
  range(mm: number, page: number): RangeRecord | undefined {
    return this.#ranges.get(this.#key(mm, page));
  }

  /** Decisions kept for a zoomed table. */
  looksAt(mm: number, page: number): readonly TableLook[] {
    return this.zoomed.get(this.#key(mm, page)) ?? [];
  }

  /** An address space is gone: its number may come again. */
  forget(mm: number): void {
    for (const key of this.#ranges.keys()) if (Math.floor(key / MM_FACTOR) === mm) this.#ranges.delete(key);
  }

  scanned(mm: MmId, page: Vpn, result: ScanResult, facts: ScanFacts): void {
    if (!this.#isZoomed(mm, page)) return;
    const { scanned, none, unmapped, shared, referenced, scanPfn } = facts;
    // A look with a scan per window (Dev Jain's proposals) goes on with the next one; any other begins here.
    if (this.#steps.length === 0) this.#before = viewTable(this.#m, mm, page);
    this.#task = this.#m.current.task;
    this.#steps.push({ kind: 'scan', result, facts: { scanned, none, unmapped, shared, referenced, scanPfn } });
  }

  /** A task took a lock or gave it back: a step if it is at work on a zoomed table. */
  locked(lock: string, mode: 'read' | 'write', taken: boolean, task: number, atNs: number): void {
    if (task !== this.#task || task === 0) return;
    this.#steps.push({ kind: 'lock', lock, mode, taken, atNs });
    dropRepetition(this.#steps);
  }

  skipped(mm: MmId, page: Vpn, order: number, occupied: number, required: number): void {
    if (this.#isZoomed(mm, page)) this.#steps.push({ kind: 'skip', page, order, occupied, required });
  }

  attempted(mm: MmId, page: Vpn, order: number, result: ScanResult, empty: number): void {
    let results = this.attempts.get(order);
    if (results === undefined) {
      results = new Map();
      this.attempts.set(order, results);
    }
    results.set(result, (results.get(result) ?? 0) + 1);
    if (this.#isZoomed(mm, page)) this.#steps.push({ kind: 'attempt', page, order, result });
    if (result !== SCAN.SUCCEED) return;
    this.#record(mm, page).orders |= 1 << order;
    this.#collapsed(2 ** order);
    this.built?.(mm, page, order);
    this.copiedPages += 2 ** order - empty;
  }

  rangeDone(mm: MmId, _vma: VmaId, page: Vpn, result: ScanResult): void {
    this.looks.set(result, (this.looks.get(result) ?? 0) + 1);
    const record = this.#record(mm, page);
    record.result = result;
    record.looks++;
    record.lastNs = this.#m.current.nowNs;
    if (!this.#isZoomed(mm, page)) return;
    const key = this.#key(mm, page);
    const looks = this.zoomed.get(key) ?? [];
    this.zoomed.set(key, looks);
    const steps: DecisionStep[] = [...this.#steps, { kind: 'done', result }];
    if (looks.length < MAX_LOOKS) looks.push({ atNs: record.lastNs, before: this.#before, steps });
    this.#steps = [];
    this.#before = null;
    this.#task = 0;
  }

  #collapsed(pages: number): void {
    this.collapsedPages += pages;
    const atNs = this.#m.current.nowNs;
    const last = this.progress.at(-1);
    if (last?.atNs === atNs) this.progress.pop();
    this.progress.push({ atNs, pages: this.collapsedPages });
  }

  #record(mm: number, page: number): RangeRecord {
    const key = this.#key(mm, page);
    let record = this.#ranges.get(key);
    if (record === undefined) {
      record = { result: SCAN.FAIL, orders: 0, looks: 0, lastNs: 0 };
      this.#ranges.set(key, record);
    }
    return record;
  }

  #isZoomed(mm: number, page: number): boolean {
    return this.#zoom.size > 0 && this.#zoom.has(this.#key(mm, page));
  }

  #key(mm: number, page: number): number {
    return mm * MM_FACTOR + Math.floor(page / this.#m.ptes);
  }
}

/** The same locks for page after page of a file say nothing new: what only repeats the steps before it goes. */
function dropRepetition(steps: DecisionStep[]): void {
  for (let period = 2; period <= 8; period += 2) {
    const at = steps.length - period;
    let same = at >= period;
    for (let i = 0; same && i < period; i++) same = isSameLock(steps[at + i], steps[at - period + i]);
    if (!same) continue;
    steps.length = at;
    return;
  }
}

function isSameLock(a: DecisionStep, b: DecisionStep): boolean {
  return a.kind === 'lock' && b.kind === 'lock' && a.lock === b.lock && a.mode === b.mode && a.taken === b.taken;
}
