/** One context's rows: the tables and the lists through them. Every function of monitoring takes it first. */
import { IntrusiveList, type Tables } from '@thplab/arena';
import type { DamonTables } from '../tables.js';

/** See the head of the file. */
export interface DamonStore {
  readonly t: Tables<DamonTables>;
  /** Row of the context. */
  readonly context: number;
  /** Targets by context. */
  readonly targets: IntrusiveList;
  /** Regions by target. */
  readonly regions: IntrusiveList;
  /** Schemes by context. */
  readonly schemes: IntrusiveList;
}

/** A new context without targets. Errors: TableFullError for 'damonContext'. */
export function createStore(t: Tables<DamonTables>): DamonStore {
  const { damonContext: c, damonTarget, damonRegion, damosScheme } = t;
  return {
    t,
    context: c.pool.alloc(),
    targets: new IntrusiveList({
      first: c.firstTarget,
      last: c.lastTarget,
      next: damonTarget.next,
      prev: damonTarget.prev,
    }),
    regions: new IntrusiveList({
      first: damonTarget.firstRegion,
      last: damonTarget.lastRegion,
      next: damonRegion.next,
      prev: damonRegion.prev,
    }),
    schemes: new IntrusiveList({
      first: c.firstScheme,
      last: c.lastScheme,
      next: damosScheme.next,
      prev: damosScheme.prev,
    }),
  };
}

/** A new target at the end of the context's list. Errors: TableFullError for 'damonTarget'. */
export function addTarget(d: DamonStore, mm: number): number {
  const target = d.t.damonTarget.pool.alloc();
  d.t.damonTarget.mm[target] = mm;
  d.targets.pushBack(d.context, target);
  return target;
}

/** Number of a target in its context, from 0; -1 if it is not in it. */
export function targetIndex(d: DamonStore, target: number): number {
  let index = 0;
  for (const at of d.targets.rows(d.context)) {
    if (at === target) return index;
    index++;
  }
  return -1;
}
