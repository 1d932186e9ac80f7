/**
 * One visit of one address space (`khugepaged_scan_mm_slot`, khugepaged spec 6.1). The numbered steps are the spec's.
 */

import {
  findVma,
  type MmId,
  mmapReadTrylock,
  mmapReadUnlock,
  mmIsExiting,
  nextVma,
  TVA,
  useMm,
  type VmaId,
  type Vpn,
} from '@thplab/mm-model';
import { collapsePossible, collapseSinglePmd, SCAN, type ScanResult } from '@thplab/mthp-collapse';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import { drainHints } from './hints/drain.js';
import type { Khugepaged } from './khugepaged.js';
import { endBlock, firstBlock } from './look-ahead/range-blocks.js';
import { exitOrDisabled } from './mm-state.js';
import { budgetLasts, nextSlot, type Scanner, slotOfScanner } from './scanner.js';
import { collectMmSlot } from './slots.js';

/** How the walk over the VMAs of an mm ended. */
interface Walk {
  /** mmap_lock is not held any more. */
  lockDropped: boolean;
  /** No VMA is left: the mm is finished. */
  exhausted: boolean;
  result: ScanResult;
}

/** What a visit gives when there is no slot for this scanner: all of the round are given, and others still scan theirs. */
export const NO_SLOT = -1;

/**
 * Serves collapse hints, where the kernel has them (khugepaged spec 17.3), and then scans from the scanner's cursor until
 * the budget is used up, an attempt has dropped mmap_lock, or the mm ends. khugepaged_mm_lock is held at entry and exit
 * and given up in between. Gives the result of the last range, or NO_SLOT. The list is not empty at entry.
 */
export function* khugepagedScanMmSlot(
  k: Khugepaged,
  scanner: Scanner = k.scanner,
): Procedure<ScanResult | typeof NO_SLOT> {
  const { m, t, hints } = k;
  const { control } = scanner;
  let progressBefore = control.progress;
  let result: ScanResult = SCAN.FAIL;
  if (hints !== null) {
    const drained = yield* drainHints(k, hints, scanner);
    if (k.slots.isEmpty(0) || !budgetLasts(k, scanner)) return drained;
    if (hints.policy.resultSurvives) result = drained;
    if (!hints.policy.tracesAsRound) progressBefore = control.progress;
  }
  const slot = slotOfScanner(k, scanner);
  if (slot === 0) return NO_SLOT;
  const mm = t.mmSlot.mm[slot] as MmId;
  hints?.recorder?.roundVisits?.(mm);
  yield release(k.mmLock); // 2
  useMm(m, mm);
  // 3: a contended mmap_lock counts as "no VMA left", so the next mm is tried, at no charge.
  const walk: Walk = { lockDropped: true, exhausted: true, result };
  if (yield* mmapReadTrylock(m, mm)) {
    walk.lockDropped = false;
    yield* scanVmas(k, scanner, mm, walk);
    if (!walk.lockDropped) yield* mmapReadUnlock(m, mm); // 7
  }
  useMm(m, 0);
  yield acquire(k.mmLock); // 8
  t.khugepaged.rangesScanned[0] += scanner.ranges;
  scanner.ranges = 0;
  const leaves = k.generation.advancesOnDisabled ? exitOrDisabled(k, mm) : mmIsExiting(m, mm);
  if (leaves || walk.exhausted) {
    nextSlot(k, scanner, slot);
    yield* collectMmSlot(k, slot);
  }
  if (k.generation.traceMmScan) traceScan(k, scanner, mm, control.progress - progressBefore);
  return walk.result;
}

/** 4 to 6. mmap_lock is held for reading at entry; at exit unless `walk.lockDropped`. */
function* scanVmas(k: Khugepaged, scanner: Scanner, mm: MmId, walk: Walk): Procedure<void> {
  const { m, t } = k;
  const { control } = scanner;
  control.progress++; // 4
  let visited = 1;
  let vma: VmaId | 0 = exitOrDisabled(k, mm) ? 0 : findVma(m, mm, t.khugepaged.cursorPage[scanner.number]);
  for (; vma !== 0; vma = nextVma(m, vma)) {
    visited++;
    if (exitOrDisabled(k, mm)) {
      control.progress++; // a
      break;
    }
    if (enterVma(k, scanner, vma) && (yield* scanRanges(k, scanner, mm, vma, walk))) break; // b, c, d
  }
  walk.exhausted = vma === 0; // 6
  yield spend(visited * m.costs.scanVisit);
}

/** b and c: charges a VMA that is not worth scanning, else moves the cursor into it. */
function enterVma(k: Khugepaged, scanner: Scanner, vma: VmaId): boolean {
  const cursor = k.t.khugepaged.cursorPage;
  const at = scanner.number;
  const start = firstBlock(k, vma);
  const end = endBlock(k, vma);
  if (!collapsePossible(k.collapse, vma, TVA.khugepaged) || cursor[at] > end) {
    scanner.control.progress++;
    return false;
  }
  if (cursor[at] < start) cursor[at] = start;
  return true;
}

/** d: the PMD ranges of a VMA. Gives true if the visit of the mm ends here. */
function* scanRanges(k: Khugepaged, scanner: Scanner, mm: MmId, vma: VmaId, walk: Walk): Procedure<boolean> {
  const { m, t } = k;
  const cursor = t.khugepaged.cursorPage;
  const at = scanner.number;
  while (cursor[at] < endBlock(k, vma)) {
    if (exitOrDisabled(k, mm)) return true;
    const page = cursor[at] as Vpn;
    if (k.skips?.(mm, page) === true) {
      scanner.control.progress++;
      cursor[at] = page + m.ptes;
      if (!budgetLasts(k, scanner)) return true;
      continue;
    }
    const outcome = k.ahead?.has(mm)
      ? yield* k.ahead.replay(scanner.control, mm, page)
      : yield* collapseSinglePmd(k.collapse, scanner.control, vma, page);
    walk.result = outcome.result;
    scanner.ranges++;
    if (outcome.result === SCAN.SUCCEED) Atomics.add(t.khugepaged.pagesCollapsed, 0, 1);
    cursor[at] = page + m.ptes;
    if (outcome.lockDropped) {
      walk.lockDropped = true;
      return true;
    }
    if (!budgetLasts(k, scanner)) return true;
  }
  return false;
}

function traceScan(k: Khugepaged, scanner: Scanner, mm: MmId, progress: number): void {
  const tracer = k.collapse.tracer;
  const full = k.t.khugepaged.cursorSlot[scanner.number] === 0 ? 1 : 0;
  tracer.event(tracer.ids.mm_khugepaged_scan, mm, progress, full);
}
