/**
 * khugepaged's thread stays one: it keeps the kernel's order, budget, sleeps and time. What it does to a range may have been
 * done ahead by other threads; then it only repeats what they wrote down. Here is what it has of that, and when it asks for
 * more (docs/decisions/0008-run-on-threads.md).
 */
import type { MmId, Vpn } from '@thplab/mm-model';
import type { CollapseControl, RangeOutcome } from '@thplab/mthp-collapse';
import { now, type Procedure } from '@thplab/sync';
import type { Khugepaged } from '../khugepaged.js';
import type { AheadRecord } from './ahead-work.js';
import { type AheadLimits, type AheadPlan, type NoPlan, planAhead } from './plan.js';
import { LookAheadError, type RecordPlace, replayRange } from './range-record.js';

/** What was done ahead, and why it was not where it was not. */
export interface AheadSums {
  /** Plans that were carried out, and their ranges. */
  readonly plans: number;
  readonly ranges: number;
  /** Allocations since the first plan that found no block free at once: then frames decide what happens. */
  readonly shortages: number;
  /** Passes without a plan, by reason. */
  readonly without: Readonly<Partial<Record<NoPlan | 'accesses' | 'fruitless', number>>>;
}

/** Told when there is a plan: whoever drives the machine stops it, has the plan carried out, and calls `fulfil`. */
export interface AheadDriver {
  /** How far a plan may reach now. */
  limits(): AheadLimits;
  planned(plan: AheadPlan): void;
}

/** Less than one range in so many collapsed: looking ahead at more of the same gains nothing. */
const FRUITLESS = 16;
/** Passes without a try after one that gained nothing, doubled each time. */
const MOST_REST = 64;

/** See the head of the file. */
export class LookAhead {
  readonly #k: Khugepaged;
  readonly #driver: AheadDriver;
  readonly #parts = new Map<number, RecordPlace>();
  readonly #hooks: readonly unknown[];
  readonly #without = new Map<keyof AheadSums['without'], number>();
  #pending: AheadPlan | undefined = undefined;
  #plans = 0;
  #ranges = 0;
  #shortagesBefore = 0;
  #rest = 0;
  #restAfter = 1;
  #restWhy: keyof AheadSums['without'] = 'fruitless';
  /** Nothing is done that gains nothing. False: whatever can be done ahead is, however little. */
  #sparing = true;

  /** To be made before anybody fills in the machine's hooks about accesses: a worker cannot ask them. */
  constructor(k: Khugepaged, driver: AheadDriver) {
    this.#k = k;
    this.#driver = driver;
    this.#hooks = this.#accessHooks();
  }

  /** The plan that is to be carried out before the machine goes on. */
  get pending(): AheadPlan | undefined {
    return this.#pending;
  }

  get sums(): AheadSums {
    const shortages = this.#plans === 0 ? 0 : this.#k.m.machine.shortages[0] - this.#shortagesBefore;
    const without = Object.fromEntries(this.#without);
    return { plans: this.#plans, ranges: this.#ranges, shortages, without };
  }

  /** Ranges that were done ahead and that khugepaged has not come to. */
  get left(): boolean {
    return this.#parts.size > 0;
  }

  /** The plan was carried out, or as much of it as there are records. */
  fulfil(records: readonly AheadRecord[]): void {
    if (this.#plans === 0) this.#shortagesBefore = this.#k.m.machine.shortages[0];
    this.#pending = undefined;
    this.#plans++;
    let collapsed = 0;
    let ranges = 0;
    for (const record of records) {
      if (record.ranges > 0) this.#parts.set(record.mm, { words: record.words, at: 0 });
      collapsed += record.collapsed;
      ranges += record.ranges;
    }
    this.#ranges += ranges;
    if (collapsed * FRUITLESS >= ranges) this.#restAfter = 1;
    else if (this.#sparing) this.#restBecause('fruitless');
  }

  /** A pass begins: plans ahead, if nothing is left of the plan before. */
  *beginPass(): Procedure<void> {
    if (this.left) return;
    const plan = this.#plan();
    if (typeof plan === 'string') {
      this.#without.set(plan, (this.#without.get(plan) ?? 0) + 1);
      return;
    }
    this.#pending = plan;
    this.#driver.planned(plan);
    yield now();
    if (this.#pending !== undefined) throw new LookAheadError('the plan was not carried out');
  }

  /** True if the next range of the address space was done ahead. */
  has(mm: MmId): boolean {
    return this.#parts.size > 0 && this.#parts.has(mm);
  }

  /** Does again what was done to the next range. mmap_lock as for `collapseSinglePmd`. */
  *replay(cc: CollapseControl, mm: MmId, page: Vpn): Procedure<RangeOutcome> {
    const place = this.#parts.get(mm);
    if (place === undefined) throw new LookAheadError(`nothing was done ahead for mm ${mm}`);
    const outcome = yield* replayRange(place, cc, page, this.#k.collapse);
    if (place.at === place.words.length) this.#parts.delete(mm);
    return outcome;
  }

  #plan(): AheadPlan | keyof AheadSums['without'] {
    if (this.#accessHooks().some((hook, i) => hook !== this.#hooks[i])) return 'accesses';
    if (this.#rest > 0) {
      this.#rest--;
      return this.#restWhy;
    }
    const limits = this.#driver.limits();
    this.#sparing = limits.leastRanges > 1;
    const plan = planAhead(this.#k, limits);
    if (typeof plan === 'string' && plan !== 'busy' && this.#sparing) this.#restBecause(plan);
    return plan;
  }

  /** Planning costs a walk over the processes: where there was nothing to gain, it is left out for a while. */
  #restBecause(why: keyof AheadSums['without']): void {
    this.#restWhy = why;
    this.#rest = this.#restAfter;
    this.#restAfter = Math.min(MOST_REST, this.#restAfter * 2);
  }

  #accessHooks(): unknown[] {
    const { settleAccess, settleAccessRange, flushTlb } = this.#k.m.hooks;
    return [settleAccess, settleAccessRange, flushTlb];
  }
}
