/** Whether a step depends on an earlier one: the later one's accesses are entered first, then earlier ones are asked. */
import { type AccessRelations, kindOf, objectOf } from './accesses.js';
import { ObjectMarks } from './object-marks.js';
import type { ScheduleTrace } from './trace.js';

/** How a step is related to an earlier one of another task. */
export const RELATION = {
  independent: 0,
  /** They depend on each other, and could have come in the other order. */
  reversible: 1,
  /** The later one was not possible before the earlier one. */
  forced: 2,
} as const;

export class Dependence {
  readonly later: ObjectMarks = new ObjectMarks();
  private readonly relations: AccessRelations;
  private objects = 0;

  constructor(relations: AccessRelations) {
    this.relations = relations;
  }

  /** Enters the later step. */
  enterStep(trace: ScheduleTrace, step: number): void {
    this.later.noteStep(trace, step);
    this.objects = trace.objects[step] as number;
  }

  /** Enters a later step that makes one access. */
  enterAccess(access: number): void {
    this.later.clear();
    this.later.note(access);
    this.objects = 1 << (objectOf(access) & 31);
  }

  /** One of `RELATION`. */
  relationTo(trace: ScheduleTrace, step: number): number {
    if (((trace.objects[step] as number) & this.objects) === 0) return RELATION.independent;
    const { reversible, forced } = this.relations;
    const { accesses } = trace;
    const end = trace.accessEnd[step] as number;
    let relation: number = RELATION.independent;
    for (let at = trace.accessStart(step); at < end; at++) {
      const access = accesses[at] as number;
      const later = this.later.kindsOf(objectOf(access));
      if (later === 0) continue;
      const kind = kindOf(access);
      if (((forced[kind] as number) & later) !== 0) return RELATION.forced;
      if (((reversible[kind] as number) & later) !== 0) relation = RELATION.reversible;
    }
    return relation;
  }
}
