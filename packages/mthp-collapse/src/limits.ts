import type { OrderSet } from './orders.js';
import { orderBit } from './orders.js';

/**
 * The three limits of khugepaged, per order and initiator (khugepaged spec 8, 15.1).
 *
 * Every rule is a pure function of the order and a `LimitContext`. A generation names the rules it uses; nothing
 * here knows a generation, and no rule knows how many entries a table has except through `pmdOrder`.
 */

/** The three max_ptes_* files, each 0 to 2^pmdOrder - 1. */
export interface PtesSettings {
  readonly maxPtesNone: number;
  readonly maxPtesSwap: number;
  readonly maxPtesShared: number;
  /** max_ptes_none as a second read found it, in generations that read it twice (B11). */
  readonly maxPtesNoneAgain?: number;
}

/** Who collapses: the kernel thread, or a process through MADV_COLLAPSE. */
export type Initiator = 'khugepaged' | 'madvise';

/** What a limit depends on besides the order. */
export interface LimitContext {
  readonly pmdOrder: number;
  readonly settings: PtesSettings;
  readonly initiator: Initiator;
  /** True only when the caller supplies a VMA and that VMA is registered with userfaultfd in any mode. */
  readonly uffdArmed: boolean;
}

/** A limit in entries, or `refused`: the setting has no meaning at this order and the caller must give up. */
export type Limit = number | 'refused';

/** How many empty or zero-page entries a window of `order` may have. */
export type NoneLimitRule = (order: number, context: LimitContext) => Limit;

/** How many swapped (or shared) entries a window of `order` may have. */
export type CountLimitRule = (order: number, context: LimitContext) => number;

/** How many empty or zero-page entries the scan of the whole table accepts. */
export type ScanNoneLimitRule = (enabledOrders: OrderSet, context: LimitContext) => number;

/** Highest value of the max_ptes_* files, and "unlimited" for orders below the PMD's: 2^pmdOrder - 1. */
export function maxPtesCeiling(pmdOrder: number): number {
  return (1 << pmdOrder) - 1;
}

/** The settings of a fresh boot (khugepaged spec 14.1): ceiling, an eighth and a half of the table. */
export function defaultPtesSettings(pmdOrder: number): PtesSettings {
  const entries = 1 << pmdOrder;
  return { maxPtesNone: maxPtesCeiling(pmdOrder), maxPtesSwap: entries >> 3, maxPtesShared: entries >> 1 };
}

/** Is max_ptes_none one of the two values with a meaning below the PMD order: 0 or the ceiling? */
export function isStrictNoneSetting(context: LimitContext): boolean {
  const { maxPtesNone, maxPtesNoneAgain = maxPtesNone } = context.settings;
  return maxPtesNone === 0 || maxPtesNoneAgain === maxPtesCeiling(context.pmdOrder);
}

/**
 * merged, v18, v19: nothing for an armed VMA, everything for MADV_COLLAPSE, the setting itself at the PMD order;
 * below it all or nothing, where a setting that is neither 0 nor the ceiling counts as 0 (khugepaged spec 8).
 */
export function allOrNothingNoneLimit(order: number, context: LimitContext): Limit {
  if (context.uffdArmed) return 0;
  if (context.initiator === 'madvise') return 1 << context.pmdOrder;
  if (order === context.pmdOrder) return context.settings.maxPtesNone;
  return context.settings.maxPtesNone === maxPtesCeiling(context.pmdOrder) ? (1 << order) - 1 : 0;
}

/** Legacy: one order, the setting itself; MADV_COLLAPSE is not limited (khugepaged spec 15.8). */
export function plainNoneLimit(_order: number, context: LimitContext): Limit {
  if (context.uffdArmed) return 0;
  return context.initiator === 'madvise' ? 1 << context.pmdOrder : context.settings.maxPtesNone;
}

/**
 * v16 and v17: as `allOrNothingNoneLimit`, but a setting that is neither 0 nor the ceiling is refused
 * (khugepaged spec 15.7).
 */
export function strictNoneLimit(order: number, context: LimitContext): Limit {
  const binds = context.initiator === 'khugepaged' && !context.uffdArmed && order < context.pmdOrder;
  return binds && !isStrictNoneSetting(context) ? 'refused' : allOrNothingNoneLimit(order, context);
}

/**
 * v13 to v15: refused before userfaultfd is asked, and MADV_COLLAPSE may leave all but one entry empty
 * (khugepaged spec 15.6).
 */
export function strictBeforeUffdNoneLimit(order: number, context: LimitContext): Limit {
  const binds = context.initiator === 'khugepaged' && order < context.pmdOrder;
  if (binds && !isStrictNoneSetting(context)) return 'refused';
  return context.uffdArmed || context.initiator === 'khugepaged'
    ? allOrNothingNoneLimit(order, context)
    : maxPtesCeiling(context.pmdOrder);
}

/**
 * v12: the setting, but at most just under half of the table, scaled down with the order; MADV_COLLAPSE may leave all
 * but one entry empty (khugepaged spec 15.5).
 */
export function cappedScaledNoneLimit(order: number, context: LimitContext): Limit {
  const { pmdOrder, settings, initiator } = context;
  if (context.uffdArmed) return 0;
  if (initiator === 'madvise') return maxPtesCeiling(pmdOrder);
  if (order === pmdOrder) return settings.maxPtesNone;
  return Math.min(settings.maxPtesNone, (1 << (pmdOrder - 1)) - 1) >> (pmdOrder - order);
}

/** RFC v2, v4: the setting shifted down with the order; MADV_COLLAPSE is not limited (khugepaged spec 15.2). */
export function scaledNoneLimit(order: number, context: LimitContext): Limit {
  const { pmdOrder, settings, initiator } = context;
  if (context.uffdArmed) return 0;
  return initiator === 'madvise' ? 1 << pmdOrder : settings.maxPtesNone >> (pmdOrder - order);
}

/**
 * How full a table must be in percent, 0 to 100, as RFC v1 made it of max_ptes_none: (N - M - 1) of (N - 1) entries,
 * rounded down. A recollection: the arithmetic of RFC v1 is not public (khugepaged spec 15.2, 21.1).
 */
export function fullnessPercent({ pmdOrder, settings }: LimitContext): number {
  const ceiling = maxPtesCeiling(pmdOrder);
  return Math.floor(((ceiling - settings.maxPtesNone) * 100) / ceiling);
}

/**
 * RFC v1: below the PMD order a window must be as full as `fullnessPercent` says; at the PMD order the setting itself;
 * MADV_COLLAPSE is not limited (khugepaged spec 15.1, 15.2).
 */
export function percentNoneLimit(order: number, context: LimitContext): Limit {
  const { pmdOrder, settings, initiator } = context;
  if (context.uffdArmed) return 0;
  if (initiator === 'madvise') return 1 << pmdOrder;
  if (order === pmdOrder) return settings.maxPtesNone;
  return (1 << order) - Math.floor((fullnessPercent(context) * (1 << order)) / 100);
}

/**
 * Dev Jain's v2: `scaledNoneLimit` where the setting is 0 or the ceiling; below the PMD order any other one is refused
 * (khugepaged spec 15.4, the strict policy).
 */
export function strictScaledNoneLimit(order: number, context: LimitContext): Limit {
  const binds = context.initiator === 'khugepaged' && order < context.pmdOrder;
  return binds && !isStrictNoneSetting(context) ? 'refused' : scaledNoneLimit(order, context);
}

/**
 * The what-if policy for MADV_COLLAPSE of mTHP: as `allOrNothingNoneLimit`, and MADV_COLLAPSE may leave all but one entry
 * of a window below the PMD order empty. So the unsigned wrap of the kernel's formula there (khugepaged spec 23.5) does
 * not arise.
 */
export function bestEffortNoneLimit(order: number, context: LimitContext): Limit {
  const below = context.initiator === 'madvise' && !context.uffdArmed && order < context.pmdOrder;
  return below ? (1 << order) - 1 : allOrNothingNoneLimit(order, context);
}

/** Dev Jain's v1: max_ptes_swap shifted down with the order (khugepaged spec 15.4). */
export function scaledSwapLimit(order: number, context: LimitContext): number {
  return scaledLimit(order, context, context.settings.maxPtesSwap);
}

/** As `scaledSwapLimit`, for entries whose folio may be mapped by another process. */
export function scaledSharedLimit(order: number, context: LimitContext): number {
  return scaledLimit(order, context, context.settings.maxPtesShared);
}

function scaledLimit(order: number, { initiator, pmdOrder }: LimitContext, setting: number): number {
  return initiator === 'madvise' ? 1 << pmdOrder : setting >> (pmdOrder - order);
}

/** merged and its forerunners from v12 on: the setting at the PMD order, none below, no limit for MADV_COLLAPSE. */
export function pmdOnlySwapLimit(order: number, context: LimitContext): number {
  return pmdOnlyLimit(order, context, context.settings.maxPtesSwap);
}

/** As `pmdOnlySwapLimit`, for entries whose folio may be mapped by another process. */
export function pmdOnlySharedLimit(order: number, context: LimitContext): number {
  return pmdOnlyLimit(order, context, context.settings.maxPtesShared);
}

function pmdOnlyLimit(order: number, context: LimitContext, setting: number): number {
  if (context.initiator === 'madvise') return 1 << context.pmdOrder;
  return order === context.pmdOrder ? setting : 0;
}

/** RFC v2 to v15: as above, and below the PMD order swapped entries are refused whoever collapses. */
export function refusedBelowPmdSwapLimit(order: number, context: LimitContext): number {
  return order < context.pmdOrder ? 0 : pmdOnlySwapLimit(order, context);
}

/** As `refusedBelowPmdSwapLimit`, for entries whose folio may be mapped by another process. */
export function refusedBelowPmdSharedLimit(order: number, context: LimitContext): number {
  return order < context.pmdOrder ? 0 : pmdOnlySharedLimit(order, context);
}

/**
 * merged, v16 to v19: with the PMD order alone the limit of that order, uffd included; with any other set of orders
 * the ceiling, and an armed VMA is noticed only later, when pages are isolated (khugepaged spec 7.1 step 3).
 */
export function helperScanNoneLimit(enabledOrders: OrderSet, context: LimitContext): number {
  if (enabledOrders !== orderBit(context.pmdOrder)) return maxPtesCeiling(context.pmdOrder);
  if (context.uffdArmed) return 0;
  return context.initiator === 'madvise' ? 1 << context.pmdOrder : context.settings.maxPtesNone;
}

/**
 * v12 to v15: the setting binds khugepaged when the PMD order is enabled alone, anything else the ceiling; an armed
 * VMA always allows none (khugepaged spec 7.1, 15.5, 15.6).
 */
export function inlineScanNoneLimit(enabledOrders: OrderSet, context: LimitContext): number {
  if (context.uffdArmed) return 0;
  const binds = context.initiator === 'khugepaged' && enabledOrders === orderBit(context.pmdOrder);
  return binds ? context.settings.maxPtesNone : maxPtesCeiling(context.pmdOrder);
}

/** RFC v2: the scan of a table is never ended by empty entries, except in an armed VMA (khugepaged spec 15.2). */
export function unlimitedScanNone(_enabledOrders: OrderSet, context: LimitContext): number {
  return context.uffdArmed ? 0 : 1 << context.pmdOrder;
}

/** v4: as `unlimitedScanNone`, unless khugepaged has the PMD order alone (khugepaged spec 15.3). */
export function pmdOnlyScanNone(enabledOrders: OrderSet, context: LimitContext): number {
  const binds = context.initiator === 'khugepaged' && enabledOrders === orderBit(context.pmdOrder);
  return binds && !context.uffdArmed ? context.settings.maxPtesNone : unlimitedScanNone(enabledOrders, context);
}

/** Legacy: the plain limit; the uffd test stands inside the scan and always counts (khugepaged spec 15.8). */
export function plainScanNoneLimit(_enabledOrders: OrderSet, context: LimitContext): number {
  if (context.uffdArmed) return 0;
  return context.initiator === 'madvise' ? 1 << context.pmdOrder : context.settings.maxPtesNone;
}
