/** What became of the hints for a range: "hinted at 2 s, dropped at 3 s: vma_changed". */
import { type ExplainRow, formatDuration } from '@thplab/scenario';

type Step = ExplainRow['hints'][number];

/** Steps that fit on a line; the last ones tell most. */
const MOST_STEPS = 3;

/** The last steps in one line; empty if nobody ever asked for the range. */
export function hintText({ hints }: ExplainRow): string {
  const shown = hints.slice(-MOST_STEPS);
  return `${hints.length > shown.length ? '… ' : ''}${shown.map(stepText).join(', ')}`;
}

/** One step. */
export function stepText({ kind, atNs, what, priority }: Step): string {
  const at = `at ${formatDuration(atNs)}`;
  switch (kind) {
    case 'added':
      return `hinted ${at}${priority === 0 ? ' (high)' : ''}`;
    case 'refused':
      return `hint refused ${at}: ${what}`;
    case 'dropped':
      return `dropped ${at}: ${what}`;
    case 'served':
      return `served ${at}: ${what}`;
  }
}
