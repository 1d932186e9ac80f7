/**
 * From a scanned table to attempts: the generation's walk chooses windows, each is tried (`mthp_collapse`, khugepaged spec
 * 9). Kernels with one attempt per table, and MADV_COLLAPSE, are the walk of one window.
 */

import { type Machine, type MmId, mmapReadLock, mmapReadUnlock, type VmaId, type Vpn } from '@thplab/mm-model';
import { type Procedure, preempt } from '@thplab/sync';
import { anonOrderMasks } from '@thplab/sysfs-schema';
import { popcountWindow } from './bitmap.js';
import { startWalk } from './choice/start-walk.js';
import type { WalkInput, WalkOutcome, WindowWalk } from './choice/walk.js';
import { NO_WINDOW, type Window, windowOffset, windowOrder } from './choice/window.js';
import { chunkOccupancy } from './chunks.js';
import { type CollapseContext, ptesSettingsChanged, readPtesSettings } from './collapse-context.js';
import type { CollapseControl } from './collapse-control.js';
import { collapseHugePage } from './collapse-huge-page.js';
import { COLLAPSE_POINT } from './collapse-points.js';
import { traceWindow } from './collapse-trace.js';
import { KernelOopsError } from './errors.js';
import type { LimitContext, PtesSettings } from './limits.js';
import type { OrderSet } from './orders.js';
import { SCAN, type ScanResult } from './results.js';

/** Bit of `machine.warnings`: max_ptes_none has a value that orders below the PMD's do not know. */
export const WARNING_MAX_PTES_NONE = 1;

/** What a table is collapsed with, beside what the control's scan found. */
export interface MthpCollapseTarget {
  readonly mm: MmId;
  /** First page of the PMD range. */
  readonly page: Vpn;
  readonly enabledOrders: OrderSet;
  /** The VMA was registered with userfaultfd when it was scanned. */
  readonly uffdArmed: boolean;
  /** The VMA that was scanned; it may be gone, and only a generation with the defect B1 looks at it. */
  readonly vma: VmaId;
}

/** How a table ended. */
export interface MthpCollapseOutcome extends WalkOutcome {
  /** Windows that were collapsed. */
  readonly windows: number;
  /** What came of the PMD order; FAIL if it was not attempted. */
  readonly pmdResult: ScanResult;
}

/**
 * Tries the windows of the table that `cc.scan` describes, in the generation's order. Entered without locks, or with
 * mmap_lock held for reading if `cc.lockDropped` is false; left so that `cc.lockDropped` is true to reality. The three
 * limits are read again before each window, as the kernel does.
 */
export function* mthpCollapse(
  ctx: CollapseContext,
  cc: CollapseControl,
  target: MthpCollapseTarget,
): Procedure<MthpCollapseOutcome> {
  const { m, recorder } = ctx;
  const { mm, page } = target;
  const a = cc.attempt;
  let settings = yield* readLimits(ctx);
  let windows = 0;
  let pmdResult: ScanResult = SCAN.FAIL;
  const walk = startWalk(ctx.generation, walkInput(ctx, cc, target, settings));
  for (let w = nextWindow(ctx, walk, target); w !== NO_WINDOW; w = nextWindow(ctx, walk, target)) {
    const order = windowOrder(w);
    a.aim(mm, page, windowOffset(w), order);
    a.unmapped = cc.scan.unmapped;
    a.referenced = cc.scan.referenced;
    a.uffdAtScan = target.uffdArmed;
    const result: ScanResult = yield* collapseHugePage(ctx, cc);
    if (result === SCAN.SUCCEED) windows++;
    if (order === m.pmdOrder) pmdResult = result;
    recorder?.attempted?.(mm, a.page, order, result, a.none);
    if (ctx.tracer.enabled) traceAttempt(ctx, cc, settings, result);
    walk.report(result);
    if (ctx.generation.reusesVmaAfterRelock === true) yield* rescanUnderStaleVma(ctx, target);
    if (ptesSettingsChanged(m, settings)) {
      settings = yield* readLimits(ctx);
      walk.changeSettings(settings);
    }
  }
  const outcome = walk.outcome();
  if (outcome.warned) Atomics.or(m.machine.warnings, 0, WARNING_MAX_PTES_NONE);
  return { ...outcome, windows, pmdResult };
}

/** The three limits. With the defect B11 max_ptes_none is read once for each of the two values it is compared with. */
function* readLimits({ m, generation }: CollapseContext): Procedure<PtesSettings> {
  const settings = readPtesSettings(m);
  if (!generation.noneSettingReadTwice) return settings;
  yield preempt(COLLAPSE_POINT.noneSettingRead);
  return { ...settings, maxPtesNoneAgain: readPtesSettings(m).maxPtesNone };
}

/** The defect B6: mmap_lock is taken again for the next window, and the VMA of the last one goes on being used. */
function* rescanUnderStaleVma({ m }: CollapseContext, { mm, vma }: MthpCollapseTarget): Procedure<void> {
  yield* mmapReadLock(m, mm);
  if (!m.vma.pool.isLive(vma)) {
    throw new KernelOopsError(`a second scan uses VMA ${vma} after it was freed (khugepaged spec 19, B6)`);
  }
  yield* mmapReadUnlock(m, mm);
}

/** The next window. With the defect B1 its limit asks the VMA, under no lock that would keep it. */
function nextWindow(ctx: CollapseContext, walk: WindowWalk, { vma }: MthpCollapseTarget): Window {
  if (ctx.generation.passVmaToNoneHelper && !ctx.m.vma.pool.isLive(vma)) {
    throw new KernelOopsError(`the choice of a window reads VMA ${vma} after it was freed (khugepaged spec 19, B1)`);
  }
  return walk.next();
}

function walkInput(
  ctx: CollapseContext,
  cc: CollapseControl,
  target: MthpCollapseTarget,
  settings: PtesSettings,
): WalkInput {
  const { m, generation, recorder } = ctx;
  const { scan } = cc;
  const input: WalkInput = {
    bitmap: walkBitmap(ctx, cc, settings),
    pmdOrder: m.pmdOrder,
    enabledOrders: target.enabledOrders,
    unmapped: scan.unmapped,
    settings,
    initiator: cc.initiator,
    uffdArmed: target.uffdArmed,
    alwaysOrders: generation.greedyAlways ? alwaysOrders(m) : 0,
  };
  if (recorder?.skipped === undefined) return input;
  return {
    ...input,
    onSkip: (window, occupied, required) => {
      const at = (target.page + windowOffset(window)) as Vpn;
      recorder.skipped?.(target.mm, at, windowOrder(window), occupied, required);
    },
  };
}

function walkBitmap(ctx: CollapseContext, cc: CollapseControl, settings: PtesSettings): Uint32Array {
  const { generation, m } = ctx;
  const { bitmap, empty } = cc.scan;
  if (empty === undefined) return bitmap;
  return chunkOccupancy(generation.chunkRule, {
    occupied: bitmap,
    empty,
    maxPtesNone: settings.maxPtesNone,
    pmdOrder: m.pmdOrder,
    chunkOrder: generation.chunkOrder,
  });
}

function alwaysOrders(m: Machine): OrderSet {
  return anonOrderMasks(m.setting.value, m.geometry).always;
}

function traceAttempt(ctx: CollapseContext, cc: CollapseControl, settings: PtesSettings, result: ScanResult): void {
  const a = cc.attempt;
  const limits: LimitContext = { pmdOrder: ctx.m.pmdOrder, settings, initiator: cc.initiator, uffdArmed: false };
  const limit = ctx.generation.noneLimit(a.order, limits);
  const occupied = popcountWindow(cc.scan.bitmap, a.slot, a.order);
  traceWindow(ctx, a, occupied, limit === 'refused' ? 0 : limit, result);
}
