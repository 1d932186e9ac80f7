/**
 * Moving memory between nodes (migrate_hot, migrate_cold; DAMON spec 3.2): the same walk for both, which regions come first
 * is a matter of their scores. A folio that is where it should be, or that somebody holds, stays.
 */
import {
  countVmEvent,
  deferredQueueAdd,
  deferredQueueRemove,
  FOLIO,
  folioAnonVma,
  folioHas,
  folioOrder,
  folioPages,
  freeBlock,
  type Machine,
  migrateFolio,
  nodeOf,
  type Pfn,
  takeBlock,
} from '@thplab/mm-model';
import { type Procedure, spend } from '@thplab/sync';
import type { Damon, RunningScheme } from '../damon.js';
import type { MigrationDest } from '../schemes/scheme.js';
import { eachFolio, eachVirtualFolio } from './folio-actions.js';
import { type ActionOutcome, NOTHING_DONE } from './outcome.js';

/** Moves the folios of a region that the operations filters let pass. */
export function* migrateAction(
  d: Damon,
  target: number,
  region: number,
  scheme: RunningScheme,
): Procedure<ActionOutcome> {
  const { dests, targetNid } = scheme.config;
  // Physical regions know no weights: the kernel looks at the one node only.
  const nodes = d.operations === 'paddr' || dests.length === 0 ? [{ nid: targetNid, weight: 1 }] : dests;
  const weights = nodes.reduce((sum, { weight }) => sum + weight, 0);
  if (weights === 0 || nodes.some(({ nid }) => nid < 0 || nid >= d.m.nodes)) return NOTHING_DONE;
  function* move(head: Pfn): Procedure<number> {
    const to = destination(nodes, weights, interleaveIndex(d.m, head));
    return yield* moveFolio(d.m, head, to);
  }
  if (d.operations === 'paddr') return yield* eachFolio(d, region, scheme, scheme.config.opsFilters, move);
  return yield* eachVirtualFolio(d, target, region, scheme, move);
}

/** The node whose share of the weights the index falls into (DAMON spec 3.2 "weighted migration"). */
export function destination(dests: readonly MigrationDest[], weights: number, index: number): number {
  let left = index % weights;
  for (const { nid, weight } of dests) {
    if (left < weight) return nid;
    left -= weight;
  }
  return dests[0]?.nid ?? 0;
}

/** Number of the folio in its mapping, in folios of its size. */
function interleaveIndex(m: Machine, head: Pfn): number {
  return Math.floor(m.frame.index[head] / folioPages(m, head));
}

/** Bytes moved. Nothing is waited for: what cannot move now stays. */
function* moveFolio(m: Machine, head: Pfn, to: number): Procedure<number> {
  if (nodeOf(m, head) === to || !folioHas(m, head, FOLIO.ANON) || folioAnonVma(m, head) === 0) return 0;
  const order = folioOrder(m, head);
  const pages = folioPages(m, head);
  const room = takeBlock(m, to, order);
  if (room === 0) {
    countVmEvent(m, 'pgmigrate_fail', pages);
    return 0;
  }
  // A folio leaves the queue of those to be split when it moves, and is not queued again.
  const queued = folioHas(m, head, FOLIO.DEFERRED) && !folioHas(m, head, FOLIO.PARTIALLY_MAPPED);
  if (queued) deferredQueueRemove(m, head);
  const moved = migrateFolio(m, head, room);
  if (queued && !moved) deferredQueueAdd(m, head);
  const left = moved ? head : room;
  m.frame.refcount[left] = 0;
  freeBlock(m, left, order);
  if (!moved) return 0;
  yield spend(pages * m.costs.copyPage);
  return pages * 2 ** m.geometry.pageShift;
}
