/**
 * Walking the regions that schemes are applied to, for whoever wants to see them: the tried regions of sysfs (DAMON spec
 * 3.9). One walk at a time; it takes one round of each scheme.
 */
import { type Procedure, wait } from '@thplab/sync';
import type { Damon, RunningScheme } from '../damon.js';
import { DAMON_STATE } from '../state.js';

/** A region that a scheme was applied to. */
export interface TriedRegion {
  readonly scheme: number;
  readonly target: number;
  readonly start: number;
  readonly end: number;
  readonly nrAccesses: number;
  readonly age: number;
  /** Bytes that the operations filters let pass. */
  readonly szFilterPassed: number;
}

/** Told of each region, after the action and before its age is set back. */
export type WalkVisitor = (region: TriedRegion) => void;

/** How a walk or a request ended. */
export type RequestOutcome = 0 | 'EBUSY' | 'ECANCELED';

/**
 * Waits for one round of every scheme and reports each region it is applied to (`damos_walk`). EBUSY: another walk is on
 * its way. ECANCELED: the kdamond ended or rests, or it has no schemes.
 */
export function* damosWalk(d: Damon, visit: WalkVisitor): Procedure<RequestOutcome> {
  if (d.walk !== undefined) return 'EBUSY';
  if (d.t.damonContext.state[d.context] !== DAMON_STATE.running) return 'ECANCELED';
  const walk: NonNullable<Damon['walk']> = { visit, completed: new Set(), state: 0 };
  d.walk = walk;
  while (walk.state === 0) yield wait(d.doneQueue);
  return walk.state === 1 ? 0 : 'ECANCELED';
}

/** Reports one region to the walk, if there is one that has not seen this scheme's round yet. */
export function walkRegion(d: Damon, scheme: RunningScheme, target: number, region: number, passed: number): void {
  if (d.walk === undefined || d.walk.completed.has(scheme.row)) return;
  const r = d.t.damonRegion;
  d.walk.visit({
    scheme: d.runningSchemes.indexOf(scheme),
    target,
    start: r.start[region],
    end: r.end[region],
    nrAccesses: r.nrAccesses[region],
    age: r.age[region],
    szFilterPassed: passed,
  });
}

/** A scheme's round is over (`damos_walk_complete`). True: the walk is done, and its caller is to be woken. */
export function completeWalk(d: Damon, scheme: RunningScheme): boolean {
  if (d.walk === undefined) return false;
  d.walk.completed.add(scheme.row);
  if (d.runningSchemes.some(({ row }) => d.walk?.completed.has(row) === false)) return false;
  d.walk.state = 1;
  d.walk = undefined;
  return true;
}

/** Gives up the walk (`damos_walk_cancel`). True: there was one, and its caller is to be woken. */
export function cancelWalk(d: Damon): boolean {
  if (d.walk === undefined) return false;
  d.walk.state = -1;
  d.walk = undefined;
  return true;
}
