/**
 * Allocation of folios: free lists first, then what the caller's flags allow. Failure is a result of the memory's state,
 * or of the fault injection that a scenario asked for.
 */
import { giveWord, type Procedure, spend, takeWord } from '@thplab/sync';
import type { Pfn } from './brands.js';
import { takeBlock } from './buddy.js';
import { tryToCompact } from './compaction.js';
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
const RULES = 8;
/** Codes of rules that are not for one order (`failOrder`). */
const ANY_ORDER = -1;
const SLAB = -2;

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
  if (shouldFail(m, order + 1)) return 0;
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

/** A fault-injection rule, as `fail_page_alloc` would be set up: what fails, from which allocation on, how often. */
export interface AllocationFailure {
  /** Order that fails; undefined: any. */
  readonly order?: number;
  /** Which allocation of that order fails first, from 1. */
  readonly nth: number;
  /** How many fail from then on; undefined: all. */
  readonly count?: number;
  /** From then on only each so many-th fails; undefined: each. */
  readonly every?: number;
}

/** Adds a rule. Errors: more than 8 rules. */
export function injectAllocationFailure(m: Machine, rule: AllocationFailure): void {
  addRule(m, rule.order === undefined ? ANY_ORDER : rule.order + 1, rule);
}

/**
 * Adds a rule for small objects of the kernel's, as `failslab` would be set up. The model has one kind of them that can be
 * missing: the nodes of the page cache's tree that a split needs (split.ts). Errors: more than 8 rules.
 */
export function injectSlabFailure(m: Machine, rule: Omit<AllocationFailure, 'order'>): void {
  addRule(m, SLAB, rule);
}

/** True if the allocation of a small object fails, which only fault injection brings about. */
export function slabAllocationFails(m: Machine): boolean {
  return shouldFail(m, SLAB);
}

function addRule(m: Machine, code: number, rule: AllocationFailure): void {
  const { failOrder, failNth, failEvery, failCount } = m.machine;
  for (let i = 0; i < RULES; i++) {
    if (failOrder[i] !== 0 && failCount[i] !== 0) continue;
    failOrder[i] = code;
    failNth[i] = rule.nth;
    failEvery[i] = rule.every ?? 0;
    failCount[i] = rule.count ?? -1;
    return;
  }
  throw new RangeError(`more than ${RULES} allocation failures are waiting; let some of them happen first`);
}

/** `code`: the order plus 1, or SLAB, which rules for any order do not mean. */
function shouldFail(m: Machine, code: number): boolean {
  const { failOrder, failNth, failEvery, failCount, failWord } = m.machine;
  if (failOrder[0] === 0) return false;
  takeWord(failWord, 0);
  let fail = false;
  for (let i = 0; i < RULES; i++) {
    const left = failCount[i];
    const meant = failOrder[i] === code || (failOrder[i] === ANY_ORDER && code !== SLAB);
    if (left === 0 || !meant) continue;
    const nth = failNth[i];
    if (nth > 1) failNth[i] = nth - 1;
    else {
      fail = true;
      if (failEvery[i] > 0) failNth[i] = failEvery[i];
      if (left > 0) failCount[i] = left - 1;
    }
  }
  giveWord(failWord, 0);
  return fail;
}
