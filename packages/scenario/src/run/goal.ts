/** Whether a run has come to what it runs for. */

import { judgeCounter } from '../expect/counter.js';
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
  if (goal.covered !== null && !isCovered(world, goal.covered)) return false;
  return goal.counters.every((counter) => judgeCounter(world, counter).ok);
}

/** Asked after every pass: first what the processes' counters allow at most, and only then the page tables. */
function isCovered(world: World, covered: NonNullable<RunGoal['covered']>): boolean {
  const { m } = world;
  const ranges = rangesOf(world, covered.process, covered.vma);
  const wanted = covered.fraction * ranges.reduce((sum, { range }) => sum + range.pages, 0);
  const mms = new Set(ranges.map(({ process }) => process.mm));
  const atMost = [...mms].reduce((sum, mm) => sum + (m.mm.anonThps[mm] + m.mm.fileThps[mm]) * m.ptes, 0);
  if (atMost < wanted) return false;
  return coveredShare(world, covered.process, covered.vma) >= covered.fraction;
}

/** Share of the bytes of VMAs that huge PMDs map. */
export function coveredShare(world: World, process: string | null, vma: string | null): number {
  const { pages, huge } = coveredPages(world, process, vma);
  return pages === 0 ? 0 : huge / pages;
}

/** Pages of VMAs, and those that huge PMDs map. */
export function coveredPages(
  world: World,
  process: string | null,
  vma: string | null,
): { readonly pages: number; readonly huge: number } {
  let pages = 0;
  let huge = 0;
  for (const { process: one, range } of rangesOf(world, process, vma)) {
    pages += range.pages;
    huge += countHugeBlocks(world.m, one.mm, range.start, range.start + range.pages) * world.m.ptes;
  }
  return { pages, huge };
}
