/**
 * The closed set of settings, and their places in a flat u32 store of SETTING_COUNT cells. The places are the same for every
 * profile and geometry; a geometry with a smaller PMD order leaves cells of the higher orders unused.
 */
import { SysfsSchemaError } from './errors.js';
import { MAX_PMD_ORDER } from './geometry.js';

/** Settings that exist once. */
export const GLOBAL_SETTING_KEYS = [
  'enabled',
  'defrag',
  'use_zero_page',
  'shmem_enabled',
  'shrink_underused',
  'khugepaged.defrag',
  'khugepaged.max_ptes_none',
  'khugepaged.max_ptes_swap',
  'khugepaged.max_ptes_shared',
  'khugepaged.pages_to_scan',
  'khugepaged.scan_sleep_millisecs',
  'khugepaged.alloc_sleep_millisecs',
] as const;

/** Settings that exist once per order. */
export const ORDER_SETTING_KEYS = ['hugepages.enabled', 'hugepages.shmem_enabled'] as const;

export type GlobalSettingKey = (typeof GLOBAL_SETTING_KEYS)[number];
export type OrderSettingKey = (typeof ORDER_SETTING_KEYS)[number];
export type SettingKey = GlobalSettingKey | OrderSettingKey;

/** One setting: its key, and its order if it exists per order. */
export type SettingId =
  | { readonly key: GlobalSettingKey; readonly order: null }
  | { readonly key: OrderSettingKey; readonly order: number };

const CELLS_PER_ORDER_SETTING = MAX_PMD_ORDER + 1;

/** Cells of a flat store that holds every setting. */
export const SETTING_COUNT: number = GLOBAL_SETTING_KEYS.length + ORDER_SETTING_KEYS.length * CELLS_PER_ORDER_SETTING;

const globalIndex: ReadonlyMap<string, number> = new Map(GLOBAL_SETTING_KEYS.map((key, i) => [key, i]));
const orderBase: ReadonlyMap<string, number> = new Map(
  ORDER_SETTING_KEYS.map((key, i) => [key, GLOBAL_SETTING_KEYS.length + i * CELLS_PER_ORDER_SETTING]),
);

/**
 * Place of a setting in the flat store, 0..SETTING_COUNT-1. A per-order key needs its order, 0..13 (orders that have no file
 * have a cell too, which stays unused).
 */
export function settingIndex(key: GlobalSettingKey): number;
export function settingIndex(key: OrderSettingKey, order: number): number;
export function settingIndex(key: SettingKey, order?: number): number;
export function settingIndex(key: SettingKey, order?: number): number {
  const base = orderBase.get(key);
  if (base !== undefined) {
    if (order === undefined || !Number.isInteger(order) || order < 0 || order > MAX_PMD_ORDER)
      throw new SysfsSchemaError('unknown-key', `${key} needs an order from 0 to ${MAX_PMD_ORDER}, not ${order}`);
    return base + order;
  }
  const index = globalIndex.get(key);
  if (index === undefined)
    throw new SysfsSchemaError('unknown-key', `no setting is called ${JSON.stringify(key)}; see GLOBAL_SETTING_KEYS`);
  if (order !== undefined) throw new SysfsSchemaError('unknown-key', `${key} exists once and takes no order`);
  return index;
}

/** The setting that lives in a cell: the inverse of {@link settingIndex}. */
export function settingAt(index: number): SettingId {
  const global = GLOBAL_SETTING_KEYS[index];
  if (global !== undefined) return { key: global, order: null };
  const rest = index - GLOBAL_SETTING_KEYS.length;
  const key = ORDER_SETTING_KEYS[Math.floor(rest / CELLS_PER_ORDER_SETTING)];
  if (key === undefined || !Number.isInteger(index))
    throw new SysfsSchemaError(
      'unknown-key',
      `cell ${index} holds no setting; cells run from 0 to ${SETTING_COUNT - 1}`,
    );
  return { key, order: rest % CELLS_PER_ORDER_SETTING };
}
