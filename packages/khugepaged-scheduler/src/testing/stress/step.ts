/** From actions, which are plain data that fast-check makes, to steps of a run. */
import type fc from 'fast-check';
import { Contradiction, type Expectation } from './expectation.js';
import { StressFailure, verify } from './verify.js';
import { verifyCollapses } from './verify-collapse.js';
import type { Job, World } from './world.js';

/** Something that can be done to a world: chooses its process and pages when its turn comes. */
export interface Action {
  /** The job, or undefined if there is nothing that it could be done to. */
  prepare(w: World): Job | undefined;
  toString(): string;
}

/** The redundant facts of the whole machine are recomputed every so many steps; less often where it is large. */
const DEEP_EVERY = 5;
const DEEP_EVERY_LARGE = 20;

/** One action, or several at the same time. */
export class Step implements fc.Command<Expectation, World> {
  private readonly actions: readonly Action[];
  private readonly delays: readonly number[];

  constructor(actions: readonly Action[], delays: readonly number[] = []) {
    this.actions = actions;
    this.delays = delays;
  }

  check(): boolean {
    return true;
  }

  run(_expected: Expectation, w: World): void {
    w.steps++;
    try {
      const jobs = compatible(this.actions.flatMap((action) => action.prepare(w) ?? []));
      if (jobs.length > 0) {
        const alone = jobs.length === 1;
        const watch = verifyCollapses(w, alone);
        w.execute(jobs, this.delays);
        const seen = verify(w, deepChecks(w));
        watch(seen);
      }
    } catch (error) {
      throw new StressFailure(`after step ${w.steps}, ${this}:\n${explain(error)}`);
    }
  }

  toString(): string {
    if (this.actions.length === 1) return String(this.actions[0]);
    return `Together[${this.actions.map((action, i) => `${action} after ${this.delays[i] ?? 0} ns`).join(', ')}]`;
  }
}

/** Broken rules in words; of errors of the model also where they come from. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof StressFailure || error instanceof Contradiction) return error.message;
  const places = (error.stack ?? '').split('\n').filter((line) => line.includes('/packages/'));
  return [`${error.name}: ${error.message}`, ...places.slice(0, 12)].join('\n');
}

function deepChecks(w: World): boolean {
  return w.steps % (w.rig.m.pmdOrder > 5 ? DEEP_EVERY_LARGE : DEEP_EVERY) === 0;
}

/** Two structural jobs of one process would need to know each other's half-way states: only the first goes. */
function compatible(jobs: readonly Job[]): Job[] {
  const busy = new Set<string>();
  return jobs.filter((job) => {
    const lanes = job.structural ? [`process ${job.process}`] : [];
    if (job.lane !== undefined) lanes.push(job.lane);
    if (lanes.some((lane) => busy.has(lane))) return false;
    for (const lane of lanes) busy.add(lane);
    return true;
  });
}
