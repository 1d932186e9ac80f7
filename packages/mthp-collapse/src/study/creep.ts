import type { Occupancy } from '../bitmap.js';
import { SCAN } from '../results.js';
import { type StudyAttempt, scanTable } from './scan-table.js';
import type { StudyRules } from './study-rules.js';
import { StudyTable } from './study-table.js';

/**
 * Why a later scan took a larger window (khugepaged spec 16):
 * - `alone`: one folio of an earlier scan lay in it and nothing else, so a single page can climb from order to order;
 * - `together`: what earlier scans had filled, with other pages beside it, met the limit of the larger window.
 */
export type ClimbKind = 'together' | 'alone';

/** One step up: a window that a later scan collapsed over folios of an earlier one. */
export interface Climb {
  /** Number of the scan, from 2. */
  readonly scan: number;
  readonly offset: number;
  readonly order: number;
  readonly kind: ClimbKind;
}

/** What repeated scans of one table did. */
export interface CreepCase {
  readonly rules: StudyRules;
  /** Entries that were present at first. */
  readonly start: Occupancy;
  /** Attempts, scan by scan, until one changed nothing. */
  readonly scans: readonly (readonly StudyAttempt[])[];
  readonly climbs: readonly Climb[];
}

/**
 * Scans a table again and again, as khugepaged does in pass after pass while the process does nothing, until a scan changes
 * nothing. Gives the case if some scan climbed: collapsed a window around folios that an earlier scan had made; else null.
 *
 * @param table working space of the same size, if there is one to reuse
 */
export function findCreep(
  rules: StudyRules,
  start: Occupancy,
  table: StudyTable = new StudyTable(rules.pmdOrder),
): CreepCase | null {
  table.reset(start);
  // Most tables settle at once, so the attempts are kept only if there is a climb.
  let climbs = 0;
  for (let scan = 1; climbOrStop(rules, table, scan, () => climbs++); scan++);
  return climbs === 0 ? null : replayCreep(rules, start);
}

/** The scans and climbs of a table. */
export function replayCreep(rules: StudyRules, start: Occupancy): CreepCase {
  const table = StudyTable.of(rules.pmdOrder, start);
  const scans: (readonly StudyAttempt[])[] = [];
  const climbs: Climb[] = [];
  for (let scan = 1; ; scan++) {
    const before = StudyTable.of(rules.pmdOrder, table.occupied);
    before.folioOrder.set(table.folioOrder);
    const attempts = scanTable(rules, table);
    const done = attempts.filter(({ result }) => result === SCAN.SUCCEED);
    if (done.length === 0) return { rules, start, scans, climbs };
    scans.push(attempts);
    for (const { offset, order } of scan === 1 ? [] : done) {
      const folio = largestFolio(before, offset, order);
      if (folio === 0) continue;
      const kind = before.present(offset, order) === 1 << folio ? 'alone' : 'together';
      climbs.push({ scan, offset, order, kind });
    }
  }
}

/** One scan; tells `climbed` of each climb. False: it changed nothing. */
function climbOrStop(rules: StudyRules, table: StudyTable, scan: number, climbed: () => void): boolean {
  const folios = scan === 1 ? null : table.folioOrder.slice();
  let changed = false;
  for (const { offset, order, result } of scanTable(rules, table)) {
    if (result !== SCAN.SUCCEED) continue;
    changed = true;
    if (folios?.subarray(offset, offset + (1 << order)).some((folio) => folio > 0)) climbed();
  }
  return changed;
}

function largestFolio({ folioOrder }: StudyTable, offset: number, order: number): number {
  let largest = 0;
  for (let i = offset; i < offset + (1 << order); i++) largest = Math.max(largest, folioOrder[i]);
  return largest;
}

/** `alone` if any climb is; else `together`. */
export function creepKind({ climbs }: CreepCase): ClimbKind {
  return climbs.some(({ kind }) => kind === 'alone') ? 'alone' : 'together';
}
