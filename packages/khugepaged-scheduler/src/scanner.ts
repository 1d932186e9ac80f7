/**
 * Who scans. The kernel has one scanner, its thread; the pool has several that share one list, one round through it and one
 * budget (docs/decisions/0007-several-scanners.md). With one scanner all that is here is what the kernel does.
 *
 * A round goes once through the list: each slot is given to one scanner, in the order of the list, and stays its own until
 * the address space is finished. The round ends, and `full_scans` counts it, when the last slot has been given and all are
 * finished. Everything here is called with khugepaged_mm_lock held, but for the drawing of budget.
 */
import { type CollapseContext, type CollapseControl, khugepagedControl } from '@thplab/mthp-collapse';
import type { Khugepaged } from './khugepaged.js';
import { MAX_SCANNERS } from './tables.js';

/** One scanner. */
export interface Scanner {
  /** From 0: its cell of `cursorSlot` and `cursorPage`. */
  readonly number: number;
  readonly control: CollapseControl;
  /** Entries that it has drawn from the budget of this pass; `control.progress` says what it has used. */
  drawn: number;
  /** Ranges looked at since they were last added to the machine's count. */
  ranges: number;
  /** Failures of the drain of hints, by priority (khugepaged spec 17.3). */
  readonly hintFailures: number[];
  /** Entries of this pass that were used for hints. */
  hintProgress: number;
  /** Number with which the drain marks requests that it passes over; 0: none yet in this pass. */
  hintDrain: number;
}

/** Makes a scanner. Errors: RangeError for a number that has no cursor. */
export function makeScanner(collapse: CollapseContext, number: number): Scanner {
  if (number < 0 || number >= MAX_SCANNERS)
    throw new RangeError(`scanner ${number}: there are at most ${MAX_SCANNERS}`);
  return {
    number,
    control: khugepagedControl(collapse),
    drawn: 0,
    ranges: 0,
    hintFailures: [0, 0],
    hintProgress: 0,
    hintDrain: 0,
  };
}

/** True if some scanner's cursor is at the slot: only that scanner may free it. */
export function isBeingScanned(k: Khugepaged, slot: number): boolean {
  const { cursorSlot } = k.t.khugepaged;
  for (let i = 0; i < MAX_SCANNERS; i++) if (cursorSlot[i] === slot) return true;
  return false;
}

/** True if the scan stands at the head of the list: nothing of a new round has been given yet. */
export function atHead(k: Khugepaged, scanner: Scanner): boolean {
  return k.t.khugepaged.cursorSlot[scanner.number] === 0 && k.t.khugepaged.roundAt[0] === 0;
}

/** The scanner's slot: the one it has, or the next one of the round. 0: all are given, but others are not finished yet. */
export function slotOfScanner(k: Khugepaged, scanner: Scanner): number {
  const own = k.t.khugepaged.cursorSlot[scanner.number];
  return own !== 0 ? own : give(k, scanner, nextOfRound(k));
}

/** The scanner has finished its slot: it gets the next one, or the round has ended. */
export function nextSlot(k: Khugepaged, scanner: Scanner, slot: number): void {
  const { cursorSlot, roundAt, fullScans } = k.t.khugepaged;
  if (roundAt[0] === 0) roundAt[0] = slot;
  cursorSlot[scanner.number] = 0;
  if (give(k, scanner, nextOfRound(k)) !== 0 || cursorSlot.some((other) => other !== 0)) return;
  roundAt[0] = 0;
  fullScans[0]++;
}

/** The scanner stops for good: gives its slot, or 0, for the caller to collect. */
export function leaveRound(k: Khugepaged, scanner: Scanner): number {
  const { cursorSlot, roundAt } = k.t.khugepaged;
  const slot = cursorSlot[scanner.number];
  cursorSlot[scanner.number] = 0;
  if (cursorSlot.every((other) => other === 0)) roundAt[0] = 0;
  return slot;
}

/** A slot leaves the list: the round goes on behind the one before it. */
export function forgetInRound(k: Khugepaged, slot: number): void {
  const { roundAt } = k.t.khugepaged;
  if (roundAt[0] === slot) roundAt[0] = k.slots.prev(slot);
}

function nextOfRound(k: Khugepaged): number {
  const at = k.t.khugepaged.roundAt[0];
  return at === 0 ? k.slots.first(0) : k.slots.next(at);
}

function give(k: Khugepaged, scanner: Scanner, slot: number): number {
  const { cursorSlot, cursorPage, roundAt } = k.t.khugepaged;
  cursorSlot[scanner.number] = slot;
  cursorPage[scanner.number] = 0;
  if (slot !== 0) roundAt[0] = slot;
  return slot;
}

/** Makes the budget of a pass; one scanner draws it whole. */
export function setBudget(k: Khugepaged, entries: number, scanners: number): void {
  const { budget, portion } = k.t.khugepaged;
  portion[0] = scanners === 1 ? 0x7fff_ffff : Math.max(k.m.ptes, Math.ceil(entries / (8 * scanners)));
  Atomics.store(budget, 0, Math.min(entries, 0x7fff_ffff));
}

/** True if the scanner may go on; draws another portion if it has used what it drew. */
export function budgetLasts(k: Khugepaged, scanner: Scanner): boolean {
  const { budget, portion } = k.t.khugepaged;
  while (scanner.control.progress >= scanner.drawn) {
    const left = Atomics.load(budget, 0);
    if (left <= 0) return false;
    const take = Math.min(left, portion[0]);
    if (Atomics.compareExchange(budget, 0, left, left - take) === left) scanner.drawn += take;
  }
  return true;
}

/** The scanner leaves a pass: what it drew and did not use, others may; what it used beyond, is taken off. */
export function settleBudget(k: Khugepaged, scanner: Scanner): void {
  Atomics.add(k.t.khugepaged.budget, 0, scanner.drawn - scanner.control.progress);
}

/** The pass is over for all: the list has been gone through. */
export function endPass(k: Khugepaged, scanner: Scanner): void {
  Atomics.store(k.t.khugepaged.budget, 0, 0);
  scanner.control.progress = Math.max(scanner.control.progress, scanner.drawn);
}
