/**
 * Serving hints, at the start of every scan_mm_slot (khugepaged spec 17.3). The skeleton is the patch's; the policy says
 * where it differs.
 */
import {
  type MmId,
  mmapReadTrylock,
  mmapReadUnlock,
  mmgetNotZero,
  mmput,
  setting,
  TVA,
  useMm,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { collapsePossible, collapseSinglePmd, SCAN, type ScanResult } from '@thplab/mthp-collapse';
import { acquire, now, type Procedure, release, spend } from '@thplab/sync';
import type { Khugepaged } from '../khugepaged.js';
import { exitOrDisabled } from '../mm-state.js';
import { budgetLasts, type Scanner } from '../scanner.js';
import { HINT_DROP, type HintDropReason } from './outcome.js';
import { discardHint, type HintQueue, isSameVma, mmOf, moveToEnd, pageOf, priorityOf, removeHint } from './queue.js';
import { tellDrained, tellDropped } from './recorder.js';
import { HINT_PRIORITIES } from './tables.js';

/** One drain on its way. */
interface Drain {
  readonly queue: HintQueue;
  readonly scanner: Scanner;
  /** Failures by priority; shared by all drains of a pass if the policy says so. */
  readonly failures: number[];
  /** Failures of the address space that is being served. */
  ofMm: number;
  /** Requests that this drain has passed over. */
  passedOver: number;
  /** Time used and not yet paid. */
  owedNs: number;
  /** Scan budget that had been used by others than hints when it began. */
  readonly usedByRound: number;
  /** Result of the last range. */
  result: ScanResult;
  served: boolean;
}

/**
 * Serves hints until none is left, the scan budget is used up, or too many have failed. khugepaged_mm_lock is held at
 * entry and exit and given up in between. Gives the result of the last range, FAIL if there was none.
 */
export function* drainHints(k: Khugepaged, queue: HintQueue, scanner: Scanner): Procedure<ScanResult> {
  const { policy } = queue;
  // Requests that are passed over are marked with a number: that of this drain, or of the first in the pass.
  if (policy.budgetPer === 'call' || scanner.hintDrain === 0) {
    scanner.hintDrain = ++k.t.hintLevel.drains[0];
    scanner.hintFailures.fill(0);
  }
  const d: Drain = {
    queue,
    scanner,
    failures: scanner.hintFailures,
    ofMm: 0,
    passedOver: 0,
    owedNs: 0,
    usedByRound: scanner.control.progress - scanner.hintProgress,
    result: SCAN.FAIL,
    served: false,
  };
  for (let priority = 0; priority < HINT_PRIORITIES; priority++) {
    // One request after the other.
    while (mayFail(d, priority) && mayScan(k, d)) {
      const { request, visited } = findRequest(k, d, priority); // 1
      if (visited > 0) yield spend(visited * k.m.costs.hintVisit);
      d.ofMm = 0;
      if (request === 0) break;
      d.served = true;
      const mm = mmOf(k, request);
      yield release(k.mmLock);
      useMm(k.m, mm);
      const passOver = yield* drainMm(k, d, request, mm); // 2
      if (passOver || policy.rotateAfter > 0) yield* letWait(k, d, request, passOver);
      yield* putMm(k, d, mm); // 3
      useMm(k.m, 0);
      yield acquire(k.mmLock);
      d.ofMm = 0;
    }
    if (!mayScan(k, d) || (policy.budgetFor === 'drain' && !mayFail(d, priority))) break;
  }
  scanner.hintProgress = scanner.control.progress - d.usedByRound;
  if (d.served) queue.recorder?.drainEnded?.(d.failures[0] + d.failures[1]);
  return d.result;
}

/** progress < progress_max, and what the policy leaves of it to hints. */
function mayScan(k: Khugepaged, d: Drain): boolean {
  const { scanner, queue } = d;
  if (!budgetLasts(k, scanner)) return false;
  const { budgetShare } = queue.policy;
  if (budgetShare === 1) return true;
  return scanner.control.progress - d.usedByRound < budgetShare * setting(k.m, 'khugepaged.pages_to_scan');
}

/** fail < 10, in the account that the policy keeps. */
function mayFail(d: Drain, priority: number): boolean {
  const { failureBudget, budgetFor } = d.queue.policy;
  if (budgetFor === 'mm') return d.ofMm < failureBudget;
  const failed = budgetFor === 'drain' ? d.failures[0] + d.failures[1] : d.failures[priority];
  return failed < failureBudget;
}

function countFailure(d: Drain, priority: number): void {
  d.failures[priority]++;
  d.ofMm++;
}

/** The request goes to the end of its list; with `passOver` this drain leaves it out from now on. */
function* letWait(k: Khugepaged, d: Drain, request: number, passOver: boolean): Procedure<void> {
  yield acquire(k.mmLock);
  if (passOver) {
    k.t.hintRequest.passedOver[request] = d.scanner.hintDrain;
    d.passedOver++;
  }
  moveToEnd(k, d.queue, request);
  yield release(k.mmLock);
}

/** The first request with a hint whose address space still has users; it gets one more. Walks the list from its head (H16). */
function findRequest(k: Khugepaged, d: Drain, priority: number): { request: number; visited: number } {
  const { levels, fifos } = d.queue;
  let visited = 0;
  // Other scanners overwrite the marks of this one: it does not go round for ever.
  if (d.passedOver > HINT_PRIORITIES * k.t.mmSlot.pool.live) return { request: 0, visited };
  for (let request = levels.first(priority); request !== 0; request = levels.next(request)) {
    visited++;
    if (fifos.isEmpty(request) || k.t.hintRequest.passedOver[request] === d.scanner.hintDrain) continue;
    if (mmgetNotZero(k.m, mmOf(k, request))) return { request, visited };
  }
  return { request: 0, visited };
}

/** The mm_users reference goes; if it was the last one, the whole exit runs here (H9) or on a thread of its own. */
function* putMm(k: Khugepaged, d: Drain, mm: MmId): Procedure<void> {
  if (d.queue.policy.lastPut === 'inline') yield* mmput(k.m, mm);
  else if (Atomics.load(k.m.mm.users, mm) > 1) yield* mmput(k.m, mm);
  else k.startWorker('mmput_async', () => mmput(k.m, mm), {});
}

/** The hints of one request. True: it is to be passed over by the rest of this drain. */
function* drainMm(k: Khugepaged, d: Drain, request: number, mm: MmId): Procedure<boolean> {
  const { m } = k;
  const { policy, recorder } = d.queue;
  const { control } = d.scanner;
  const priority = priorityOf(request);
  const lock = acquire(k.mmLock);
  const unlock = release(k.mmLock);
  let locked = false;
  let passOver = false;
  for (let taken = 0; mayScan(k, d) && (policy.rotateAfter === 0 || taken < policy.rotateAfter); taken++) {
    if (!mayFail(d, priority)) {
      passOver = policy.budgetFor === 'mm';
      break;
    }
    if (!locked && !(yield* mmapReadTrylock(m, mm))) {
      recorder?.contended?.(mm, priority); // a
      yield spend(m.costs.hintVisit);
      passOver = policy.contended === 'requeues';
      if (passOver) break;
      countFailure(d, priority);
      taken--;
      continue;
    }
    locked = true;
    const bornAfter = policy.mostAgeNs > 0 ? (yield now()) - policy.mostAgeNs : Number.NEGATIVE_INFINITY;
    // Twice for each hint, and six generators deep: on the spot, where that can be.
    m.current.atOnce?.(lock) ?? (yield lock); // b
    const hint = takeHint(k, d, request, bornAfter);
    m.current.atOnce?.(unlock) ?? (yield unlock);
    if (hint === 0) break;
    control.progress++; // c
    d.owedNs += m.costs.scanVisit;
    const page = pageOf(k, hint);
    recorder?.taken?.(mm, page, priority, m.current.nowNs - k.t.hint.addedNs[hint]);
    const dropped = whyDropped(k, d, mm, hint, page); // d
    if (dropped !== null) {
      k.t.hint.pool.free(hint);
      tellDropped(k, mm, page, priority, dropped);
      if (dropped !== HINT_DROP.exit_or_disable) continue;
      if (policy.disabledMm === 'allAtOnce') yield* discardAll(k, d, request);
      break;
    }
    const before = control.progress;
    const { result, lockDropped } = yield* collapseSinglePmd(k.collapse, control, k.t.hint.vma[hint] as VmaId, page); // e
    k.t.hint.pool.free(hint);
    count(k, d, priority, result);
    tellDrained(k, mm, page, priority, result, 1 + control.progress - before, d.failures[0] + d.failures[1]);
    if (lockDropped) locked = false;
    if (d.owedNs >= MOST_OWED_NS) yield* pay(d);
  }
  yield* pay(d);
  if (locked) yield* mmapReadUnlock(m, mm);
  return passOver;
}

/** Small costs are summed up and paid together. */
const MOST_OWED_NS = 10_000;

function* pay(d: Drain): Procedure<void> {
  if (d.owedNs === 0) return;
  yield spend(d.owedNs);
  d.owedNs = 0;
}

/** The oldest hint of a request, taken off; 0: there is none. Those born before `bornAfter` are dropped on the way. */
function takeHint(k: Khugepaged, d: Drain, request: number, bornAfter: number): number {
  const { queue } = d;
  let hint = queue.fifos.first(request);
  for (; hint !== 0 && k.t.hint.addedNs[hint] < bornAfter; hint = queue.fifos.first(request)) {
    discardHint(k, queue, hint, HINT_DROP.aged);
    d.owedNs += k.m.costs.hintFree;
  }
  if (hint === 0) return 0;
  removeHint(k, queue, hint);
  Atomics.add(k.t.hintLevel.taken, priorityOf(request), 1);
  return hint;
}

/** Why the range of a hint is not looked at; null if it is. mmap_lock is held. */
function whyDropped(k: Khugepaged, d: Drain, mm: MmId, hint: number, page: Vpn): HintDropReason | null {
  const { m } = k;
  if (exitOrDisabled(k, mm)) return HINT_DROP.exit_or_disable;
  const vma = vmaAt(m, mm, page);
  if (vma === 0) return HINT_DROP.vma_gone;
  if (!isSameVma(k, d.queue, hint, vma)) return HINT_DROP.vma_changed;
  if (!collapsePossible(k.collapse, vma, TVA.khugepaged)) return HINT_DROP.not_allowed;
  const inside = page >= m.vma.start[vma] && page + m.ptes <= Math.floor(m.vma.end[vma] / m.ptes) * m.ptes;
  return inside ? null : HINT_DROP.out_of_range;
}

/** A range was looked at: what that means for the counters and for the failure budget. */
function count(k: Khugepaged, d: Drain, priority: number, result: ScanResult): void {
  d.scanner.ranges++;
  d.result = result;
  if (result === SCAN.SUCCEED) Atomics.add(k.t.khugepaged.pagesCollapsed, 0, 1);
  else if (d.queue.policy.alreadyHuge === 'fails' || !isHugeAlready(result)) countFailure(d, priority);
}

function isHugeAlready(result: ScanResult): boolean {
  return result === SCAN.PMD_MAPPED || result === SCAN.PTE_MAPPED_HUGEPAGE;
}

function* discardAll(k: Khugepaged, d: Drain, request: number): Procedure<void> {
  const { fifos } = d.queue;
  let count = 0;
  yield acquire(k.mmLock);
  for (let hint = fifos.first(request); hint !== 0; hint = fifos.first(request)) {
    discardHint(k, d.queue, hint, HINT_DROP.exit_or_disable);
    count++;
  }
  if (count > 0) yield spend(count * k.m.costs.hintFree);
  yield release(k.mmLock);
}
