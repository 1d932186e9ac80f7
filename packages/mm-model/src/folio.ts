/**
 * Folios: what a group of frames is, who maps it, who else holds it (khugepaged spec 2.2).
 *
 * A folio is named by its first frame. The facts of a large folio that have no column of their own lie in cells of its
 * tail frames:
 *
 *   frame head+1: mapping = map count of all pages, a huge PMD counting once   index = huge PMDs that map it
 *                 refcount = pins (folio-pins.ts)
 *   frame head+2: mapping, index = links of the deferred-split queue           refcount = mm of slot 1
 *   frame head+3: mapping = mm of slot 0, index = its share of the map count   refcount = slot 1's share
 *
 * The two mm slots tell whether one process alone maps the folio, without a walk: it does if one slot's share is all.
 */
import { asBrand } from '@thplab/arena';
import type { AnonVmaId, FileId, MmId, Pfn, Vpn } from './brands.js';
import { FOLIO, ORDER_MASK, PAGE } from './flags.js';
import type { Machine } from './machine.js';

/** Order of the folio that a frame belongs to. */
export function folioOrder(m: Machine, pfn: number): number {
  return m.frame.flags[pfn] & ORDER_MASK;
}

/** First frame of the folio that a frame belongs to. */
export function folioHead(m: Machine, pfn: number): Pfn {
  const pages = 1 << (m.frame.flags[pfn] & ORDER_MASK);
  return asBrand(pfn - (pfn % pages));
}

/** Base pages of the folio. */
export function folioPages(m: Machine, head: Pfn): number {
  return 1 << folioOrder(m, head);
}

/** True if all the given FOLIO bits are set. */
export function folioHas(m: Machine, head: Pfn, bits: number): boolean {
  return (m.frame.flags[head] & bits) === bits;
}

/** Sets bits of a frame's flags. Atomic: the folio lock is in the same word. */
export function setFrameFlags(m: Machine, pfn: number, bits: number): void {
  Atomics.or(m.frame.flags, pfn, bits);
}

/** Clears bits of a frame's flags. */
export function clearFrameFlags(m: Machine, pfn: number, bits: number): void {
  Atomics.and(m.frame.flags, pfn, ~bits);
}

/** Anonymous and not swap-backed: MADV_FREE was called on it. */
export function folioIsLazyfree(m: Machine, head: Pfn): boolean {
  return (m.frame.flags[head] & (FOLIO.ANON | FOLIO.SWAPBACKED)) === FOLIO.ANON;
}

/** Page-table entries that map the folio; a huge PMD counts once (`folio_mapcount`). */
export function folioMapcount(m: Machine, head: Pfn): number {
  return folioOrder(m, head) === 0 ? m.frame.mapcount[head] : m.frame.mapping[head + 1];
}

/** Huge PMDs that map the folio (`folio_entire_mapcount`). */
export function folioEntireMapcount(m: Machine, head: Pfn): number {
  return folioOrder(m, head) === 0 ? 0 : m.frame.index[head + 1];
}

/** References that mappings and the swap cache explain (khugepaged spec 2.2). */
export function folioExpectedRefs(m: Machine, head: Pfn): number {
  return folioMapcount(m, head) + (folioHas(m, head, FOLIO.SWAPCACHE) ? folioPages(m, head) : 0);
}

/** More than one process may map it; conservative for large folios (`folio_maybe_mapped_shared`). */
export function folioMaybeMappedShared(m: Machine, head: Pfn): boolean {
  const total = folioMapcount(m, head);
  if (folioOrder(m, head) === 0) return total > 1;
  const { index, refcount } = m.frame;
  return total > 0 && index[head + 3] !== total && refcount[head + 3] !== total;
}

/** One more PTE of `mm` maps page `pfn`. */
export function addPteMap(m: Machine, pfn: Pfn, mm: MmId): void {
  m.frame.mapcount[pfn] += 1;
  const head = folioHead(m, pfn);
  if (folioOrder(m, head) !== 0) addLargeMap(m, head, mm, 1);
}

/** One PTE of `mm` less maps page `pfn`. */
export function removePteMap(m: Machine, pfn: Pfn, mm: MmId): void {
  m.frame.mapcount[pfn] = m.frame.mapcount[pfn] - 1;
  const head = folioHead(m, pfn);
  if (folioOrder(m, head) !== 0) addLargeMap(m, head, mm, -1);
}

/** One more (`by` 1) or one less (-1) huge PMD of `mm` maps the folio. */
export function addPmdMap(m: Machine, head: Pfn, mm: MmId, by: 1 | -1): void {
  m.frame.index[head + 1] += by;
  addLargeMap(m, head, mm, by);
}

function addLargeMap(m: Machine, head: Pfn, mm: MmId, by: number): void {
  const { mapping, index, refcount } = m.frame;
  mapping[head + 1] = mapping[head + 1] + by;
  if (mapping[head + 3] === mm) {
    index[head + 3] = index[head + 3] + by;
    if (index[head + 3] === 0) mapping[head + 3] = 0;
  } else if (refcount[head + 2] === mm) {
    refcount[head + 3] = refcount[head + 3] + by;
    if (refcount[head + 3] === 0) refcount[head + 2] = 0;
  } else if (by > 0 && mapping[head + 3] === 0) {
    mapping[head + 3] = mm;
    index[head + 3] = by;
  } else if (by > 0 && refcount[head + 2] === 0) {
    refcount[head + 2] = mm;
    refcount[head + 3] = by;
  }
}

/** Reverse-map root of an anonymous folio. */
export function folioAnonVma(m: Machine, head: Pfn): AnonVmaId {
  return asBrand(m.frame.mapping[head]);
}

/** File or shmem object of a folio of the page cache. */
export function folioFile(m: Machine, head: Pfn): FileId {
  return asBrand(m.frame.mapping[head]);
}

/** Places a folio in a mapping: an anon_vma and its linear page number there, or a file and page offset. */
export function setFolioMapping(m: Machine, head: Pfn, mapping: number, index: number): void {
  m.frame.mapping[head] = mapping;
  m.frame.index[head] = index % 2 ** 32;
}

/** Linear page number of a VMA's page in its anon_vma or file (`linear_page_index`). */
export function linearIndex(m: Machine, vma: number, page: Vpn): number {
  return page - m.vma.start[vma] + m.vma.pgoff[vma];
}

/** True if the page belongs to one process alone (`PageAnonExclusive`). */
export function isAnonExclusive(m: Machine, pfn: number): boolean {
  return (m.frame.flags[pfn] & PAGE.ANON_EXCLUSIVE) !== 0;
}
