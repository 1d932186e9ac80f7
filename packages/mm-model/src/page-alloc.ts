/**
 * Allocation of folios: free lists first, then what the caller's flags allow. Failure is a result of the memory's state,
 * or of the fault injection that a scenario asked for.
 */
import { type Procedure, spend } from '@thplab/sync';
import type { Pfn } from './brands.js';
import { takeBlock } from './buddy.js';
import { tryToCompact } from './compaction.js';
import { pageAllocationFails } from './fault-injection.js';
import type { Machine } from './machine.js';
import { shrinkNode } from './reclaim.js';

/** What an allocation may do when no block is free (khugepaged spec 11.1). */
export const GFP = {
  /** Base pages for faults: reclaims if it must. */
  movable: 0,
  /** Huge pages with direct reclaim and compaction (GFP_TRANSHUGE). */
  transhuge: 1,
  /** Huge pages from the free lists only (GFP_TRANSHUGE_LIGHT). */
  transhugeLight: 2,
} as const;
export type Gfp = (typeof GFP)[keyof typeof GFP];

/** All nodes. */
export const ALL_NODES = 0xffff_ffff;

/**
 * Allocates a folio of the order: one reference, not on the LRU, contents undefined. Tries node `nid` first, then the
 * others of `nodes` (a bit mask). Gives 0 if there is no memory.
 */
export function* allocFolio(
  m: Machine,
  order: number,
  gfp: Gfp,
  nid = 0,
  nodes: number = ALL_NODES,
): Procedure<Pfn | 0> {
  yield spend(m.costs.allocBase + m.costs.allocPerOrder * order);
  if (pageAllocationFails(m, order)) return 0;
  const direct = takeFromNodes(m, order, nid, nodes);
  if (direct !== 0 || gfp === GFP.transhugeLight) return direct;
  // Compaction and reclaim work on folios of anyone.
  m.gate.alone();
  const made = yield* makeRoom(m, order, nid, nodes);
  m.gate.together();
  return made;
}

function* makeRoom(m: Machine, order: number, nid: number, nodes: number): Procedure<Pfn | 0> {
  if (order > 0) {
    for (const node of nodeOrder(m, nid, nodes)) {
      if (yield* tryToCompact(m, node, order)) return takeFromNodes(m, order, nid, nodes);
    }
    return 0;
  }
  for (const node of nodeOrder(m, nid, nodes)) {
    if ((yield* shrinkNode(m, node, 32)) > 0) return takeFromNodes(m, order, nid, nodes);
  }
  return 0;
}

function takeFromNodes(m: Machine, order: number, nid: number, nodes: number): Pfn | 0 {
  for (const node of nodeOrder(m, nid, nodes)) {
    const pfn = takeBlock(m, node, order);
    if (pfn !== 0) return pfn;
    // From here on, who gets which frame decides what happens: runs that must not depend on it look at this.
    Atomics.add(m.machine.shortages, 0, 1);
  }
  return 0;
}

function nodeOrder(m: Machine, nid: number, nodes: number): number[] {
  const list = [nid];
  for (let n = 0; n < m.nodes; n++) if (n !== nid && (nodes & (1 << n)) !== 0) list.push(n);
  return list;
}

/** Fills a folio with zeroes and says it is valid (`folio_zero`, uptodate). The cost is the caller's to spend. */
export function clearFolio(m: Machine, head: Pfn, pages: number): void {
  m.frame.stamp.fill(0, head, head + pages);
}
