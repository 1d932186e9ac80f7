/** Whether a run has come to what it runs for. */

import { judgeCounter } from '../expect/judge.js';
import { rangesOf } from '../expect/ranges.js';
import type { RunGoal } from '../format/index.js';
import { countHugeBlocks } from '../report/huge-blocks.js';
import type { World } from './world.js';

/** True if all conditions of the goal hold. */
export function goalReached(world: World, goal: RunGoal, eventsDone: boolean): boolean {
  const row = world.k.t.khugepaged;
  if (goal.eventsDone && !eventsDone) return false;
  if (goal.fullScans !== null && row.fullScans[0] < goal.fullScans) return false;
  if (goal.pagesCollapsed !== null && row.pagesCollapsed[0] < goal.pagesCollapsed) return false;
  if (goal.covered !== null && coveredShare(world, goal.covered.process, goal.covered.vma) < goal.covered.fraction) {
    return false;
  }
  return goal.counters.every((counter) => judgeCounter(world, counter).ok);
}

/** Share of the bytes of VMAs that huge PMDs map. */
export function coveredShare(world: World, process: string | null, vma: string | null): number {
  let pages = 0;
  let huge = 0;
  for (const { process: one, range } of rangesOf(world, process, vma)) {
    pages += range.pages;
    huge += countHugeBlocks(world.m, one.mm, range.start, range.start + range.pages) * world.m.ptes;
  }
  return pages === 0 ? 0 : huge / pages;
}
