/**
 * What can be done ahead of khugepaged without anybody noticing: the next ranges of its round, as long as it is certain that
 * it comes to them before anything else looks at their processes, and that memory is plentiful, so that no allocation
 * depends on the order. All bounds are on the safe side; what is not certain, khugepaged does itself when its turn comes.
 */
import { fileFamily, freeBlocks, type Machine, type MmId, setting } from '@thplab/mm-model';
import { type OrderSet, ordersOf } from '@thplab/mthp-collapse';
import { OPEN_GATE } from '@thplab/sync';
import type { Khugepaged } from '../khugepaged.js';
import { exitOrDisabled } from '../mm-state.js';
import { vmaBlocks } from './range-blocks.js';

/** How far a plan may reach. */
export interface AheadLimits {
  readonly nowNs: number;
  /** Until when nobody but khugepaged does anything. */
  readonly quietUntilNs: number;
  /** Plans of so many ranges may reach into later passes: whoever looks at the machine after this one does not mind. */
  readonly laterRanges: number;
  /** Fewer ranges than these outside of the largest family are not worth starting for. */
  readonly leastRanges: number;
  readonly mostRanges: number;
}

/** Ranges of one address space, from a page on in the order of khugepaged. */
export interface AheadPart {
  readonly mm: MmId;
  readonly page: number;
  readonly ranges: number;
}

/** What is to be done ahead: by family of processes, for steps of one family must not run at the same time. */
export interface AheadPlan {
  readonly families: readonly (readonly AheadPart[])[];
  readonly ranges: number;
}

/** Why there is nothing to do ahead now. */
export type NoPlan =
  /** Kernels with collapse hints come to ranges in an order that is not known ahead. */
  | 'hints'
  /** Allocations are made to fail by number. */
  | 'failing allocations'
  /** Somebody else runs, or is about to. */
  | 'busy'
  /** Free memory might run short. */
  | 'memory'
  /** Only one family of processes, or too few ranges. */
  | 'small';

/** Room that is left free, in huge blocks of each node, beside one for each range. */
const SPARE_BLOCKS = 4;
/** What a visit is charged beside the entries of its range, at most. */
const VISIT_CHARGE = 4;

/** Plans the work ahead of a pass that begins. */
export function planAhead(k: Khugepaged, limits: AheadLimits): AheadPlan | NoPlan {
  if (k.hints !== null) return 'hints';
  if (k.m.machine.failOrder[0] !== 0) return 'failing allocations';
  if (k.m.gate !== OPEN_GATE || limits.quietUntilNs <= limits.nowNs) return 'busy';
  const walk = new RoundWalk(k, limits);
  for (let slot = firstSlot(k); slot !== 0; slot = k.slots.next(slot)) if (!walk.add(slot)) break;
  return walk.plan();
}

/** The slot that khugepaged visits next; 0: none. */
function firstSlot(k: Khugepaged): number {
  const { cursorSlot, roundAt } = k.t.khugepaged;
  if (cursorSlot[0] !== 0) return cursorSlot[0];
  return roundAt[0] === 0 ? k.slots.first(0) : k.slots.next(roundAt[0]);
}

/** Walks the round and adds up what its ranges can cost at most. */
class RoundWalk {
  readonly #k: Khugepaged;
  readonly #limits: AheadLimits;
  readonly #families = new Map<number, AheadPart[]>();
  readonly #largest = new Map<number, number>();
  readonly #freeBlocks: number;
  #ranges = 0;
  /** Blocks that allocations can need, entries charged, and time used, all ranges up to here, at most. */
  #blocks = SPARE_BLOCKS;
  #charge = 0;
  #ns = 0;
  #short = false;

  constructor(k: Khugepaged, limits: AheadLimits) {
    this.#k = k;
    this.#limits = limits;
    this.#freeBlocks = freeHugeBlocks(k.m);
  }

  /** Adds the ranges of a slot. False: no more can be added. */
  add(slot: number): boolean {
    const { m, t } = this.#k;
    const mm = t.mmSlot.mm[slot] as MmId;
    const page = t.khugepaged.cursorSlot[0] === slot ? t.khugepaged.cursorPage[0] : 0;
    if (exitOrDisabled(this.#k, mm)) return this.#fits(0, 1, 0);
    const family = m.mm.family[mm];
    // In the family of files processes meet in the page cache, and what a range costs is not known.
    if (family === fileFamily(m)) return false;
    let ranges = 0;
    let whole = true;
    const swapped = m.mm.swapEnts[mm] > 0;
    for (const { first, end, orders } of vmaBlocks(this.#k, mm, page)) {
      whole = this.#fits(0, 1, 0);
      const mostNs = mostRangeNs(m, orders, swapped);
      for (let at: number = first; at < end && whole; at += m.ptes) {
        whole = this.#fits(1, 0, mostNs, swapped);
        if (whole) ranges++;
      }
      if (!whole) break;
    }
    if (ranges > 0) this.#enter(family, { mm, page, ranges });
    return whole;
  }

  plan(): AheadPlan | NoPlan {
    const largest = Math.max(0, ...this.#largest.values());
    if (this.#ranges - largest < Math.max(1, this.#limits.leastRanges)) return this.#short ? 'memory' : 'small';
    return { families: [...this.#families.values()], ranges: this.#ranges };
  }

  #enter(family: number, part: AheadPart): void {
    const parts = this.#families.get(family);
    if (parts === undefined) this.#families.set(family, [part]);
    else parts.push(part);
    this.#largest.set(family, (this.#largest.get(family) ?? 0) + part.ranges);
  }

  /** Adds ranges or VMAs if khugepaged certainly comes to them in time, and there is memory for them. */
  #fits(ranges: number, vmas: number, rangeNs: number, swapped = false): boolean {
    const { m } = this.#k;
    const charge = this.#charge + ranges * (m.ptes + VISIT_CHARGE) + vmas * VISIT_CHARGE;
    const ns = this.#ns + ranges * rangeNs + vmas * m.costs.scanVisit * 2;
    const blocks = this.#blocks + ranges * (swapped ? 2 : 1);
    const entries = setting(m, 'khugepaged.pages_to_scan');
    const passes = Math.ceil(charge / entries) + 1;
    const { nowNs, quietUntilNs, laterRanges, mostRanges } = this.#limits;
    const total = this.#ranges + ranges;
    const sleepNs = setting(m, 'khugepaged.scan_sleep_millisecs') * 1e6 + PASS_NS;
    const lastNs = nowNs + ns + (charge > entries ? passes * sleepNs : 0);
    const most = charge > entries ? Math.min(laterRanges, mostRanges) : mostRanges;
    if (total > most || lastNs >= quietUntilNs) return false;
    if (blocks > this.#freeBlocks) {
      this.#short = true;
      return false;
    }
    this.#charge = charge;
    this.#ns = ns;
    this.#blocks = blocks;
    this.#ranges = total;
    return true;
  }
}

/** What a pass costs beside its ranges, at most: draining, switching to the thread. */
const PASS_NS = 1e6;

/** Longest time that khugepaged can spend on a range while memory is plentiful, ns; `orders`: those whose windows it tries. */
function mostRangeNs({ ptes, costs: c }: Machine, orders: OrderSet, swapped: boolean): number {
  const window = c.allocBase + c.allocPerOrder * 16 + c.pmdFlush * 4 + c.scanVisit * 4;
  const page = c.scanPte * 2 + c.isolatePage * 4 + c.setPte * 8;
  const moved = c.copyPage + c.zeroPage + (swapped ? c.swapIn + c.allocBase : 0);
  const tried = ordersOf(orders);
  const windows = tried.reduce((sum, order) => sum + ptes / 2 ** order, 0);
  return windows * window + ptes * ((tried.length + 1) * page + 2 * moved);
}

/** Free blocks of PMD size of the node that has the fewest: a range can ask any of them. */
function freeHugeBlocks(m: Machine): number {
  let least = Number.POSITIVE_INFINITY;
  for (let node = 0; node < m.nodes; node++) {
    let blocks = 0;
    for (let order = m.pmdOrder; order <= m.maxOrder; order++) {
      blocks += freeBlocks(m, node, order) * 2 ** (order - m.pmdOrder);
    }
    least = Math.min(least, blocks);
  }
  return least;
}
