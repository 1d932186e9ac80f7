/** What the settings are when nobody has written to a file yet. */
import { KHUGEPAGED_SETTINGS, ORDER_SETTINGS, ROOT_SETTINGS } from './declarations.js';
import { anonOrders, checkGeometry, fileOrders, type Geometry } from './geometry.js';
import { SETTING_COUNT, settingIndex } from './settings.js';

/** A flat store filled with the defaults, at the places of settingIndex; cells of orders that have no file are 0. */
export function defaultSettings(geometry: Geometry): Uint32Array {
  checkGeometry(geometry);
  const cells = new Uint32Array(SETTING_COUNT);
  for (const setting of [...ROOT_SETTINGS, ...KHUGEPAGED_SETTINGS])
    cells[settingIndex(setting.key)] = setting.default(geometry);
  for (const setting of ORDER_SETTINGS)
    for (const order of setting.orders === 'anon' ? anonOrders(geometry) : fileOrders(geometry))
      cells[settingIndex(setting.key, order)] = order === geometry.pmdOrder ? setting.pmdDefault : setting.otherDefault;
  return cells;
}
