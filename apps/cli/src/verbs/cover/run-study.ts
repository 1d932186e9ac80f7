/** All tables under one generation, in pieces: progress is shown and Ctrl-C heard in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { addTable, type CoverGoal, type CoverTotals, emptyTotals, type Generation } from '@thplab/mthp-collapse';
import type { Context } from '../../context.js';
import { bar, type Progress } from '../../output/progress.js';
import type { CoverSource } from '../cover.js';

/** Event loop turns come this often. */
const TURN_MS = 20;

/** The totals of all tables; null after Ctrl-C. */
export async function studyCover(
  context: Context,
  generation: Generation,
  source: CoverSource,
  goal: CoverGoal,
  signal: AbortSignal,
  progress: Progress,
  label: string,
): Promise<CoverTotals | null> {
  const { nowMs } = context.io;
  const totals = emptyTotals();
  try {
    let turnMs = nowMs();
    for (let i = 0; i < source.tables; i++) {
      if (signal.aborted) return null;
      addTable(totals, source.caseOf(i, generation), goal);
      if (nowMs() - turnMs < TURN_MS) continue;
      progress.show(`${label}: ${bar(i, source.tables)}`);
      await nextTurn();
      turnMs = nowMs();
    }
    return totals;
  } finally {
    progress.clear();
  }
}
