/**
 * How far threads may work ahead of khugepaged in a run (docs/decisions/0008-run-on-threads.md): up to the next time at which
 * anybody else does anything or looks, and never so far that the goal of the run is reached by work that is not due yet.
 */
import type { Sizes, TableDecls } from '@thplab/arena';
import { type AheadDriver, type Khugepaged, LookAhead } from '@thplab/khugepaged-scheduler';
import type { RunGoal } from '../format/index.js';
import { coveredPages } from './goal.js';
import type { World } from './world.js';

/** What threads need of the machine. Given by the entry for Node, so that this one runs anywhere. */
export interface ThreadsSetUp {
  /** Threads that work on the machine. */
  readonly threads: number;
  readonly tables: TableDecls;
  /** Sizes of the tables, for so many address spaces. */
  sizes(mms: number): Sizes;
  /** As in AheadLimits; default 64: with fewer there is less to gain than starting costs. */
  readonly leastRanges?: number;
}

/** Most ranges of one plan: what is written down of each takes some hundred bytes, or thousands with small sizes. */
const MOST_RANGES = 1 << 14;
const LEAST_RANGES = 64;

/** Lets threads work ahead of a world's khugepaged. To be called before anything fills in the machine's hooks. */
export function workAhead(k: Khugepaged, setUp: ThreadsSetUp, worldOf: () => World): LookAhead {
  const driver: AheadDriver = {
    limits() {
      const world = worldOf();
      const { executor, scenario } = world;
      return {
        nowNs: executor.current.nowNs,
        quietUntilNs: executor.quietUntilNs,
        laterRanges: scenario.run.until === null ? MOST_RANGES : rangesBelowGoal(world, scenario.run.until),
        leastRanges: setUp.leastRanges ?? LEAST_RANGES,
        mostRanges: MOST_RANGES,
      };
    },
    planned: () => worldOf().executor.interrupt(),
  };
  return new LookAhead(k, driver);
}

/** Ranges that can be collapsed with at least one condition of the goal certainly not reached. */
function rangesBelowGoal(world: World, goal: RunGoal): number {
  const { fullScans, pagesCollapsed, covered } = goal;
  const row = world.k.t.khugepaged;
  // A plan ends with the round, and so does the scan that counts.
  if (fullScans !== null && row.fullScans[0] < fullScans) return MOST_RANGES;
  const left = [0];
  if (pagesCollapsed !== null) left.push(pagesCollapsed - row.pagesCollapsed[0] - 1);
  if (covered !== null) {
    const { pages, huge } = coveredPages(world, covered.process, covered.vma);
    left.push(Math.ceil((covered.fraction * pages - huge) / world.m.ptes) - 1);
  }
  return Math.max(...left);
}
