/**
 * One visit of one address space (`khugepaged_scan_mm_slot`, khugepaged spec 6.1). The numbered steps are the spec's.
 */

import {
  findVma,
  MMF,
  type MmId,
  mmapReadTrylock,
  mmapReadUnlock,
  mmIsExiting,
  nextVma,
  TVA,
  type VmaId,
  type Vpn,
} from '@thplab/mm-model';
import { collapsePossible, collapseSinglePmd, SCAN, type ScanResult } from '@thplab/mthp-collapse';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { Khugepaged } from './khugepaged.js';
import { collectMmSlot } from './slots.js';

/** How the walk over the VMAs of an mm ended. */
interface Walk {
  /** mmap_lock is not held any more. */
  lockDropped: boolean;
  /** No VMA is left: the mm is finished. */
  exhausted: boolean;
  result: ScanResult;
}

/**
 * Scans from the cursor until the budget is used up, an attempt has dropped mmap_lock, or the mm ends.
 * khugepaged_mm_lock is held at entry and exit and given up in between. Gives the result of the last range.
 */
export function* khugepagedScanMmSlot(k: Khugepaged, progressMax: number): Procedure<ScanResult> {
  const { m, t, control } = k;
  const progressBefore = control.progress;
  let slot = t.khugepaged.cursorSlot[0];
  if (slot === 0) {
    slot = k.slots.first(0);
    t.khugepaged.cursorSlot[0] = slot;
    t.khugepaged.cursorPage[0] = 0;
  }
  const mm = t.mmSlot.mm[slot] as MmId;
  yield release(k.mmLock); // 2
  // 3: a contended mmap_lock counts as "no VMA left", so the next mm is tried, at no charge.
  const walk: Walk = { lockDropped: true, exhausted: true, result: SCAN.FAIL };
  if (yield* mmapReadTrylock(m, mm)) {
    walk.lockDropped = false;
    yield* scanVmas(k, mm, progressMax, walk);
    if (!walk.lockDropped) yield* mmapReadUnlock(m, mm); // 7
  }
  yield acquire(k.mmLock); // 8
  const leaves = k.generation.advancesOnDisabled ? exitOrDisabled(k, mm) : mmIsExiting(m, mm);
  if (leaves || walk.exhausted) advanceCursor(k, slot);
  if (k.generation.traceMmScan) traceScan(k, mm, control.progress - progressBefore);
  return walk.result;
}

/** 4 to 6. mmap_lock is held for reading at entry; at exit unless `walk.lockDropped`. */
function* scanVmas(k: Khugepaged, mm: MmId, progressMax: number, walk: Walk): Procedure<void> {
  const { m, t, control } = k;
  control.progress++; // 4
  let visited = 1;
  let vma: VmaId | 0 = exitOrDisabled(k, mm) ? 0 : findVma(m, mm, t.khugepaged.cursorPage[0]);
  for (; vma !== 0; vma = nextVma(m, vma)) {
    visited++;
    if (exitOrDisabled(k, mm)) {
      control.progress++; // a
      break;
    }
    if (enterVma(k, vma) && (yield* scanRanges(k, mm, vma, progressMax, walk))) break; // b, c, d
  }
  walk.exhausted = vma === 0; // 6
  yield spend(visited * m.costs.scanVisit);
}

/** b and c: charges a VMA that is not worth scanning, else moves the cursor into it. */
function enterVma(k: Khugepaged, vma: VmaId): boolean {
  const { t, control } = k;
  const start = firstBlock(k, vma);
  const end = endBlock(k, vma);
  if (!collapsePossible(k.collapse, vma, TVA.khugepaged) || t.khugepaged.cursorPage[0] > end) {
    control.progress++;
    return false;
  }
  if (t.khugepaged.cursorPage[0] < start) t.khugepaged.cursorPage[0] = start;
  return true;
}

/** d: the PMD ranges of a VMA. Gives true if the visit of the mm ends here. */
function* scanRanges(k: Khugepaged, mm: MmId, vma: VmaId, progressMax: number, walk: Walk): Procedure<boolean> {
  const { m, t, control } = k;
  const cursor = t.khugepaged.cursorPage;
  while (cursor[0] < endBlock(k, vma)) {
    if (exitOrDisabled(k, mm)) return true;
    const page = cursor[0] as Vpn;
    const outcome = yield* collapseSinglePmd(k.collapse, control, vma, page);
    walk.result = outcome.result;
    t.khugepaged.rangesScanned[0]++;
    if (outcome.result === SCAN.SUCCEED) t.khugepaged.pagesCollapsed[0]++;
    cursor[0] = page + m.ptes;
    if (outcome.lockDropped) {
      walk.lockDropped = true;
      return true;
    }
    if (control.progress >= progressMax) return true;
  }
  return false;
}

function firstBlock(k: Khugepaged, vma: VmaId): number {
  return Math.ceil(k.m.vma.start[vma] / k.m.ptes) * k.m.ptes;
}

function endBlock(k: Khugepaged, vma: VmaId): number {
  return Math.floor(k.m.vma.end[vma] / k.m.ptes) * k.m.ptes;
}

/** `hpage_collapse_test_exit_or_disable` (khugepaged spec 2.5). */
export function exitOrDisabled(k: Khugepaged, mm: MmId): boolean {
  return mmIsExiting(k.m, mm) || (k.m.mm.flags[mm] & MMF.DISABLE_THP_COMPLETELY) !== 0;
}

/** Moves the cursor to the next mm; behind the last one a full scan is complete. */
function advanceCursor(k: Khugepaged, slot: number): void {
  const next = k.slots.next(slot);
  k.t.khugepaged.cursorSlot[0] = next;
  k.t.khugepaged.cursorPage[0] = 0;
  if (next === 0) k.t.khugepaged.fullScans[0]++;
  collectMmSlot(k, slot);
}

function traceScan(k: Khugepaged, mm: MmId, progress: number): void {
  const tracer = k.collapse.tracer;
  tracer.event(tracer.ids.mm_khugepaged_scan, mm, progress, k.t.khugepaged.cursorSlot[0] === 0 ? 1 : 0);
}
