import { type CoverGoal, isBetterCover, optimalCover } from './optimal-cover.js';
import type { StudyRules } from './study-rules.js';
import type { StudyTable } from './study-table.js';
import { walkCover } from './walk-cover.js';

/** One table of a study, where it comes from, and the rules that hold for it. */
export interface CoverCase {
  readonly name: string;
  readonly table: StudyTable;
  readonly rules: StudyRules;
}

/** What one generation does with many tables, held against the optimal covers. */
export interface CoverTotals {
  tables: number;
  /** Attempts per table, in the order of the tables. */
  readonly attempts: number[];
  /** Attempts that came to nothing. */
  refused: number;
  /** Present pages: all, covered by the walk, and by the optimal cover. */
  present: number;
  covered: number;
  optimum: number;
  /** Empty entries filled, and folios made: by the walk, and by the optimal cover. */
  added: number;
  optimumAdded: number;
  folios: number;
  optimumFolios: number;
  /** Tables of which the optimal cover covers more pages. */
  below: number;
  /** The table of which it covers most pages more; null if there is none. */
  worst: { readonly name: string; readonly lost: number; readonly of: CoverCase } | null;
}

export function emptyTotals(): CoverTotals {
  return {
    tables: 0,
    attempts: [],
    refused: 0,
    present: 0,
    covered: 0,
    optimum: 0,
    added: 0,
    optimumAdded: 0,
    folios: 0,
    optimumFolios: 0,
    below: 0,
    worst: null,
  };
}

/**
 * Adds one table.
 *
 * @throws Error if the walk beats the optimum: one of the two is wrong then
 */
export function addTable(totals: CoverTotals, of: CoverCase, goal: CoverGoal): void {
  const walk = walkCover(of.rules, of.table);
  const best = optimalCover(of.rules, of.table, goal);
  if (isBetterCover(walk, best, goal)) {
    throw new Error(`the walk of ${of.rules.generation.name} beats the optimal cover on ${of.name}`);
  }
  totals.tables += 1;
  totals.attempts.push(walk.attempts.length);
  totals.refused += walk.attempts.length - walk.windows.length;
  totals.present += of.table.present(0, of.table.pmdOrder);
  totals.covered += walk.covered;
  totals.optimum += best.covered;
  totals.added += walk.added;
  totals.optimumAdded += best.added;
  totals.folios += walk.windows.length;
  totals.optimumFolios += best.windows.length;
  const lost = best.covered - walk.covered;
  if (lost === 0) return;
  totals.below += 1;
  if (totals.worst === null || lost > totals.worst.lost) totals.worst = { name: of.name, lost, of };
}
