/**
 * The thread: scan a budget's worth, sleep, and so on (`khugepaged`, `khugepaged_do_scan`, `khugepaged_wait_work`;
 * khugepaged spec 6). Two sleeps differ: the scan sleep waits for a point in time, which only a write to the two
 * `*_sleep_millisecs` files moves; the sleep after a failed allocation is cut short by any wake-up.
 */

import { LOCKLESS, lockless, lruAddDrainAll, setting } from '@thplab/mm-model';
import { hugepageEnabled, SCAN } from '@thplab/mthp-collapse';
import { acquire, now, type Procedure, preempt, release, wait, wake } from '@thplab/sync';
import type { Khugepaged } from './khugepaged.js';
import { khugepagedScanMmSlot, NO_SLOT } from './scan-mm-slot.js';
import { atHead, budgetLasts, endPass, leaveRound, type Scanner, setBudget, settleBudget } from './scanner.js';
import { collectMmSlot } from './slots.js';
import { khugepagedTables } from './tables.js';

const NS_PER_MS = 1e6;

/** The thread's whole life. */
export function* khugepagedThread(k: Khugepaged): Procedure<void> {
  while (!shouldStop(k)) {
    yield* khugepagedDoScan(k);
    yield* khugepagedWaitWork(k);
  }
  yield acquire(k.mmLock);
  const slot = leaveRound(k, k.scanner);
  if (slot !== 0) yield* collectMmSlot(k, slot);
  yield release(k.mmLock);
  k.t.khugepaged.running[0] = 0;
  yield wake(k.stopQueue);
}

/** True if nobody is registered (`list_empty(&khugepaged_scan.mm_head)`); asked without a lock. */
export function hasNoSlots(k: Khugepaged): boolean {
  return khugepagedTables(lockless(k.m, LOCKLESS.listEmpty)).khugepaged.first[0] === 0;
}

/** One pass: at most `pages_to_scan`, and at most from the cursor to the end of the list and once through it. */
export function* khugepagedDoScan(k: Khugepaged): Procedure<void> {
  yield* khugepagedBeginPass(k, 1);
  if (k.ahead !== undefined) yield* k.ahead.beginPass();
  yield* khugepagedScanPass(k, k.scanner);
}

/** The beginning of a pass, by one for all scanners. */
export function* khugepagedBeginPass(k: Khugepaged, scanners: number): Procedure<void> {
  setBudget(k, setting(k.m, 'khugepaged.pages_to_scan'), scanners);
  k.t.khugepaged.passes[0]++;
  khugepagedTables(lockless(k.m, LOCKLESS.passBegins)).khugepaged.heads[0] = 0;
  yield* lruAddDrainAll(k.m);
}

/** One scanner's part in a pass that has begun. */
export function* khugepagedScanPass(k: Khugepaged, scanner: Scanner): Procedure<void> {
  scanner.control.progress = 0;
  scanner.drawn = 0;
  scanner.hintProgress = 0;
  scanner.hintDrain = 0;
  if (!budgetLasts(k, scanner)) return;
  const { heads } = k.t.khugepaged;
  let mayWait = true;
  for (;;) {
    yield preempt();
    if (shouldStop(k)) break;
    let result: number = SCAN.FAIL;
    yield acquire(k.mmLock);
    if (atHead(k, scanner)) heads[0]++;
    if (hasWork(k) && heads[0] < 2) result = yield* khugepagedScanMmSlot(k, scanner);
    else endPass(k, scanner);
    yield release(k.mmLock);
    if (result === NO_SLOT || !budgetLasts(k, scanner)) break;
    if (result === SCAN.ALLOC_HUGE_PAGE_FAIL) {
      // Memory is short: wait once, hoping for compaction; if it fails again, leave it for the next pass.
      if (!mayWait) break;
      mayWait = false;
      yield wait(k.waitQueue, setting(k.m, 'khugepaged.alloc_sleep_millisecs') * NS_PER_MS);
    }
  }
  settleBudget(k, scanner);
}

function* khugepagedWaitWork(k: Khugepaged): Procedure<void> {
  const { t } = k;
  if (hasWork(k)) {
    const sleepMs = setting(k.m, 'khugepaged.scan_sleep_millisecs');
    if (sleepMs === 0 || servesOn(k)) return;
    const started = yield now();
    t.khugepaged.sleepExpire[0] = k.timer(started, sleepMs * NS_PER_MS);
    for (let at = started; at < t.khugepaged.sleepExpire[0] && !shouldStop(k); at = yield now()) {
      yield wait(k.waitQueue, t.khugepaged.sleepExpire[0] - at);
    }
    return;
  }
  while (hugepageEnabled(k.collapse) && hasNoSlots(k) && !shouldStop(k)) yield wait(k.waitQueue);
}

/** Some policies go on without a sleep while hints wait, as long as serving them gets anywhere. */
function servesOn({ hints, scanner, t }: Khugepaged): boolean {
  return hints?.policy.scanSleep === 'skipped' && scanner.hintProgress > 0 && t.hint.pool.live > 0;
}

function hasWork(k: Khugepaged): boolean {
  return !hasNoSlots(k) && hugepageEnabled(k.collapse);
}

function shouldStop(k: Khugepaged): boolean {
  return k.t.khugepaged.shouldStop[0] !== 0;
}
