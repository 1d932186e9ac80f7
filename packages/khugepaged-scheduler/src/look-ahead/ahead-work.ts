/**
 * The work of one thread ahead of khugepaged: it takes the next family of the plan under khugepaged_mm_lock, does what
 * khugepaged will have done to its ranges, under that family's locks, writes down how, and comes back for more.
 */
import { mmapReadTrylock, mmapReadUnlock, useMm } from '@thplab/mm-model';
import { type CollapseControl, collapseSinglePmd, SCAN } from '@thplab/mthp-collapse';
import { acquire, type Procedure, release } from '@thplab/sync';
import type { Khugepaged } from '../khugepaged.js';
import type { AheadPart, AheadPlan } from './plan.js';
import { vmaBlocks } from './range-blocks.js';
import { LookAheadError, type RangeRecorder } from './range-record.js';

/** What was done of a part. */
export interface AheadRecord {
  readonly mm: number;
  readonly ranges: number;
  readonly collapsed: number;
  /** As RangeRecorder writes them. */
  readonly words: Float64Array;
}

/** One thread that works ahead. */
export interface AheadWorker {
  readonly k: Khugepaged;
  readonly control: CollapseControl;
  readonly recorder: RangeRecorder;
  /** Number among the threads, from 0. */
  readonly number: number;
}

/** To be called before the threads start. */
export function resetAhead(k: Khugepaged): void {
  const { aheadNext, aheadStop, aheadRanges, aheadCollapsed } = k.t.khugepaged;
  Atomics.store(aheadNext, 0, 0);
  Atomics.store(aheadStop, 0, 0);
  aheadRanges.fill(0);
  aheadCollapsed.fill(0);
}

/** Asks the threads to stop after the range that each is at. */
export function stopAhead(k: Khugepaged): void {
  Atomics.store(k.t.khugepaged.aheadStop, 0, 1);
}

/** One thread's share of a plan. */
export function* aheadWork(worker: AheadWorker, plan: AheadPlan): Procedure<AheadRecord[]> {
  const { k } = worker;
  const { aheadNext } = k.t.khugepaged;
  const records: AheadRecord[] = [];
  for (;;) {
    yield acquire(k.mmLock);
    const family = plan.families[aheadNext[0]++];
    yield release(k.mmLock);
    if (family === undefined) return records;
    for (const part of family) records.push(yield* workOnPart(worker, part));
  }
}

function* workOnPart(worker: AheadWorker, part: AheadPart): Procedure<AheadRecord> {
  const { k, recorder, number } = worker;
  const { m, t } = k;
  const walk = { page: part.page, left: part.ranges, collapsed: 0 };
  useMm(m, part.mm);
  while (walk.left > 0 && Atomics.load(t.khugepaged.aheadStop, 0) === 0) {
    if (!(yield* mmapReadTrylock(m, part.mm))) throw new LookAheadError(`mmap_lock of mm ${part.mm} is not free`);
    const before = walk.left;
    if (!(yield* visit(worker, part, walk))) yield* mmapReadUnlock(m, part.mm);
    if (walk.left === before) break;
  }
  useMm(m, 0);
  Atomics.add(t.khugepaged.aheadCollapsed, number, walk.collapsed);
  return { mm: part.mm, ranges: part.ranges - walk.left, collapsed: walk.collapsed, words: recorder.take() };
}

/** Ranges until a collapse drops mmap_lock (true), or there are no more. */
function* visit(
  { k, control, recorder, number }: AheadWorker,
  { mm }: AheadPart,
  walk: { page: number; left: number; collapsed: number },
): Procedure<boolean> {
  const { aheadRanges, aheadStop } = k.t.khugepaged;
  for (const { vma, first, end } of vmaBlocks(k, mm, walk.page)) {
    for (let page = first; page < end; page = walk.page as typeof first) {
      if (walk.left === 0 || Atomics.load(aheadStop, 0) !== 0) return false;
      const outcome = yield* recorder.record(control, page, collapseSinglePmd(k.collapse, control, vma, page));
      walk.page = page + k.m.ptes;
      walk.left--;
      if (outcome.result === SCAN.SUCCEED) walk.collapsed++;
      Atomics.add(aheadRanges, number, 1);
      if (outcome.lockDropped) return true;
    }
  }
  return false;
}
