/**
 * Makes a failing schedule simple: the fewest pre-emptions, then the fewest switches.
 *
 * First the schedule itself is simplified: a task that was switched away from gets its next steps at once, as long as the
 * same failure comes. Then all schedules with fewer pre-emptions are searched, from none upwards, as far as the budget
 * goes; if none of them fails, the number is proven the least. Who stops the search stops this too, and gets what there is.
 */
import type { ExploreCase, ExploreSettings } from './case.js';
import { DepthFirst } from './depth-first.js';
import type { FailureFound } from './failure.js';
import { ScheduleRunner } from './runner.js';
import { operationsHash } from './schedule-code.js';
import { type Coverage, plainChoice, type ScheduleEnd, type ScheduleView, type Strategy } from './strategy.js';

/** A failing schedule. */
export interface ShrunkSchedule {
  readonly choices: readonly number[];
  readonly failure: FailureFound;
  readonly preemptions: number;
  readonly hash: number;
  /** True if fewer pre-emptions are proven not to be enough. */
  readonly fewest: boolean;
}

/** Steps by one task in a row. */
interface Block {
  readonly slot: number;
  readonly steps: number;
}

/** Attempts between two questions whether to stop. */
const ASK_ATTEMPTS = 256;

/**
 * Finds a simpler schedule that fails in the same way; `found` itself if there is none. Comes back now and then, and goes on
 * unless it is told `true`.
 */
export function* shrinking(
  subject: ExploreCase,
  settings: ExploreSettings,
  found: ShrunkSchedule,
): Generator<undefined, ShrunkSchedule, boolean> {
  const shrinker = new Shrinker(subject, settings, found);
  yield* shrinker.merge();
  yield* shrinker.deepen();
  return shrinker.best;
}

class Shrinker {
  best: ShrunkSchedule;
  private readonly runner: ScheduleRunner;
  private left: number;

  constructor(subject: ExploreCase, settings: ExploreSettings, found: ShrunkSchedule) {
    this.best = found;
    this.left = settings.shrinkSchedules;
    // No need to follow a schedule far beyond the length at which the failure came.
    const stepsPerSchedule =
      found.failure.kind === 'livelock'
        ? settings.stepsPerSchedule
        : Math.min(settings.stepsPerSchedule, 2 * found.choices.length + 1000);
    this.runner = new ScheduleRunner(subject, { ...settings, stepsPerSchedule });
  }

  /** Tries simpler orders of the blocks until none is left. */
  *merge(): Generator<undefined, void, boolean> {
    for (let improved = true; improved; ) {
      improved = false;
      const blocks = blocksOf(this.best.choices);
      for (let at = 0; at < blocks.length && !improved; at++) {
        for (const candidate of [joined(blocks, at), dropped(blocks, at)]) {
          if (candidate === undefined || this.left === 0) continue;
          if (yield* this.attempt(new Blocks(candidate))) {
            improved = true;
            break;
          }
        }
      }
    }
  }

  /** Searches the schedules with fewer pre-emptions. */
  *deepen(): Generator<undefined, void, boolean> {
    for (let bound = 0; bound < this.best.preemptions; bound++) {
      const search = new DepthFirst({ preemptions: bound });
      while (search.newSchedule()) {
        if (this.left === 0) return;
        if (yield* this.attempt(search)) break;
      }
    }
    this.best = { ...this.best, fewest: true };
  }

  /** Runs a schedule and keeps it if it fails in the same way and is simpler. */
  private *attempt(strategy: Strategy): Generator<undefined, boolean, boolean> {
    this.left--;
    if (this.left % ASK_ATTEMPTS === 0 && (yield)) this.left = 0;
    if (this.runner.run(strategy) !== 'failed') return false;
    const failure = this.runner.failure as FailureFound;
    const { best } = this;
    if (failure.kind !== best.failure.kind || failure.name !== best.failure.name) return false;
    const choices = this.runner.trace.choices();
    const { preemptions } = this.runner;
    if (preemptions > best.preemptions) return false;
    if (preemptions === best.preemptions && blocksOf(choices).length >= blocksOf(best.choices).length) return false;
    this.best = { choices, failure, preemptions, hash: operationsHash(this.runner.trace), fewest: false };
    return true;
  }
}

/** Follows blocks as far as they fit the case: what cannot go on is passed over, and the rest goes plainly on. */
class Blocks implements Strategy {
  readonly name = 'blocks';
  readonly coverage: Coverage = { kind: 'sampled', schedules: 1 };
  private readonly blocks: readonly Block[];
  private at = 0;
  private done = 0;

  constructor(blocks: readonly Block[]) {
    this.blocks = blocks;
  }

  newSchedule(): boolean {
    return true;
  }

  pick(view: ScheduleView): number {
    for (; this.at < this.blocks.length; this.at++, this.done = 0) {
      const block = this.blocks[this.at] as Block;
      if (this.done < block.steps && (view.runnable & (1 << block.slot)) !== 0) {
        this.done++;
        return block.slot;
      }
    }
    return plainChoice(view, view.runnable);
  }

  finished(_view: ScheduleView, _end: ScheduleEnd): void {}
}

function blocksOf(choices: readonly number[]): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < choices.length; ) {
    let end = at + 1;
    while (end < choices.length && choices[end] === choices[at]) end++;
    blocks.push({ slot: choices[at] as number, steps: end - at });
    at = end;
  }
  return blocks;
}

/** The next block of the same task comes right after this one. */
function joined(blocks: readonly Block[], at: number): Block[] | undefined {
  const block = blocks[at] as Block;
  const next = blocks.findIndex((other, place) => place > at && other.slot === block.slot);
  if (next < 0) return undefined;
  const merged = { slot: block.slot, steps: block.steps + (blocks[next] as Block).steps };
  return [...blocks.slice(0, at), merged, ...blocks.slice(at + 1, next), ...blocks.slice(next + 1)];
}

/** Without this block: its steps come when nothing else is left. */
function dropped(blocks: readonly Block[], at: number): Block[] | undefined {
  return at === blocks.length - 1 ? undefined : [...blocks.slice(0, at), ...blocks.slice(at + 1)];
}
