/**
 * The steps of the schedule that runs, as parallel arrays that are used again for the next one.
 *
 * A step is one operation performed, and the code of the task from there to its next operation.
 */
import type { Op } from '../operations.js';

/** What a step began with: the opcode of its operation (`OP`), or one of these. */
export const MOVE = {
  /** The first code of a task. */
  start: 0,
  /** A queued acquire has been granted. */
  granted: 11,
  /** The end of a wait: by a wake. */
  woken: 12,
  /** The end of a wait: by its timeout. */
  timeout: 13,
} as const;

const FIRST_STEPS = 256;
const FIRST_ACCESSES = 1024;

export class ScheduleTrace {
  /** Steps made. */
  count = 0;
  /** Slot of the task. */
  task: Uint8Array = new Uint8Array(FIRST_STEPS);
  /** An opcode or a `MOVE`. */
  move: Uint8Array = new Uint8Array(FIRST_STEPS);
  /** What came of it, where that is not certain: 0 if a lock was not taken or a wait timed out, else 1. */
  result: Uint8Array = new Uint8Array(FIRST_STEPS);
  /** The operation; 0 for a start. */
  op: Float64Array = new Float64Array(FIRST_STEPS);
  /** The step without which this one could not have been made (a wake), -1 if none. */
  enabledBy: Int32Array = new Int32Array(FIRST_STEPS);
  /** 1 if the task had rested too often in a row and went on only because nothing else could. */
  late: Uint8Array = new Uint8Array(FIRST_STEPS);
  /** Position in `accesses` after the step's last one. */
  accessEnd: Int32Array = new Int32Array(FIRST_STEPS);
  accesses: Int32Array = new Int32Array(FIRST_ACCESSES);
  /** Objects of the step's accesses, hashed into 32 bits: no common bit, no common object. */
  objects: Int32Array = new Int32Array(FIRST_STEPS);

  /** Position in `accesses` of the step's first one. */
  accessStart(step: number): number {
    return step === 0 ? 0 : (this.accessEnd[step - 1] as number);
  }

  /** Begins step number `count`. */
  begin(slot: number, move: number, op: Op | 0): void {
    const at = this.count;
    if (at === this.task.length) this.grow();
    this.task[at] = slot;
    this.move[at] = move;
    this.result[at] = 1;
    this.op[at] = op;
    this.enabledBy[at] = -1;
    this.late[at] = 0;
    this.objects[at] = 0;
    this.accessEnd[at] = this.accessStart(at);
  }

  /** Adds an access to the step that was begun. */
  access(object: number, access: number): void {
    const at = this.count;
    const end = this.accessEnd[at] as number;
    if (end === this.accesses.length) this.accesses = doubled(this.accesses);
    this.accesses[end] = access;
    this.accessEnd[at] = end + 1;
    this.objects[at] = (this.objects[at] as number) | (1 << (object & 31));
  }

  /** The schedule as slots, step by step. */
  choices(): number[] {
    return Array.from(this.task.subarray(0, this.count));
  }

  private grow(): void {
    const larger = <A extends Uint8Array | Float64Array | Int32Array>(array: A, made: A): A => {
      made.set(array);
      return made;
    };
    const size = 2 * this.task.length;
    this.task = larger(this.task, new Uint8Array(size));
    this.move = larger(this.move, new Uint8Array(size));
    this.result = larger(this.result, new Uint8Array(size));
    this.late = larger(this.late, new Uint8Array(size));
    this.op = larger(this.op, new Float64Array(size));
    this.enabledBy = larger(this.enabledBy, new Int32Array(size));
    this.accessEnd = larger(this.accessEnd, new Int32Array(size));
    this.objects = larger(this.objects, new Int32Array(size));
  }
}

function doubled(array: Int32Array): Int32Array {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
