/**
 * Sleep sets (Godefroid): a task that was explored at a choice need not be explored in the branches beside it until some
 * step there depends on the step it would make. What that step touches is known, since it was made once.
 */
import { type AccessRelations, kindOf, objectOf } from './accesses.js';
import { ObjectMarks } from './object-marks.js';
import type { SearchStack } from './search-stack.js';
import type { ScheduleTrace } from './trace.js';

const FIRST_ENTRIES = 256;

export class SleepSets {
  private readonly stack: SearchStack;
  private readonly taskCount: number;
  /** By kind of access: kinds that depend on it, whichever comes first. */
  private readonly dependent: Int32Array;
  private readonly marks: ObjectMarks = new ObjectMarks();
  /** By depth and slot: where in `pool` the accesses of a sleeping task's next step are. */
  private starts: Int32Array;
  private ends: Int32Array;
  /** By depth: where `pool` ends for it. */
  private tops: Int32Array = new Int32Array(FIRST_ENTRIES);
  private pool: Int32Array = new Int32Array(FIRST_ENTRIES);

  constructor(stack: SearchStack, taskCount: number, relations: AccessRelations) {
    this.stack = stack;
    this.taskCount = taskCount;
    this.starts = new Int32Array(FIRST_ENTRIES * taskCount);
    this.ends = new Int32Array(FIRST_ENTRIES * taskCount);
    const { reversible, forced } = relations;
    this.dependent = Int32Array.from(reversible, (_, kind) => {
      let mask = (reversible[kind] as number) | (forced[kind] as number);
      for (let other = 0; other < reversible.length; other++) {
        if ((((reversible[other] as number) | (forced[other] as number)) & (1 << kind)) !== 0) mask |= 1 << other;
      }
      return mask;
    });
  }

  /** The chosen task has been explored at a depth: remembers what its step touched. */
  explored(at: number, trace: ScheduleTrace): void {
    const start = this.tops[at] as number;
    const from = trace.accessStart(at);
    const length = (trace.accessEnd[at] as number) - from;
    while (start + length > this.pool.length) this.pool = doubled(this.pool);
    this.pool.set(trace.accesses.subarray(from, from + length), start);
    this.enter(at, this.stack.chosen[at] as number, start, start + length);
    this.tops[at] = start + length;
  }

  /** The tasks that sleep at a new depth, `at`, behind the step that the trace ends with. */
  inherit(at: number, trace: ScheduleTrace): number {
    if (at >= this.tops.length) this.tops = doubled(this.tops);
    if (at === 0) {
      this.tops[0] = 0;
      return 0;
    }
    const before = at - 1;
    this.tops[at] = this.tops[before] as number;
    const { stack } = this;
    const candidates =
      ((stack.asleep[before] as number) | (stack.done[before] as number)) & ~(1 << (stack.chosen[before] as number));
    if (candidates === 0 || trace.late[before] === 1) return 0;
    this.marks.noteStep(trace, before);
    let asleep = 0;
    for (let slot = 0; slot < this.taskCount; slot++) {
      if ((candidates & (1 << slot)) === 0) continue;
      const start = this.starts[before * this.taskCount + slot] as number;
      const end = this.ends[before * this.taskCount + slot] as number;
      if (this.isDisturbed(start, end)) continue;
      asleep |= 1 << slot;
      this.enter(at, slot, start, end);
    }
    return asleep;
  }

  private isDisturbed(start: number, end: number): boolean {
    for (let at = start; at < end; at++) {
      const access = this.pool[at] as number;
      if (((this.dependent[kindOf(access)] as number) & this.marks.kindsOf(objectOf(access))) !== 0) return true;
    }
    return false;
  }

  private enter(at: number, slot: number, start: number, end: number): void {
    const entry = at * this.taskCount + slot;
    while (entry >= this.starts.length) {
      this.starts = doubled(this.starts);
      this.ends = doubled(this.ends);
    }
    this.starts[entry] = start;
    this.ends[entry] = end;
  }
}

function doubled(array: Int32Array): Int32Array {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
