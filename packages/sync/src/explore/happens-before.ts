/**
 * Which steps of a schedule come before which whatever the order of those that commute, and which pairs race.
 *
 * A clock per step says, for each task, up to where in the schedule its steps come before (position + 1 of the last one,
 * 0 for none). Two steps of different tasks race if they depend on each other, nothing between them makes the order
 * certain, and the later one was possible before the earlier one.
 */
import { ACCESS, type AccessRelations, kindOf, objectOf } from './accesses.js';
import { Dependence, RELATION } from './dependence.js';
import type { ScheduleTrace } from './trace.js';

/** Told of races: positions of the earlier and the later step, and the slot of the later one. */
export type RaceListener = (earlier: number, later: number, slot: number) => void;

const FIRST_ROWS = 256;

export class HappensBefore {
  /** Clocks: the step's position times the number of tasks, plus the slot. */
  clocks: Int32Array;
  private readonly taskCount: number;
  /** The later step's own past: what comes before it even if no race went this way. */
  private readonly own: Int32Array;
  private readonly dependence: Dependence;

  constructor(taskCount: number, relations: AccessRelations) {
    this.taskCount = taskCount;
    this.dependence = new Dependence(relations);
    this.clocks = new Int32Array(FIRST_ROWS * taskCount);
    this.own = new Int32Array(taskCount);
  }

  /** The clock of a step for a task. */
  clock(step: number, slot: number): number {
    return this.clocks[step * this.taskCount + slot] as number;
  }

  /** Works out the clock of the step at a position, the ones before it being known, and tells its races. */
  add(trace: ScheduleTrace, at: number, onRace: RaceListener): void {
    const slot = trace.task[at] as number;
    const row = this.begin(trace, at, slot);
    if (trace.late[at] === 1) {
      for (let step = at - 1; step >= 0; step--) this.join(row, step);
    } else {
      const enabledBy = trace.enabledBy[at] as number;
      if (enabledBy >= 0) this.join(row, enabledBy);
      this.dependence.enterStep(trace, at);
      this.scan(trace, at, slot, row, onRace);
    }
    this.clocks[row + slot] = at + 1;
  }

  /** Tells the races of a step that never came: the access that a task waits for at the end of the schedule. */
  addPending(trace: ScheduleTrace, slot: number, access: number, onRace: RaceListener): void {
    const at = trace.count;
    const row = this.begin(trace, at, slot);
    this.dependence.enterAccess(access);
    this.scan(trace, at, slot, row, onRace);
  }

  /** Starts the clock of a step with that of the same task's step before. */
  private begin(trace: ScheduleTrace, at: number, slot: number): number {
    const { taskCount } = this;
    const row = at * taskCount;
    if (row + taskCount > this.clocks.length) {
      const larger = new Int32Array(2 * this.clocks.length);
      larger.set(this.clocks);
      this.clocks = larger;
    }
    let before = at - 1;
    while (before >= 0 && trace.task[before] !== slot) before--;
    if (before < 0) this.clocks.fill(0, row, row + taskCount);
    else this.clocks.copyWithin(row, before * taskCount, (before + 1) * taskCount);
    return row;
  }

  /** Goes back through the steps that depend on the one that is marked. */
  private scan(trace: ScheduleTrace, at: number, slot: number, row: number, onRace: RaceListener): void {
    const { clocks, own, taskCount } = this;
    for (let other = 0; other < taskCount; other++) own[other] = clocks[row + other] as number;
    let acquired = -1;
    for (let step = at - 1; step >= 0; step--) {
      const other = trace.task[step] as number;
      if (other === slot || (clocks[row + other] as number) > step) continue;
      const relation = this.dependence.relationTo(trace, step);
      if (relation === RELATION.independent) continue;
      if (relation !== RELATION.forced) onRace(step, at, slot);
      else if (acquired < 0) acquired = this.acquisition(trace, step);
      this.join(row, step);
    }
    // The step had to wait for a lock: what it raced with is the acquire that got there first.
    if (acquired >= 0 && (own[trace.task[acquired] as number] as number) <= acquired) onRace(acquired, at, slot);
  }

  /** The step by which a task took the lock that it gives back, or downgrades, at a step; -1 if it waits for no lock. */
  private acquisition(trace: ScheduleTrace, release: number): number {
    for (let access = trace.accessStart(release); access < (trace.accessEnd[release] as number); access++) {
      const object = objectOf(trace.accesses[access] as number);
      if (object % 2 === 0 || (this.dependence.later.kindsOf(object) & ACQUIRES) === 0) continue;
      for (let step = release - 1; step >= 0; step--) {
        if (trace.task[step] === trace.task[release] && takesForWrite(trace, step, object)) return step;
      }
    }
    return -1;
  }

  private join(row: number, step: number): void {
    const { clocks, taskCount } = this;
    const from = step * taskCount;
    for (let other = 0; other < taskCount; other++) {
      const clock = clocks[from + other] as number;
      if (clock > (clocks[row + other] as number)) clocks[row + other] = clock;
    }
  }
}

const ACQUIRES = (1 << ACCESS.acquireRead) | (1 << ACCESS.acquireWrite);

function takesForWrite(trace: ScheduleTrace, step: number, object: number): boolean {
  for (let at = trace.accessStart(step); at < (trace.accessEnd[step] as number); at++) {
    const access = trace.accesses[at] as number;
    if (objectOf(access) !== object) continue;
    const kind = kindOf(access);
    return kind === ACCESS.acquireWrite || (kind === ACCESS.tryWrite && trace.result[step] === 1);
  }
  return false;
}
