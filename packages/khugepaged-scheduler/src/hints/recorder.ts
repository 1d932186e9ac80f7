/** Who is told what becomes of hints: the trace ring, and whoever made khugepaged and wants to know. */
import type { MmId, VmaId, Vpn } from '@thplab/mm-model';
import { type ScanResult, scanResultNumber } from '@thplab/mthp-collapse';
import type { Khugepaged } from '../khugepaged.js';
import type { HintAddOutcome, HintDropReason } from './outcome.js';

/** Told of every hint, without a ring that could overflow. All parts are optional; none of them may change the machine. */
export interface HintRecorder {
  /** A hint was made, or refused. */
  added?(mm: MmId, vma: VmaId | 0, page: Vpn, priority: number, outcome: HintAddOutcome): void;
  /** A hint that waits already was asked for again, and waits at a higher priority now. */
  moved?(mm: MmId, page: Vpn, from: number, to: number): void;
  /** A hint left the queue without a drain: exit, too old, too many. */
  discarded?(mm: MmId, page: Vpn, priority: number, reason: HintDropReason, waitedNs: number): void;
  /** A drain took a hint off. What comes of it follows: `dropped` or `drained`. */
  taken?(mm: MmId, page: Vpn, priority: number, waitedNs: number): void;
  /** The drain did not look at the range of the hint that it took. */
  dropped?(mm: MmId, page: Vpn, priority: number, reason: HintDropReason): void;
  /** The range of the hint that the drain took was looked at. */
  drained?(mm: MmId, page: Vpn, priority: number, result: ScanResult): void;
  /** A drain met a contended mmap_lock. */
  contended?(mm: MmId, priority: number): void;
  /** A drain is over; `failures` of its budget were used. Not told of drains that found no hint. */
  drainEnded?(failures: number): void;
  /** The round looks at an address space. */
  roundVisits?(mm: MmId): void;
}

/** A hint was made or refused: `khugepaged_hint_add`. */
export function tellAdded(
  k: Khugepaged,
  mm: MmId,
  vma: VmaId | 0,
  page: Vpn,
  priority: number,
  maxOrder: number,
  outcome: HintAddOutcome,
): void {
  const { tracer } = k.collapse;
  if (tracer.enabled) tracer.event(tracer.ids.khugepaged_hint_add, mm, addressOf(k, page), priority, maxOrder, outcome);
  k.hints?.recorder?.added?.(mm, vma, page, priority, outcome);
}

/** A drain dropped the hint that it took: `khugepaged_hint_drop`. */
export function tellDropped(k: Khugepaged, mm: MmId, page: Vpn, priority: number, reason: HintDropReason): void {
  traceDrop(k, mm, page, priority, reason);
  k.hints?.recorder?.dropped?.(mm, page, priority, reason);
}

/** A hint left the queue without a drain: `khugepaged_hint_drop`. */
export function tellDiscarded(
  k: Khugepaged,
  mm: MmId,
  page: Vpn,
  priority: number,
  reason: HintDropReason,
  addedNs: number,
): void {
  traceDrop(k, mm, page, priority, reason);
  k.hints?.recorder?.discarded?.(mm, page, priority, reason, k.m.current.nowNs - addedNs);
}

function traceDrop(k: Khugepaged, mm: MmId, page: Vpn, priority: number, reason: HintDropReason): void {
  const { tracer } = k.collapse;
  if (tracer.enabled) tracer.event(tracer.ids.khugepaged_hint_drop, mm, addressOf(k, page), priority, reason);
}

/** The range of a hint was looked at: `khugepaged_hint_drain`. */
export function tellDrained(
  k: Khugepaged,
  mm: MmId,
  page: Vpn,
  priority: number,
  result: ScanResult,
  progress: number,
  failures: number,
): void {
  const { tracer, generation } = k.collapse;
  if (tracer.enabled) {
    const number = scanResultNumber(result, generation.results);
    const address = addressOf(k, page);
    tracer.event(tracer.ids.khugepaged_hint_drain, mm, address, priority, number, progress, failures);
  }
  k.hints?.recorder?.drained?.(mm, page, priority, result);
}

function addressOf(k: Khugepaged, page: Vpn): number {
  return page * 2 ** k.m.geometry.pageShift;
}
