/** Allocations that fail because a scenario asked for it: rules in the machine's own cells (fail_page_alloc, failslab). */
import { giveWord, takeWord } from '@thplab/sync';
import type { Machine } from './machine.js';

const RULES = 8;
/** Codes of rules that are not for one order (`failOrder`). */
const ANY_ORDER = -1;
const SLAB = -2;

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

/** True if a rule makes the allocation of a folio of the order fail. Counts it. */
export function pageAllocationFails(m: Machine, order: number): boolean {
  return shouldFail(m, order + 1);
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
