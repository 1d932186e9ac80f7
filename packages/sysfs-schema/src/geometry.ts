/**
 * Page geometry: everything in this package that is counted in PTEs or bytes follows from two numbers, the base page size
 * and the order of a PMD-mapped page. Sizes are in bytes unless the name says kB; a PTE is one base page.
 */
import { SysfsSchemaError } from './errors.js';

export interface Geometry {
  /** log2 of the base page size in bytes: 12 (4 KiB), 14 (16 KiB), 16 (64 KiB). */
  readonly pageShift: number;
  /** Order P of a PMD-mapped page: a page table holds N = 2^P entries. */
  readonly pmdOrder: number;
}

/** x86-64 and arm64 with 4 KiB pages: N = 512, a PMD maps 2 MiB. */
export const GEOMETRY_4K: Geometry = { pageShift: 12, pmdOrder: 9 };
/** arm64 with 16 KiB pages: N = 2048, a PMD maps 32 MiB. */
export const GEOMETRY_16K: Geometry = { pageShift: 14, pmdOrder: 11 };
/** arm64 with 64 KiB pages: N = 8192, a PMD maps 512 MiB. */
export const GEOMETRY_64K: Geometry = { pageShift: 16, pmdOrder: 13 };
/** No real machine: N = 8, small enough to try every table. */
export const GEOMETRY_TINY: Geometry = { pageShift: 12, pmdOrder: 3 };

/** Smallest anonymous large order: two base pages (order 1) cannot hold what a large anonymous folio needs in its pages. */
export const MIN_ANON_ORDER = 2;
/** Largest PMD order this package has cells for (64 KiB base pages). */
export const MAX_PMD_ORDER = 13;
/**
 * Largest page-cache order whatever the PMD order: the page cache's tree can split an entry over at most two levels of
 * 64 slots, so orders stop at 2*6 - 1. Only 64 KiB pages feel it: their 512 MiB (order 13) is anonymous only.
 */
export const MAX_PAGECACHE_ORDER = 11;

/** Throws unless the geometry is one this package can lay out. */
export function checkGeometry(geometry: Geometry): void {
  const { pageShift, pmdOrder } = geometry;
  if (!Number.isInteger(pageShift) || pageShift < 12 || pageShift > 16)
    throw new SysfsSchemaError(
      'bad-geometry',
      `pageShift is ${pageShift}; it must be an integer from 12 (4K) to 16 (64K)`,
    );
  if (!Number.isInteger(pmdOrder) || pmdOrder < MIN_ANON_ORDER || pmdOrder > MAX_PMD_ORDER)
    throw new SysfsSchemaError(
      'bad-geometry',
      `pmdOrder is ${pmdOrder}; it must be an integer from ${MIN_ANON_ORDER} to ${MAX_PMD_ORDER}`,
    );
}

/** N, the entries of one page table (the kernel's HPAGE_PMD_NR). */
export function ptesPerTable(geometry: Geometry): number {
  return 2 ** geometry.pmdOrder;
}

/** The ceiling of the three max_ptes_* files, N - 1 (KHUGEPAGED_MAX_PTES_LIMIT, khugepaged spec 1). */
export function maxPtesLimit(geometry: Geometry): number {
  return ptesPerTable(geometry) - 1;
}

/** Bytes of a folio of this order. */
export function bytesOfOrder(geometry: Geometry, order: number): number {
  return 2 ** (geometry.pageShift + order);
}

/** What hpage_pmd_size shows, in bytes. */
export function pmdBytes(geometry: Geometry): number {
  return bytesOfOrder(geometry, geometry.pmdOrder);
}

/** The order whose folios have exactly this many bytes, or null if none up to the PMD order has. */
export function orderOfBytes(geometry: Geometry, bytes: number): number | null {
  for (let order = 0; order <= geometry.pmdOrder; order++) if (bytesOfOrder(geometry, order) === bytes) return order;
  return null;
}

/** Orders that anonymous memory can use, ascending: 2..P (THP_ORDERS_ALL_ANON, khugepaged spec 1). */
export function anonOrders(geometry: Geometry): readonly number[] {
  return range(MIN_ANON_ORDER, geometry.pmdOrder);
}

/** Orders that the page cache and shmem can use, ascending: 1..P, at most {@link MAX_PAGECACHE_ORDER}. */
export function fileOrders(geometry: Geometry): readonly number[] {
  return range(1, Math.min(geometry.pmdOrder, MAX_PAGECACHE_ORDER));
}

/** Orders that have a hugepages-<size>kB directory: the union of the anon and file sets, ascending. */
export function sizeOrders(geometry: Geometry): readonly number[] {
  return range(1, geometry.pmdOrder);
}

/** Name of an order's directory, e.g. `hugepages-64kB` for order 4 of 4 KiB pages. */
export function sizeDirectoryName(geometry: Geometry, order: number): string {
  return `hugepages-${bytesOfOrder(geometry, order) / 1024}kB`;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}
