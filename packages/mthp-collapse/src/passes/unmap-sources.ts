/**
 * The end of a copy that went well: every source page of the window loses its entry, its reverse mapping and the
 * references of mapping and isolation, and is free unless somebody else maps it (`__collapse_huge_page_copy_succeeded`,
 * khugepaged spec 11.5).
 *
 * Almost all sources are order-0 pages that nobody else has. They are freed as runs of frames, not one by one.
 */
import { getBit } from '@thplab/arena';
import {
  clearFrameFlags,
  clearPtes,
  countVmEvent,
  deferredSplitFolio,
  FOLIO,
  folioEntireMapcount,
  folioHead,
  folioMapcount,
  folioPut,
  freeBlock,
  type Machine,
  type MmId,
  munlockVmaFolio,
  nodeOf,
  ORDER_MASK,
  PAGE,
  type Pfn,
  pteBit,
  pteCell,
  removePteMap,
  removePteRmap,
  updateMirrors,
  type VmaId,
} from '@thplab/mm-model';
import type { CollapseAttempt } from '../collapse-attempt.js';
import { releaseFolio } from './release.js';

/** Frees what can be freed and clears the window's entries. The lock of the detached table is held. */
export function unmapSources(m: Machine, a: CollapseAttempt): void {
  const { present, zero, pfn } = m.pte;
  const { flags } = m.frame;
  const bit = pteBit(m, a.table, a.slot);
  const cell = pteCell(m, a.table, a.slot);
  let runStart = 0;
  let runLength = 0;
  let mlocked = 0;
  for (let i = 0; i < a.pages; ) {
    if (!getBit(present, bit + i) || getBit(zero, bit + i)) {
      i++;
      continue;
    }
    const source = pfn[cell + i];
    if ((flags[source] & ORDER_MASK) !== 0) {
      i += unmapLarge(m, a, cell + i, a.pages - i);
    } else if (isOursAlone(m, source)) {
      if ((flags[source] & FOLIO.MLOCKED) !== 0) mlocked++;
      if (source !== runStart + runLength) {
        freeRun(m, runStart, runLength);
        runStart = source;
        runLength = 0;
      }
      runLength++;
      i++;
    } else {
      unmapSmall(m, a.mm, a.vma, source as Pfn);
      i++;
    }
  }
  freeRun(m, runStart, runLength);
  countVmEvent(m, 'nr_mlock', -mlocked);
  m.mm.rssAnon[a.mm] = m.mm.rssAnon[a.mm] - (a.pages - a.none);
  clearPtes(m, a.table, a.slot, a.slot + a.pages);
  for (let i = 0; i < a.largeCount; i++) releaseFolio(m, a.large[i] as Pfn);
  a.largeCount = 0;
  a.isolated = 0;
}

/**
 * One mapping and one isolation are all references there are: then takes both, so that nobody can add one any more
 * (`page_ref_freeze`).
 */
function isOursAlone(m: Machine, pfn: number): boolean {
  const { mapcount, refcount, flags } = m.frame;
  const usual = (flags[pfn] & (FOLIO.SWAPCACHE | FOLIO.SWAPBACKED)) === FOLIO.SWAPBACKED;
  return mapcount[pfn] === 1 && usual && Atomics.compareExchange(refcount, pfn, 2, 0) === 2;
}

/** A page that others map too, that is lazily freed, or whose swap slot is in use. */
function unmapSmall(m: Machine, mm: MmId, vma: VmaId, pfn: Pfn): void {
  releaseFolio(m, pfn);
  removePteRmap(m, pfn, mm);
  munlockVmaFolio(m, vma, pfn);
  const last = m.frame.refcount[pfn] === 1;
  folioPut(m, pfn);
  if (!last) updateMirrors(m, pfn);
}

/**
 * Consecutive entries that map consecutive pages of one large folio lose them together, so that a folio that goes as a
 * whole never counts as partially mapped. Gives the number of entries.
 */
function unmapLarge(m: Machine, a: CollapseAttempt, cell: number, most: number): number {
  const first = m.pte.pfn[cell];
  const head = folioHead(m, first);
  const end = head + (1 << (m.frame.flags[head] & ORDER_MASK));
  let count = 1;
  while (count < most && first + count < end && m.pte.pfn[cell + count] === first + count) count++;
  let unmapped = 0;
  for (let pfn = first; pfn < first + count; pfn++) {
    removePteMap(m, pfn as Pfn, a.mm);
    if (m.frame.mapcount[pfn] > 0 || folioEntireMapcount(m, head) > 0) continue;
    clearFrameFlags(m, pfn, PAGE.ANON_EXCLUSIVE);
    unmapped++;
  }
  countVmEvent(m, 'nr_anon_pages', -unmapped);
  if (unmapped > 0 && folioMapcount(m, head) > 0) deferredSplitFolio(m, head, true);
  munlockVmaFolio(m, a.vma, head);
  // Not the last references: isolation holds one until the end.
  folioPut(m, head, count);
  return count;
}

/** Frees consecutive order-0 frames that are locked, isolated, mapped once, by us, and without references by now. */
function freeRun(m: Machine, start: number, length: number): void {
  if (length === 0) return;
  const end = start + length;
  const { folioLock } = m.locks;
  if (folioLock.watcher !== undefined) for (let pfn = start; pfn < end; pfn++) folioLock.unlock(pfn);
  countVmEvent(m, 'nr_isolated_anon', -length);
  countVmEvent(m, 'nr_anon_pages', -length);
  const { mapcount, mapping, index, memcg } = m.frame;
  mapcount.fill(0, start, end);
  mapping.fill(0, start, end);
  index.fill(0, start, end);
  memcg.fill(0, start, end);
  for (let pfn = start; pfn < end; ) {
    const limit = Math.min(end, m.node.endPfn[nodeOf(m, pfn as Pfn)]);
    let order = 0;
    while (order < m.maxOrder && pfn % (2 << order) === 0 && pfn + (2 << order) <= limit) order++;
    freeBlock(m, pfn as Pfn, order);
    pfn += 1 << order;
  }
}
