/** The accesses of one step, to be looked up by object: as fast as an array, and cleared by counting on. */
import { kindOf, objectOf } from './accesses.js';
import type { ScheduleTrace } from './trace.js';

const FIRST_OBJECTS = 256;

export class ObjectMarks {
  private marks: Int32Array = new Int32Array(FIRST_OBJECTS);
  private kinds: Int32Array = new Int32Array(FIRST_OBJECTS);
  private mark = 0;

  /** Forgets all. */
  clear(): void {
    this.mark++;
  }

  /** Notes all accesses of a step, and nothing else. */
  noteStep(trace: ScheduleTrace, step: number): void {
    this.mark++;
    const end = trace.accessEnd[step] as number;
    for (let at = trace.accessStart(step); at < end; at++) this.note(trace.accesses[at] as number);
  }

  note(access: number): void {
    const object = objectOf(access);
    if (object >= this.marks.length) this.grow(object);
    const known = this.marks[object] === this.mark ? (this.kinds[object] as number) : 0;
    this.marks[object] = this.mark;
    this.kinds[object] = known | (1 << kindOf(access));
  }

  /** The kinds of access to an object, as a mask; 0 if there is none. */
  kindsOf(object: number): number {
    return this.marks[object] === this.mark ? (this.kinds[object] as number) : 0;
  }

  private grow(object: number): void {
    const size = Math.max(object + 1, 2 * this.marks.length);
    const marks = new Int32Array(size);
    marks.set(this.marks);
    this.marks = marks;
    const kinds = new Int32Array(size);
    kinds.set(this.kinds);
    this.kinds = kinds;
  }
}
