import { SCAN } from '../results.js';
import type { Cover } from './optimal-cover.js';
import { type StudyAttempt, scanTable } from './scan-table.js';
import type { StudyRules } from './study-rules.js';
import { StudyTable } from './study-table.js';

/** What one scan of a generation covers, and what it tried for that. */
export interface WalkCover extends Cover {
  readonly attempts: readonly StudyAttempt[];
}

/** The cover that the generation's own walk makes of a table in one scan; the table stays as it is. */
export function walkCover(rules: StudyRules, table: StudyTable): WalkCover {
  const working = StudyTable.of(table.pmdOrder, table.occupied, table.swapped);
  working.folioOrder.set(table.folioOrder);
  working.hasForeignFolios = table.hasForeignFolios;
  const attempts = scanTable(rules, working);
  const windows = attempts
    .filter(({ result }) => result === SCAN.SUCCEED)
    .map(({ offset, order }) => ({ offset, order }));
  let covered = 0;
  let added = 0;
  for (const { offset, order } of windows) {
    const present = table.present(offset, order);
    covered += present;
    added += (1 << order) - present;
  }
  return { covered, added, windows, attempts };
}
