/**
 * Which orders a VMA allows: khugepaged spec 4.1 and 4.2, in the kernel's order of tests.
 *
 * An answer is a mask: bit o stands for order o. It depends on the VMA, its mm, and the settings at this instant, so it is
 * asked again whenever locks were dropped.
 */
import {
  HUGEPAGES_ENABLED,
  MAX_PAGECACHE_ORDER,
  MIN_ANON_ORDER,
  SHMEM_ENABLED,
  settingIndex,
  shmemOrderMasks,
  THP_ENABLED,
} from '@thplab/sysfs-schema';
import type { VmaId } from './brands.js';
import { MMF, VM, VM_NO_KHUGEPAGED, VMA_KIND } from './flags.js';
import { type Machine, setting } from './machine.js';

/** Cell of hugepages-*kB/enabled for order 0; the other orders follow it. */
const ANON_ENABLED = settingIndex('hugepages.enabled', 0);
const TOP_LEVEL_ENABLED = settingIndex('enabled');

/** Who asks (`enum tva_type`): which rules apply to it. */
export const TVA = { pagefault: 0, smaps: 1, khugepaged: 2, forcedCollapse: 3 } as const;
export type TvaType = (typeof TVA)[keyof typeof TVA];

/** Which regular files may have huge folios (`machine.fileThp`): what the kernel was built with. */
export const FILE_THP = {
  /** Files whose mapping can hold folios of PMD order: kernels after CONFIG_READ_ONLY_THP_FOR_FS was dropped. */
  pmdFolioMappings: 0,
  /** None: CONFIG_READ_ONLY_THP_FOR_FS is not set. */
  none: 1,
  /** Those that nobody has open for writing: CONFIG_READ_ONLY_THP_FOR_FS is set. */
  readOnly: 2,
} as const;
export type FileThp = (typeof FILE_THP)[keyof typeof FILE_THP];

/** Orders that anonymous memory can have (THP_ORDERS_ALL_ANON): 2 to the PMD order. */
export function allAnonOrders(m: Machine): number {
  return ordersUpTo(m.pmdOrder) & ~ordersUpTo(MIN_ANON_ORDER - 1);
}

/** Orders that the page cache can have (THP_ORDERS_ALL_FILE_DEFAULT). */
export function allFileOrders(m: Machine): number {
  return ordersUpTo(Math.min(m.pmdOrder, MAX_PAGECACHE_ORDER)) & ~1;
}

/**
 * Orders at which a collapse is possible (`collapse_possible_orders`, khugepaged spec 4.1): for khugepaged in anonymous
 * memory any that the VMA allows; for others the PMD order or none. Generations before the mTHP series ask for the PMD
 * order alone: they call `thpVmaAllowableOrders` with that.
 */
export function collapsePossibleOrders(
  m: Machine,
  vma: VmaId,
  type: TvaType,
  flags: number = m.vma.flags[vma],
): number {
  const many = type === TVA.khugepaged && m.vma.kind[vma] === VMA_KIND.anon;
  return thpVmaAllowableOrders(m, vma, type, many ? allAnonOrders(m) : 1 << m.pmdOrder, flags);
}

/**
 * Those of the requested orders that the VMA allows (`thp_vma_allowable_orders`, khugepaged spec 4.2). `flags` are the
 * VM_* bits to judge by, for callers that are about to change them; default the VMA's own.
 */
export function thpVmaAllowableOrders(
  m: Machine,
  vma: VmaId,
  type: TvaType,
  requested: number,
  flags: number = m.vma.flags[vma],
): number {
  const kind = m.vma.kind[vma];
  const anon = kind === VMA_KIND.anon;
  const fault = type === TVA.pagefault;
  // 1. What sysfs allows.
  let orders = requested;
  if (anon && type !== TVA.forcedCollapse) orders &= sysfsAnonOrders(m, flags);
  // 2. What this kind of memory can have.
  orders &= supportedOrders(m, kind);
  if (orders === 0) return 0;
  // 3. and 4. Memory of a process that has not switched huge pages off.
  if (m.vma.mm[vma] === 0 || vmaThpDisabled(m, vma, type === TVA.forcedCollapse, flags)) return 0;
  // 5. Device memory is mapped huge by faults only.
  if (kind === VMA_KIND.dax) return fault ? orders : 0;
  // 6. Special mappings.
  if (!fault && type !== TVA.smaps && (flags & VM_NO_KHUGEPAGED) !== 0) return 0;
  // 7. Size and alignment; a fault checks those at its address.
  if (!fault) orders = dropUnsuitableOrders(m, vma, orders);
  if (orders === 0) return 0;
  // 8. Shared memory has rules of its own.
  if (!fault && kind === VMA_KIND.shmem) {
    return orders & shmemAllowableOrders(m, vma, flags, type === TVA.forcedCollapse);
  }
  // 9. Other files.
  if (!anon) return fileAllows(m, vma, type, flags) ? orders : 0;
  // 10. The stack while exec moves it.
  if ((flags & VM.TEMPORARY_STACK) !== 0) return 0;
  // 11. Nothing to collapse before the first anonymous page.
  if (m.vma.anonVma[vma] === 0 && !fault && type !== TVA.smaps) return 0;
  return orders;
}

/**
 * Huge pages are switched off for the VMA (`vma_thp_disabled`): by MADV_NOHUGEPAGE, or for the process by prctl. A forced
 * collapse counts as advice.
 */
export function vmaThpDisabled(
  m: Machine,
  vma: VmaId,
  forcedCollapse: boolean,
  flags: number = m.vma.flags[vma],
): boolean {
  const mmFlags = m.mm.flags[m.vma.mm[vma]];
  if ((flags & VM.NOHUGEPAGE) !== 0) return true;
  if ((mmFlags & MMF.DISABLE_THP_COMPLETELY) !== 0) return true;
  if (forcedCollapse || (flags & VM.HUGEPAGE) !== 0) return false;
  return (mmFlags & MMF.DISABLE_THP_EXCEPT_ADVISED) !== 0;
}

/**
 * The aligned block of an order that contains `page` lies in the VMA, and for files its place in the file is aligned too
 * (`thp_vma_suitable_order`).
 */
export function vmaSuitableOrder(m: Machine, vma: VmaId, page: number, order: number): boolean {
  const size = 1 << order;
  const start = m.vma.start[vma];
  if (m.vma.kind[vma] !== VMA_KIND.anon && (start - m.vma.pgoff[vma]) % size !== 0) return false;
  const block = Math.floor(page / size) * size;
  return block >= start && block + size <= m.vma.end[vma];
}

/** Those of the orders whose aligned block around `page` lies in the VMA (`thp_vma_suitable_orders`), for faults. */
export function vmaSuitableOrders(m: Machine, vma: VmaId, page: number, orders: number): number {
  let left = orders;
  while (left !== 0) {
    const order = highestOrder(left);
    if (vmaSuitableOrder(m, vma, page, order)) break;
    left &= ~(1 << order);
  }
  return left;
}

/** Highest order of a mask; -1 if it is empty. */
export function highestOrder(orders: number): number {
  return 31 - Math.clz32(orders);
}

/**
 * Orders that sysfs allows to anonymous memory with these VMA flags: the sizes that say always, with advice also those
 * that say madvise, and those that inherit what the top level says. Asked by every fault and for every VMA of a scan, so
 * it reads the cells itself.
 */
export function sysfsAnonOrders(m: Machine, flags: number): number {
  const advised = (flags & VM.HUGEPAGE) !== 0;
  const inherit = topLevelAllows(m, advised);
  const cells = m.setting.value;
  let orders = 0;
  for (let order = MIN_ANON_ORDER; order <= m.pmdOrder; order++) {
    const choice = cells[ANON_ENABLED + order];
    const allowed =
      choice === HUGEPAGES_ENABLED.always ||
      (choice === HUGEPAGES_ENABLED.madvise && advised) ||
      (choice === HUGEPAGES_ENABLED.inherit && inherit);
    if (allowed) orders |= 1 << order;
  }
  return orders;
}

/** From the highest order down, drops orders that no aligned block of the VMA can have; stops at the first that fits. */
function dropUnsuitableOrders(m: Machine, vma: VmaId, orders: number): number {
  let left = orders;
  while (left !== 0) {
    const order = highestOrder(left);
    // The last block that could end within the VMA.
    if (vmaSuitableOrder(m, vma, m.vma.end[vma] - (1 << order), order)) break;
    left &= ~(1 << order);
  }
  return left;
}

function supportedOrders(m: Machine, kind: number): number {
  if (kind === VMA_KIND.anon) return allAnonOrders(m);
  // Device and special mappings know PMD (and PUD) entries only.
  if (kind === VMA_KIND.dax || kind === VMA_KIND.special) return 1 << m.pmdOrder;
  return allFileOrders(m);
}

/** Top level `always`, or `madvise` with advice. */
function topLevelAllows(m: Machine, advised: boolean): boolean {
  const enabled = m.setting.value[TOP_LEVEL_ENABLED];
  return enabled === THP_ENABLED.always || (enabled === THP_ENABLED.madvise && advised);
}

/** Rule 9: a collapse, or a look by smaps, wants a regular file that can have huge folios, and policy unless forced. */
function fileAllows(m: Machine, vma: VmaId, type: TvaType, flags: number): boolean {
  if (type !== TVA.forcedCollapse && !topLevelAllows(m, (flags & VM.HUGEPAGE) !== 0)) return false;
  if (m.vma.kind[vma] !== VMA_KIND.file || type === TVA.pagefault) return false;
  return fileMayHaveHugeFolios(m, m.vma.file[vma]);
}

function fileMayHaveHugeFolios(m: Machine, file: number): boolean {
  const rule = m.machine.fileThp[0];
  if (rule === FILE_THP.pmdFolioMappings) return m.file.pmdFolios[file] === 1;
  return rule === FILE_THP.readOnly && m.file.writers[file] === 0;
}

/**
 * Orders that shared memory may have in this VMA (`shmem_allowable_huge_orders`): the per-size files, where `inherit`
 * follows the internal mount. A forced collapse passes the mount's `never`, not its `deny`.
 */
function shmemAllowableOrders(m: Machine, vma: VmaId, flags: number, forced: boolean): number {
  const top = setting(m, 'shmem_enabled');
  if (top === SHMEM_ENABLED.deny) return 0;
  const masks = shmemOrderMasks(m.setting.value, m.geometry);
  if (top === SHMEM_ENABLED.force) return masks.inherit;
  const advised = (flags & VM.HUGEPAGE) !== 0;
  let orders = masks.always | withinSize(m, vma, masks.withinSize);
  if (advised) orders |= masks.advise;
  if (forced || mountAllows(m, vma, top, advised)) orders |= masks.inherit;
  return orders & allFileOrders(m);
}

/** The internal mount's policy at the PMD size (`shmem_huge_global_enabled`). */
function mountAllows(m: Machine, vma: VmaId, top: number, advised: boolean): boolean {
  const pmd = (1 << m.pmdOrder) & allFileOrders(m);
  if (pmd === 0) return false;
  if (top === SHMEM_ENABLED.always) return true;
  if (top === SHMEM_ENABLED.withinSize && withinSize(m, vma, pmd) !== 0) return true;
  return (top === SHMEM_ENABLED.withinSize || top === SHMEM_ENABLED.advise) && advised;
}

/** The orders, from the first whose block at the VMA's page offset ends within the file (`shmem_get_orders_within_size`). */
function withinSize(m: Machine, vma: VmaId, orders: number): number {
  const pages = m.file.pages[m.vma.file[vma]];
  let left = orders;
  while (left !== 0) {
    const order = highestOrder(left);
    const size = 2 ** order;
    if (Math.ceil((m.vma.pgoff[vma] + 1) / size) * size <= pages) break;
    left &= ~(1 << order);
  }
  return left;
}

function ordersUpTo(order: number): number {
  return (2 << order) - 1;
}
