/**
 * Taking the pages of a window: each source folio is locked and taken off the LRU, provided that nothing about it has
 * changed for the worse since the scan (`__collapse_huge_page_isolate`, khugepaged spec 11.4).
 *
 * The page table is out of the PMD and its lock is held, so no entry changes; the folios' other users are kept away by
 * the folio lock. What was taken is written into the attempt; release.ts gives it back.
 */
import { getBit } from '@thplab/arena';
import {
  countMthpStat,
  countVmEvent,
  FOLIO,
  folioExpectedRefs,
  folioHead,
  folioMaybeMappedShared,
  folioPages,
  type Machine,
  NO_FRAME,
  ORDER_MASK,
  type Pfn,
  updateMirrors,
  VM,
  VM_UFFD,
} from '@thplab/mm-model';
import type { CollapseAttempt } from '../collapse-attempt.js';
import type { CollapseContext } from '../collapse-context.js';
import { readPtesSettings } from '../collapse-context.js';
import type { CollapseControl } from '../collapse-control.js';
import { traceIsolate } from '../collapse-trace.js';
import { CollapseInvariantError, KernelOopsError } from '../errors.js';
import type { Generation } from '../generations/generation.js';
import type { LimitContext } from '../limits.js';
import { SCAN, type ScanResult } from '../results.js';
import { releaseIsolated } from './release.js';

/** What one run of the pass counts. */
interface IsolateRun {
  noneLimit: number;
  sharedLimit: number;
  shared: number;
  referenced: number;
  writable: boolean;
  scanPfn: number;
  /** Pages taken off the LRU, by the counter they go to. */
  anonPages: number;
  filePages: number;
  refusesLazyfree: boolean;
}

/** Isolates the window. The lock of the detached table is held. On failure everything taken has been given back. */
export function collapseHugePageIsolate(ctx: CollapseContext, cc: CollapseControl): ScanResult {
  const { m, generation } = ctx;
  const a = cc.attempt;
  const flags = m.vma.flags[a.vma];
  const limits: LimitContext = {
    pmdOrder: m.pmdOrder,
    settings: readPtesSettings(m),
    initiator: cc.initiator,
    uffdArmed: generation.isolateBelievesScanUffd === true ? a.uffdAtScan : (flags & VM_UFFD) !== 0,
  };
  const noneLimit = generation.noneLimit(a.order, limits);
  if (noneLimit === 'refused') return refuseLimit(ctx);
  const run: IsolateRun = {
    noneLimit,
    sharedLimit: generation.sharedLimit(a.order, limits),
    shared: 0,
    referenced: 0,
    writable: false,
    scanPfn: -1,
    anonPages: 0,
    filePages: 0,
    refusesLazyfree: generation.lazyfreeRule && cc.isKhugepaged && (flags & VM.DROPPABLE) === 0,
  };
  let result: ScanResult = SCAN.SUCCEED;
  for (; a.isolated < a.pages && result === SCAN.SUCCEED; ) {
    result = isolateEntry(m, cc, run, a.slot + a.isolated);
    if (result === SCAN.SUCCEED) a.isolated++;
  }
  countVmEvent(m, 'nr_isolated_anon', run.anonPages);
  countVmEvent(m, 'nr_isolated_file', run.filePages);
  if (result === SCAN.SUCCEED) result = conclude(ctx, cc, run);
  else countExceeded(ctx, a.order, result);
  if (result !== SCAN.SUCCEED) releaseIsolated(m, a);
  traceIsolate(ctx, a, run, result);
  return result;
}

/** v15, v17: the setting has changed to one without a meaning for this order. No trace event, nothing to give back. */
function refuseLimit(ctx: CollapseContext): ScanResult {
  if (ctx.generation.refusedLimitRunsCleanup) {
    throw new KernelOopsError('release_pte_pages walks back from an entry that was never set (khugepaged spec 19, B2)');
  }
  return ctx.generation.refusedResult;
}

function conclude(ctx: CollapseContext, cc: CollapseControl, run: IsolateRun): ScanResult {
  if (ctx.generation.writableRequired && !run.writable) return SCAN.PAGE_RO;
  return cc.isKhugepaged && run.referenced === 0 ? SCAN.LACK_REFERENCED_PAGE : SCAN.SUCCEED;
}

/** SUCCEED, or why the entry stands in the way. */
function isolateEntry(m: Machine, cc: CollapseControl, run: IsolateRun, slot: number): ScanResult {
  const a = cc.attempt;
  const bit = a.table * m.planeBits + slot;
  const { present, zero, nonPresent, uffdWp, write, young } = m.pte;
  if (!getBit(present, bit) ? !getBit(nonPresent, bit) : getBit(zero, bit)) {
    a.none++;
    return a.none > run.noneLimit ? SCAN.EXCEED_NONE_PTE : SCAN.SUCCEED;
  }
  if (getBit(nonPresent, bit)) return SCAN.PTE_NON_PRESENT;
  if (getBit(uffdWp, bit)) return SCAN.PTE_UFFD_WP;
  if (getBit(write, bit)) run.writable = true;
  const pfn = m.pte.pfn[a.table * m.ptes + slot];
  if (pfn === NO_FRAME) return SCAN.PAGE_NULL;
  const small = (m.frame.flags[pfn] & ORDER_MASK) === 0;
  const head = small ? (pfn as Pfn) : folioHead(m, pfn);
  run.scanPfn = head;
  const result = small ? takeSmall(m, a, run, head, bit) : takeLarge(m, a, run, head, bit);
  if (result !== SCAN.SUCCEED || !cc.isKhugepaged) return result;
  if (getBit(young, bit) || (m.frame.flags[head] & (FOLIO.YOUNG | FOLIO.REFERENCED)) !== 0) run.referenced++;
  return SCAN.SUCCEED;
}

/** An order-0 folio: the usual case, so its facts are read straight from its row. */
function takeSmall(m: Machine, a: CollapseAttempt, run: IsolateRun, pfn: Pfn, bit: number): ScanResult {
  const { flags, mapcount, refcount } = m.frame;
  const facts = flags[pfn];
  const lazyfree = isLazyfree(facts, pfn);
  if (lazyfree && run.refusesLazyfree && !getBit(m.pte.dirty, bit)) return SCAN.PAGE_LAZYFREE;
  const mapped = mapcount[pfn];
  if (mapped > 1) {
    run.shared++;
    if (run.shared > run.sharedLimit) return SCAN.EXCEED_SHARED_PTE;
  }
  if (!m.locks.folioLock.tryLock(pfn)) return SCAN.PAGE_LOCK;
  const expected = (facts & FOLIO.SWAPCACHE) === 0 ? mapped : mapped + 1;
  if (refcount[pfn] !== expected) return letGo(m, pfn, SCAN.PAGE_COUNT);
  if ((facts & FOLIO.LRU) === 0) return letGo(m, pfn, SCAN.DEL_PAGE_LRU);
  takeOffLru(m, pfn);
  a.folios++;
  if (lazyfree) run.filePages++;
  else run.anonPages++;
  // Scans of other processes must see that it is busy; this one's wait for mmap_lock.
  if (mapped > 1) updateMirrors(m, pfn);
  return SCAN.SUCCEED;
}

/** A larger folio: taken once, whatever number of its pages the window maps. */
function takeLarge(m: Machine, a: CollapseAttempt, run: IsolateRun, head: Pfn, bit: number): ScanResult {
  const facts = m.frame.flags[head];
  const lazyfree = isLazyfree(facts, head);
  if (lazyfree && run.refusesLazyfree && !getBit(m.pte.dirty, bit)) return SCAN.PAGE_LAZYFREE;
  const shared = folioMaybeMappedShared(m, head);
  if (shared) {
    run.shared++;
    if (run.shared > run.sharedLimit) return SCAN.EXCEED_SHARED_PTE;
  }
  if (a.order < m.pmdOrder && (facts & ORDER_MASK) >= a.order) return SCAN.PTE_MAPPED_HUGEPAGE;
  if (isTaken(a, head)) return SCAN.SUCCEED;
  if (!m.locks.folioLock.tryLock(head)) return SCAN.PAGE_LOCK;
  if (m.frame.refcount[head] !== folioExpectedRefs(m, head)) return letGo(m, head, SCAN.PAGE_COUNT);
  if ((facts & FOLIO.LRU) === 0) return letGo(m, head, SCAN.DEL_PAGE_LRU);
  takeOffLru(m, head);
  if (lazyfree) run.filePages += folioPages(m, head);
  else run.anonPages += folioPages(m, head);
  a.large[a.largeCount++] = head;
  a.folios++;
  if (shared) updateMirrors(m, head);
  return SCAN.SUCCEED;
}

function isTaken(a: CollapseAttempt, head: Pfn): boolean {
  for (let i = a.largeCount - 1; i >= 0; i--) if (a.large[i] === head) return true;
  return false;
}

function letGo(m: Machine, head: Pfn, result: ScanResult): ScanResult {
  m.locks.folioLock.unlock(head);
  return result;
}

/** `folio_isolate_lru`, for a folio that was seen on the LRU and is locked. */
function takeOffLru(m: Machine, head: Pfn): void {
  Atomics.and(m.frame.flags, head, ~FOLIO.LRU);
  Atomics.add(m.frame.refcount, head, 1);
}

function isLazyfree(facts: number, head: Pfn): boolean {
  if ((facts & FOLIO.ANON) === 0) {
    throw new CollapseInvariantError(`the folio at frame ${head} is mapped in anonymous memory but is not anonymous`);
  }
  return (facts & FOLIO.SWAPBACKED) === 0;
}

/** Are windows that a limit refused counted per order? */
export function countsRefusedWindows({ perOrderStats }: Generation): boolean {
  return perOrderStats === 'attempt' || perOrderStats === 'attemptAndScan';
}

/** The per-order statistic always, the vm event for the PMD order only (khugepaged spec 11.4, 23.2). */
function countExceeded(ctx: CollapseContext, order: number, result: ScanResult): void {
  const { m, generation } = ctx;
  const perOrder = countsRefusedWindows(generation);
  if (result === SCAN.EXCEED_NONE_PTE) {
    if (perOrder) countMthpStat(m, order, 'collapse_exceed_none_pte');
    if (order === m.pmdOrder) countVmEvent(m, 'thp_scan_exceed_none_pte');
  } else if (result === SCAN.EXCEED_SHARED_PTE) {
    if (perOrder) countMthpStat(m, order, 'collapse_exceed_shared_pte');
    if (order === m.pmdOrder) countVmEvent(m, 'thp_scan_exceed_share_pte');
  }
}
