import type { WindowChoice } from '../choice/choose-windows.js';
import { startWalk } from '../choice/start-walk.js';
import { NO_WINDOW, windowOffset, windowOrder } from '../choice/window.js';
import { chunkOccupancy } from '../chunks.js';
import { SCAN, type ScanResult } from '../results.js';
import { attemptResult, type StudyRules, scanResult } from './study-rules.js';
import type { StudyTable } from './study-table.js';

/** One attempt of a studied scan. */
export interface StudyAttempt extends WindowChoice {
  readonly result: ScanResult;
}

/**
 * One scan of a table by khugepaged of the generation: chooses windows, attempts them and fills the table where that succeeds.
 * Returns the attempts in their order, none if the scan itself refuses the table.
 */
export function scanTable(rules: StudyRules, table: StudyTable): StudyAttempt[] {
  const { generation, pmdOrder, settings } = rules;
  const attempts: StudyAttempt[] = [];
  if (scanResult(rules, table) !== SCAN.SUCCEED) return attempts;
  const walk = startWalk(generation, {
    // The walk chooses on what the scan saw, whatever happens to the table meanwhile.
    bitmap: walkBitmap(rules, table),
    swapped: table.swapped.slice(),
    unmapped: table.swappedIn(0, pmdOrder),
    pmdOrder,
    enabledOrders: rules.enabledOrders,
    alwaysOrders: rules.alwaysOrders,
    settings,
    initiator: 'khugepaged',
  });
  for (let w = walk.next(); w !== NO_WINDOW; w = walk.next()) {
    const [offset, order] = [windowOffset(w), windowOrder(w)];
    const result = attemptResult(rules, table, offset, order);
    attempts.push({ offset, order, result });
    if (result === SCAN.SUCCEED) table.collapse(offset, order);
    walk.report(result);
  }
  return attempts;
}

function walkBitmap({ generation, pmdOrder, settings }: StudyRules, table: StudyTable): Uint32Array {
  const { chunkRule, chunkOrder } = generation;
  if (chunkOrder === 0) return table.occupied.slice();
  const { maxPtesNone } = settings;
  return chunkOccupancy(chunkRule, {
    occupied: table.occupied,
    empty: table.empty(),
    maxPtesNone,
    pmdOrder,
    chunkOrder,
  });
}
