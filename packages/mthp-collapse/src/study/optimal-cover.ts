import type { WindowChoice } from '../choice/choose-windows.js';
import { SCAN } from '../results.js';
import { attemptResult, knownOrders, type StudyRules } from './study-rules.js';
import type { StudyTable } from './study-table.js';

/** What is better, once as many pages as possible are covered: fewer folios, or less memory added. */
export type CoverGoal = 'fewest' | 'leanest';

/** A choice of windows that do not overlap, and what it comes to. */
export interface Cover {
  /** Present pages inside of the windows. */
  readonly covered: number;
  /** Empty entries that the windows fill. */
  readonly added: number;
  readonly windows: readonly WindowChoice[];
}

const NOTHING: Cover = { covered: 0, added: 0, windows: [] };

/**
 * The best cover of a table under the limits of the generation (khugepaged spec 8, 15): over all sets of aligned, disjoint
 * windows of enabled orders, each of which its limit allows, the one that covers most present pages; of those the one that the
 * goal prefers. By dynamic programming over the binary tree of windows: the best of a region is the region as one window, or the
 * best of its left half and the best of its right half.
 *
 * The rules of a single attempt bind it, those of the scan of the whole table do not: what a walk loses because one swapped page
 * too many rejects the table is a loss of the walk.
 */
export function optimalCover(rules: StudyRules, table: StudyTable, goal: CoverGoal = 'fewest'): Cover {
  const orders = knownOrders(rules);
  const best = (offset: number, order: number): Cover => {
    const present = table.present(offset, order);
    if (present === 0) return NOTHING;
    const splits = (orders & ((1 << order) - 1)) !== 0;
    const halves = splits ? joined(best(offset, order - 1), best(offset + (1 << (order - 1)), order - 1)) : NOTHING;
    const allowed = ((orders >> order) & 1) === 1 && attemptResult(rules, table, offset, order) === SCAN.SUCCEED;
    if (!allowed) return halves;
    const whole = { covered: present, added: (1 << order) - present, windows: [{ offset, order }] };
    return isBetterCover(halves, whole, goal) ? halves : whole;
  };
  return best(0, rules.pmdOrder);
}

function joined(a: Cover, b: Cover): Cover {
  if (a.windows.length === 0) return b;
  if (b.windows.length === 0) return a;
  return { covered: a.covered + b.covered, added: a.added + b.added, windows: [...a.windows, ...b.windows] };
}

/** Is `a` strictly better than `b`? */
export function isBetterCover(a: Cover, b: Cover, goal: CoverGoal): boolean {
  if (a.covered !== b.covered) return a.covered > b.covered;
  const folios = b.windows.length - a.windows.length;
  const memory = b.added - a.added;
  return goal === 'fewest' ? (folios || memory) > 0 : (memory || folios) > 0;
}
