import { createOccupancy, type Occupancy, occupancyWords, occupyRange } from '../bitmap.js';
import type { Generation } from '../generations/generation.js';
import { generationByName } from '../generations/index.js';
import { defaultPtesSettings, type Initiator, type PtesSettings } from '../limits.js';
import { MIN_MTHP_ORDER, type OrderSet, orderSet } from '../orders.js';
import { SCAN, type ScanResult, type ScanResultName, scanResultName } from '../results.js';
import { startWalk } from './start-walk.js';
import { NO_WINDOW, type Window, windowOffset, windowOrder } from './window.js';

/** A window as a plain object: 2^order entries from `offset`. */
export interface WindowChoice {
  readonly offset: number;
  readonly order: number;
}

/** One attempt and what came of it. */
export interface WindowAttempt extends WindowChoice {
  readonly result: ScanResultName;
}

/** A window that was considered and not attempted. */
export interface SkippedWindow extends WindowChoice {
  /** Occupied entries, and how many the limit of this order asks for. */
  readonly occupied: number;
  readonly required: number;
}

/** What `chooseWindows` decides about. Everything but `present` and `enabledOrders` has the kernel's default. */
export interface ChooseWindowsInput {
  /** Occupied entries: a bitmap, or half-open ranges `[from, to)` counted in entries. */
  readonly present: Occupancy | readonly (readonly [from: number, to: number])[];
  /** Enabled orders, as a list or as a bit mask. */
  readonly enabledOrders: readonly number[] | OrderSet;
  /** Values of the max_ptes_* files; absent ones have the default of a fresh boot. */
  readonly settings?: Partial<PtesSettings>;
  /** The table has 2^pmdOrder entries. Default 9: 512 entries of 4 KiB. */
  readonly pmdOrder?: number;
  /** A generation or its name. Default `merged`. */
  readonly generation?: Generation | string;
  /** Accepted swapped entries, besides the present ones. Default 0. */
  readonly unmapped?: number;
  readonly initiator?: Initiator;
  readonly uffdArmed?: boolean;
  /** Result of each attempt. Default: every attempt succeeds. */
  readonly attempt?: (window: WindowChoice) => ScanResult;
}

/** The decision about one table. */
export interface WindowDecision {
  /** Attempts in the order of the walk. */
  readonly attempts: readonly WindowAttempt[];
  /** Windows of enabled orders that were not full enough, in the order of the walk. */
  readonly skipped: readonly SkippedWindow[];
  /** What the table reports; `FAIL` when nothing was attempted. */
  readonly result: ScanResultName;
  /** Entries covered by new folios. */
  readonly collapsed: number;
  /** max_ptes_none is neither 0 nor the ceiling although an order below the PMD's was considered. */
  readonly warned: boolean;
}

/**
 * Which windows of one page table a generation tries to collapse, in which order, as a pure function of occupancy and
 * settings (khugepaged spec 9; kernel function `mthp_collapse`). It starts where the scan of the table has succeeded.
 *
 * @throws RangeError for a geometry, range, order or count that the table cannot have.
 */
export function chooseWindows(input: ChooseWindowsInput): WindowDecision {
  const { pmdOrder = 9, generation = 'merged', unmapped = 0, initiator = 'khugepaged', uffdArmed = false } = input;
  checkNumber('pmdOrder', pmdOrder, MIN_MTHP_ORDER + 1, 13);
  checkNumber('unmapped', unmapped, 0, 1 << pmdOrder);
  const settings = { ...defaultPtesSettings(pmdOrder), ...input.settings };
  for (const [name, value] of Object.entries(settings)) checkNumber(name, value, 0, (1 << pmdOrder) - 1);
  const skipped: SkippedWindow[] = [];
  const walk = startWalk(typeof generation === 'string' ? generationByName(generation) : generation, {
    bitmap: toOccupancy(input.present, pmdOrder),
    pmdOrder,
    enabledOrders: toOrderSet(input.enabledOrders, pmdOrder),
    unmapped,
    settings,
    initiator,
    uffdArmed,
    onSkip: (w, occupied, required) => skipped.push({ ...toChoice(w), occupied, required }),
  });
  const attempts: WindowAttempt[] = [];
  for (let w = walk.next(); w !== NO_WINDOW; w = walk.next()) {
    const window = toChoice(w);
    const result = input.attempt?.(window) ?? SCAN.SUCCEED;
    attempts.push({ ...window, result: scanResultName(result) });
    walk.report(result);
  }
  const { result, collapsed, warned } = walk.outcome();
  return { attempts, skipped, result: scanResultName(result), collapsed, warned };
}

function toChoice(window: Window): WindowChoice {
  return { offset: windowOffset(window), order: windowOrder(window) };
}

function toOccupancy(present: ChooseWindowsInput['present'], pmdOrder: number): Occupancy {
  if (present instanceof Uint32Array) {
    checkNumber('words of the bitmap', present.length, occupancyWords(pmdOrder), occupancyWords(pmdOrder));
    return present;
  }
  const bitmap = createOccupancy(pmdOrder);
  for (const [from, to] of present) {
    checkNumber('end of a present range', to, 0, 1 << pmdOrder);
    checkNumber('start of a present range', from, 0, to);
    occupyRange(bitmap, from, to);
  }
  return bitmap;
}

function toOrderSet(orders: readonly number[] | OrderSet, pmdOrder: number): OrderSet {
  if (typeof orders === 'number') return orders;
  for (const order of orders) checkNumber('enabled order', order, MIN_MTHP_ORDER, pmdOrder);
  return orderSet(orders);
}

function checkNumber(what: string, value: number, from: number, to: number): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  const right = from === to ? `${from}` : `a whole number from ${from} to ${to}`;
  throw new RangeError(`${what} is ${value}; it must be ${right}`);
}
