/** A study of creep in pieces: progress is shown and Ctrl-C heard in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type CreepQuestion, type CreepRow, studyCreep } from '@thplab/mthp-collapse';
import type { Context } from '../../context.js';
import { InterruptedError } from '../../errors.js';
import { bar, type Progress } from '../../output/progress.js';

/** What is known of one kernel. */
export interface CreepAnswer {
  readonly question: CreepQuestion;
  readonly rows: readonly CreepRow[];
  /** All values were tried. */
  readonly complete: boolean;
}

/** Event loop turns come this often. */
const TURN_MS = 20;

/** Studies one kernel. After Ctrl-C the rows so far are the answer. */
export async function studyOf(
  context: Context,
  question: CreepQuestion,
  signal: AbortSignal,
  progress: Progress,
  number: string,
): Promise<CreepAnswer> {
  const { nowMs } = context.io;
  const study = studyCreep(question);
  try {
    for (let turnMs = nowMs(); ; ) {
      const step = study.next();
      if (step.done === true) return { question, rows: step.value, complete: true };
      if (signal.aborted) return { question, rows: [...step.value.rows], complete: false };
      if (nowMs() - turnMs < TURN_MS) continue;
      const { done, total } = step.value;
      progress.show(`${number} ${question.generation.name}: ${bar(done, total)}`);
      await nextTurn();
      turnMs = nowMs();
    }
  } finally {
    progress.clear();
  }
}

/** Ctrl-C came before there was anything to show. */
export function writeNothing(): InterruptedError {
  return new InterruptedError('no value of max_ptes_none was done yet');
}
