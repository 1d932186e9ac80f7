import { occupancyCount } from '../bitmap.js';
import { chunkOccupancy } from '../chunks.js';
import type { Generation } from '../generations/generation.js';
import { generationByName, requestedOrders } from '../generations/index.js';
import { defaultPtesSettings, type Initiator, type PtesSettings } from '../limits.js';
import { MIN_MTHP_ORDER, type OrderSet } from '../orders.js';
import { SCAN, type ScanResult, type ScanResultName, scanResultName } from '../results.js';
import { checkNumber, type Entries, emptyEntries, type Orders, toOccupancy, toOrderSet } from './input.js';
import { startWalk } from './start-walk.js';
import type { WalkInput } from './walk.js';
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
  /** Occupied entries: half-open ranges `[from, to)` counted in entries, or a bitmap. */
  readonly present: Entries;
  /** Orders that sysfs and the VMA allow, as a list or a bit mask. MADV_COLLAPSE does not ask for them. */
  readonly enabledOrders: Orders;
  /** Values of the max_ptes_* files; absent ones have the default of a fresh boot. */
  readonly settings?: Partial<PtesSettings>;
  /** The table has 2^pmdOrder entries. Default 9: 512 entries of 4 KiB. */
  readonly pmdOrder?: number;
  /** A generation or its name. Default `merged`. */
  readonly generation?: Generation | string;
  /** Swapped entries that the scan accepted: how many, or which. Default 0. Generations with chunks, and Dev Jain's, must know which. */
  readonly unmapped?: number | Entries;
  /** Orders whose own `enabled` file says `always`; matters to RFC v2 and v4 only. Default none. */
  readonly alwaysOrders?: Orders;
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
  const { pmdOrder = 9, initiator = 'khugepaged', uffdArmed = false } = input;
  checkNumber('pmdOrder', pmdOrder, MIN_MTHP_ORDER + 1, 13);
  const generation = toGeneration(input.generation ?? 'merged');
  const settings = { ...defaultPtesSettings(pmdOrder), ...input.settings };
  for (const [name, value] of Object.entries(settings)) checkNumber(name, value, 0, (1 << pmdOrder) - 1);
  const enabledOrders = toOrderSet('enabled order', input.enabledOrders, pmdOrder);
  const skipped: SkippedWindow[] = [];
  const walk = startWalk(generation, {
    ...toTable(generation, input, settings, pmdOrder),
    pmdOrder,
    enabledOrders: initiator === 'madvise' ? madviseOrders(generation, pmdOrder, enabledOrders) : enabledOrders,
    alwaysOrders: toOrderSet('always order', input.alwaysOrders ?? [], pmdOrder),
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

/** MADV_COLLAPSE asks for the orders of its generation; only one that goes down looks at the enabled ones too. */
function madviseOrders(generation: Generation, pmdOrder: number, enabledOrders: OrderSet): OrderSet {
  const requested = requestedOrders(generation, pmdOrder, 'madvise');
  return generation.madviseOrders === 'pmdThenEnabled' ? requested | enabledOrders : requested;
}

function toChoice(window: Window): WindowChoice {
  return { offset: windowOffset(window), order: windowOrder(window) };
}

function toGeneration(generation: Generation | string): Generation {
  return typeof generation === 'string' ? generationByName(generation) : generation;
}

/** The bitmap that the generation's scan would leave, and the number of swapped entries. */
function toTable(
  { chunkRule, chunkOrder, name, walk }: Generation,
  input: ChooseWindowsInput,
  { maxPtesNone }: PtesSettings,
  pmdOrder: number,
): Pick<WalkInput, 'bitmap' | 'unmapped' | 'swapped'> {
  const occupied = toOccupancy('present', input.present, pmdOrder);
  const places = typeof input.unmapped === 'number' ? undefined : input.unmapped;
  const swapped = toOccupancy('unmapped', places ?? [], pmdOrder);
  const unmapped = typeof input.unmapped === 'number' ? input.unmapped : occupancyCount(swapped);
  checkNumber('unmapped', unmapped, 0, (1 << pmdOrder) - occupancyCount(occupied));
  const byWindow = walk === 'linearRescan';
  if (unmapped > 0 && places === undefined && (chunkOrder > 0 || byWindow)) {
    const what = byWindow ? 'each window' : 'chunks';
    throw new RangeError(`unmapped is ${unmapped}; ${name} looks at ${what} and must know which entries: give ranges`);
  }
  if (chunkOrder === 0) return { bitmap: occupied, unmapped, swapped };
  const empty = emptyEntries(occupied, swapped, pmdOrder);
  return { bitmap: chunkOccupancy(chunkRule, { occupied, empty, maxPtesNone, pmdOrder, chunkOrder }), unmapped };
}
