/**
 * What became of every hint: sums for the result, and the last steps of each range for `explain`. Told by the queue itself
 * (HintRecorder), so that it is whole whatever the trace ring holds.
 */
import {
  HINT_ADD,
  type HintAddOutcome,
  type HintDropReason,
  type HintRecorder,
  hintAddName,
  hintDropName,
} from '@thplab/khugepaged-scheduler';
import type { Machine, MmId, VmaId, Vpn } from '@thplab/mm-model';
import { SCAN, type ScanResult, scanResultText } from '@thplab/mthp-collapse';

/** One step in the life of the hints of a range. */
export interface HintStep {
  readonly atNs: number;
  readonly kind: 'added' | 'refused' | 'dropped' | 'served';
  readonly priority: number;
  /** Why it was refused or dropped, or the scan result; empty for a hint that was queued. */
  readonly what: string;
  /** How long it waited, ns; 0 for a hint that did not. */
  readonly waitedNs: number;
}

/** Sums of one address space. */
export interface MmHints {
  queued: number;
  served: number;
  longestWaitNs: number;
}

/** Steps kept of a range: later ones of a long run say nothing new, the last do. */
const MOST_STEPS = 16;
/** Ranges whose steps are kept. */
const MOST_RANGES = 1 << 16;
const MM_FACTOR = 2 ** 36;

/** See the head of the file. */
export class HintLog implements HintRecorder {
  /** Hints by what became of them, in the words of traces. */
  readonly refused: Map<string, number> = new Map();
  readonly droppedBy: Map<string, number> = new Map();
  readonly results: Map<string, number> = new Map();
  queued = 0;
  served = 0;
  succeeded = 0;
  /** Hints that left without their range being looked at. */
  lost = 0;
  contendedLocks = 0;
  drains = 0;
  failures = 0;
  /** Less urgent work that was done while an urgent hint waited. */
  readonly inversions: { byHints: number; byRound: number } = { byHints: 0, byRound: 0 };
  readonly mms: Map<number, MmHints> = new Map();
  readonly #m: Machine;
  readonly #waiting: [high: number, low: number] = [0, 0];
  readonly #steps = new Map<number, HintStep[]>();
  /** How long the hint that a drain holds has waited. */
  #waitedNs = 0;

  constructor(m: Machine) {
    this.#m = m;
  }

  /** Hints that wait. */
  get waiting(): number {
    return this.#waiting[0] + this.#waiting[1];
  }

  /** The last steps of the hints for the range of a page. */
  stepsOf(mm: number, page: number): readonly HintStep[] {
    return this.#steps.get(this.#key(mm, page)) ?? [];
  }

  /** The number of an address space is another one's now. */
  forget(mm: number): void {
    this.mms.delete(mm);
    for (const key of this.#steps.keys()) if (Math.floor(key / MM_FACTOR) === mm) this.#steps.delete(key);
  }

  added(mm: MmId, _vma: VmaId | 0, page: Vpn, priority: number, outcome: HintAddOutcome): void {
    if (outcome !== HINT_ADD.queued) {
      count(this.refused, hintAddName(outcome));
      this.#step(mm, page, 'refused', priority, hintAddName(outcome), 0);
      return;
    }
    this.queued++;
    this.#of(mm).queued++;
    this.#waiting[priority as 0 | 1]++;
    this.#step(mm, page, 'added', priority, '', 0);
  }

  moved(_mm: MmId, _page: Vpn, from: number, to: number): void {
    this.#waiting[from as 0 | 1]--;
    this.#waiting[to as 0 | 1]++;
  }

  taken(mm: MmId, _page: Vpn, priority: number, waitedNs: number): void {
    this.#waiting[priority as 0 | 1]--;
    if (priority > 0 && this.#waiting[0] > 0) this.inversions.byHints++;
    this.#waitedNs = waitedNs;
    this.#waited(mm, waitedNs);
  }

  dropped(mm: MmId, page: Vpn, priority: number, reason: HintDropReason): void {
    this.#lose(mm, page, priority, reason, this.#waitedNs);
  }

  discarded(mm: MmId, page: Vpn, priority: number, reason: HintDropReason, waitedNs: number): void {
    this.#waiting[priority as 0 | 1]--;
    this.#waited(mm, waitedNs);
    this.#lose(mm, page, priority, reason, waitedNs);
  }

  drained(mm: MmId, page: Vpn, priority: number, result: ScanResult): void {
    this.served++;
    this.#of(mm).served++;
    if (result === SCAN.SUCCEED) this.succeeded++;
    count(this.results, scanResultText(result));
    this.#step(mm, page, 'served', priority, scanResultText(result), this.#waitedNs);
  }

  contended(): void {
    this.contendedLocks++;
  }

  drainEnded(failures: number): void {
    this.drains++;
    this.failures += failures;
  }

  roundVisits(): void {
    if (this.#waiting[0] > 0) this.inversions.byRound++;
  }

  #lose(mm: number, page: number, priority: number, reason: HintDropReason, waitedNs: number): void {
    this.lost++;
    count(this.droppedBy, hintDropName(reason));
    this.#step(mm, page, 'dropped', priority, hintDropName(reason), waitedNs);
  }

  #waited(mm: number, waitedNs: number): void {
    const sums = this.#of(mm);
    if (waitedNs > sums.longestWaitNs) sums.longestWaitNs = waitedNs;
  }

  #of(mm: number): MmHints {
    let sums = this.mms.get(mm);
    if (sums === undefined) {
      sums = { queued: 0, served: 0, longestWaitNs: 0 };
      this.mms.set(mm, sums);
    }
    return sums;
  }

  #step(mm: number, page: number, kind: HintStep['kind'], priority: number, what: string, waitedNs: number): void {
    const key = this.#key(mm, page);
    let steps = this.#steps.get(key);
    if (steps === undefined) {
      if (this.#steps.size >= MOST_RANGES) return;
      steps = [];
      this.#steps.set(key, steps);
    }
    if (steps.length === MOST_STEPS) steps.shift();
    steps.push({ atNs: this.#m.current.nowNs, kind, priority, what, waitedNs });
  }

  #key(mm: number, page: number): number {
    return mm * MM_FACTOR + Math.floor(page / this.#m.ptes);
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
