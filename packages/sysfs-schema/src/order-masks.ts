/**
 * The per-size choice files as the bit masks the kernel keeps: bit o of a mask stands for order o. Each order is in one mask
 * at most; one that is `never` is in none (khugepaged spec 14.1).
 */
import { HUGEPAGES_ENABLED, HUGEPAGES_SHMEM_ENABLED, SHMEM_ENABLED, THP_ENABLED } from './choices.js';
import { fileOrders, type Geometry, MIN_ANON_ORDER } from './geometry.js';
import { describeProfile, type KernelProfile } from './profiles.js';
import { type OrderSettingKey, settingIndex } from './settings.js';

/** Any flat store of settings: a typed array or an arena column, indexed by settingIndex. */
export type SettingCells = ArrayLike<number>;

/** huge_anon_orders_always, _madvise and _inherit. */
export interface AnonOrderMasks {
  readonly always: number;
  readonly madvise: number;
  readonly inherit: number;
}

/** huge_shmem_orders_always, _inherit, _within_size and _madvise (the word is `advise`). */
export interface ShmemOrderMasks {
  readonly always: number;
  readonly inherit: number;
  readonly withinSize: number;
  readonly advise: number;
}

/** The masks of the files hugepages-<size>kB/enabled. */
export function anonOrderMasks(cells: SettingCells, geometry: Geometry): AnonOrderMasks {
  // One pass without anything allocated: eligibility asks this at every step of every collapse.
  let always = 0;
  let madvise = 0;
  let inherit = 0;
  for (let order = MIN_ANON_ORDER; order <= geometry.pmdOrder; order++) {
    const choice = cells[ANON_CELLS + order];
    if (choice === HUGEPAGES_ENABLED.always) always |= 1 << order;
    else if (choice === HUGEPAGES_ENABLED.madvise) madvise |= 1 << order;
    else if (choice === HUGEPAGES_ENABLED.inherit) inherit |= 1 << order;
  }
  return { always, madvise, inherit };
}

/** Cell of hugepages-<size>kB/enabled for order 0; the orders follow each other. */
const ANON_CELLS = settingIndex('hugepages.enabled', 0);

/**
 * The masks of the files hugepages-<size>kB/shmem_enabled. The PMD order counts even where it is above what the page cache
 * can hold (64 KiB pages) and so has no such file: the kernel sets its inherit bit at boot all the same.
 */
export function shmemOrderMasks(cells: SettingCells, geometry: Geometry): ShmemOrderMasks {
  const orders = [...new Set([...fileOrders(geometry), geometry.pmdOrder])];
  const mask = (choice: number): number => maskOf(cells, 'hugepages.shmem_enabled', orders, choice);
  return {
    always: mask(HUGEPAGES_SHMEM_ENABLED.always),
    inherit: mask(HUGEPAGES_SHMEM_ENABLED.inherit),
    withinSize: mask(HUGEPAGES_SHMEM_ENABLED.withinSize),
    advise: mask(HUGEPAGES_SHMEM_ENABLED.advise),
  };
}

/** True if the top-level file enabled is always or madvise (hugepage_global_enabled). */
export function hugepageGlobalEnabled(cells: SettingCells): boolean {
  return cells[settingIndex('enabled')] !== THP_ENABLED.never;
}

/** True if shmem may be huge at PMD size for some mapping (shmem_hpage_pmd_enabled). */
export function shmemPmdEnabled(cells: SettingCells, geometry: Geometry): boolean {
  const global = cells[settingIndex('shmem_enabled')];
  if (global === SHMEM_ENABLED.deny) return false;
  const masks = shmemOrderMasks(cells, geometry);
  const inherit = global === SHMEM_ENABLED.never ? 0 : masks.inherit;
  return ((masks.always | masks.advise | masks.withinSize | inherit) & pmdBit(geometry)) !== 0;
}

/**
 * True if khugepaged has any work under these settings, so that its thread runs (khugepaged spec 4.3 and 15.1;
 * hugepage_enabled, before the mTHP series hugepage_pmd_enabled).
 */
export function hugepageEnabled(profile: KernelProfile, cells: SettingCells, geometry: Geometry): boolean {
  const { runsWhen } = describeProfile(profile);
  const global = hugepageGlobalEnabled(cells);
  const masks = anonOrderMasks(cells, geometry);
  const orders = masks.always | masks.madvise | (global ? masks.inherit : 0);
  const pmd = (orders & pmdBit(geometry)) !== 0;
  if (shmemPmdEnabled(cells, geometry)) return true;
  switch (runsWhen) {
    case 'pmd-enabled':
      return pmd;
    case 'any-order':
      return orders !== 0;
    case 'any-order-or-top-level':
      return global || orders !== 0;
    case 'pmd-enabled-or-strict-limit': {
      const none = cells[settingIndex('khugepaged.max_ptes_none')];
      return pmd || (orders !== 0 && (none === 0 || none === 2 ** geometry.pmdOrder - 1));
    }
  }
}

function pmdBit(geometry: Geometry): number {
  return 1 << geometry.pmdOrder;
}

function maskOf(cells: SettingCells, key: OrderSettingKey, orders: readonly number[], choice: number): number {
  return orders.reduce((mask, order) => (cells[settingIndex(key, order)] === choice ? mask | (1 << order) : mask), 0);
}
