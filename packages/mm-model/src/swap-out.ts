/**
 * Writing a folio to swap (`shrink_folio_list`, for anonymous memory). The device is synchronous, as zram is: when the
 * write is done the folio is freed at once.
 *
 * A large folio goes out whole if it finds neighbouring slots; else it is split and goes out page by page.
 */
import { getBit } from '@thplab/arena';
import { type Procedure, READ, release, spend } from '@thplab/sync';
import { folioLockAnonVma, folioUnlockAnonVma } from './anon-vma.js';
import type { MmId, Pfn } from './brands.js';
import { ENTRY_KIND, FOLIO, makeEntry, PAGE, VM } from './flags.js';
import {
  clearFrameFlags,
  folioExpectedRefs,
  folioHas,
  folioMapcount,
  folioOrder,
  folioPages,
  setFrameFlags,
} from './folio.js';
import { folioDrop, folioTrylock, folioUnlock } from './folio-hold.js';
import { folioMaybeDmaPinned } from './folio-pins.js';
import { folioIsolateLru, folioPutbackLru } from './lru.js';
import { countMthpStat, countVmEvent, type Machine } from './machine.js';
import { clearPte, pteBit, ptePfn, setPteEntry } from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { removePteRmap } from './rmap-change.js';
import { type MappedPlace, mappedPlaces, placesByTable, splitPmdMappings } from './rmap-places.js';
import { splitFolioToOrder } from './split.js';
import {
  addToSwapCache,
  folioSwapSlot,
  removeFromSwapCache,
  swapAllocRange,
  swapDuplicate,
  swapFree,
} from './swap-slots.js';

/** Flags that keep a folio in memory. */
const KEPT = FOLIO.LOCKED | FOLIO.WRITEBACK | FOLIO.MLOCKED | FOLIO.KSM | PAGE.UNMOVABLE;

/** True if the folio may be reclaimed: anonymous, on the LRU, and nobody but those who map it holds it. */
export function isReclaimable(m: Machine, head: Pfn): boolean {
  const usual = FOLIO.ANON | FOLIO.LRU;
  if ((m.frame.flags[head] & (usual | KEPT)) !== usual) return false;
  return m.frame.refcount[head] === folioExpectedRefs(m, head);
}

/**
 * Writes an anonymous folio to swap and frees it. True if any of it was freed; false if it is in use, pinned, locked, or
 * finds no slot. The caller holds no anon_vma, PMD or PTE lock, and no reference.
 */
export function* swapOutFolio(m: Machine, head: Pfn): Procedure<boolean> {
  if (!isReclaimable(m, head) || !folioIsolateLru(m, head)) return false;
  return (yield* swapOutIsolated(m, head)) > 0;
}

/** As `swapOutFolio` for a folio isolated by the caller, whose reference it takes over. Gives the pages freed. */
export function* swapOutIsolated(m: Machine, head: Pfn): Procedure<number> {
  if (!folioTrylock(m, head)) {
    folioPutbackLru(m, head);
    return 0;
  }
  if (isAbandoned(m, head)) return freeAbandoned(m, head);
  const usable =
    m.frame.refcount[head] === folioExpectedRefs(m, head) + 1 && (m.frame.flags[head] & KEPT & ~FOLIO.LOCKED) === 0;
  const slot = usable ? slotsFor(m, head) : 0;
  if (slot === 0) return yield* swapOutNothing(m, head, usable);
  const pages = folioPages(m, head);
  for (let i = 0; i < pages; i++) if (m.swap.cache[slot + i] === 0) m.swap.stamp[slot + i] = m.frame.stamp[head + i];
  if (!folioHas(m, head, FOLIO.SWAPCACHE)) addToSwapCache(m, slot, head);
  yield* unmapToSwap(m, head, slot);
  const alone = isUnmappedAndUnheld(m, head);
  if (alone) yield* writeOut(m, head, slot, pages);
  return finish(m, head, slot, pages, alone);
}

/** Nobody but us has the folio: what lies in it is of no use to anyone. */
function isAbandoned(m: Machine, head: Pfn): boolean {
  return m.frame.refcount[head] === 1 && folioMapcount(m, head) === 0;
}

function freeAbandoned(m: Machine, head: Pfn): number {
  const pages = folioPages(m, head);
  folioUnlock(m, head);
  folioDrop(m, head);
  return pages;
}

/** Slots of the folio, each counted once more for us; 0 if there are none, or if the folio has to be split first. */
function slotsFor(m: Machine, head: Pfn): number {
  const pages = folioPages(m, head);
  if (!folioHas(m, head, FOLIO.SWAPCACHE)) {
    return folioHas(m, head, FOLIO.PARTIALLY_MAPPED) ? 0 : swapAllocRange(m, pages);
  }
  const slot = folioSwapSlot(m, head);
  for (let i = 0; i < pages; i++) swapDuplicate(m, slot + i);
  return slot;
}

/**
 * No slots: a large folio is split, and its pages go out one by one as far as there are slots. So paging out a huge page
 * splits it also where there is no swap at all. A single page stays.
 */
function* swapOutNothing(m: Machine, head: Pfn, usable: boolean): Procedure<number> {
  const order = folioOrder(m, head);
  const pieces: Pfn[] = [];
  let split = false;
  if (usable && order > 0) {
    const partial = folioHas(m, head, FOLIO.PARTIALLY_MAPPED);
    split = (yield* splitFolioToOrder(m, head, 0, { list: pieces })) === 0;
    if (!partial && split) {
      if (order >= m.pmdOrder) countVmEvent(m, 'thp_swpout_fallback');
      countMthpStat(m, order, 'swpout_fallback');
    }
  }
  folioUnlock(m, head);
  if (!split) {
    folioPutbackLru(m, head);
    return 0;
  }
  let freed = 0;
  for (const piece of [head, ...pieces]) freed += yield* swapOutIsolated(m, piece);
  return freed;
}

/** Replaces all entries that map the folio by swap entries (`try_to_unmap`). */
function* unmapToSwap(m: Machine, head: Pfn, slot: number): Procedure<void> {
  const anonVma = yield* folioLockAnonVma(m, head, READ);
  if (anonVma === 0) return;
  yield* splitPmdMappings(m, head);
  for (const [table, places] of placesByTable(mappedPlaces(m, head))) {
    const first = places[0];
    const mm = m.vma.mm[first.vma] as MmId;
    if (!(yield* pteOffsetMapLock(m, mm, table, first.page))) continue;
    for (const place of places) unmapPlace(m, head, place, slot);
    yield release(m.locks.pteLock.ref(table));
    yield spend(places.length * m.costs.setPte + m.costs.pmdFlush);
  }
  yield* folioUnlockAnonVma(m, anonVma, READ);
}

function unmapPlace(m: Machine, head: Pfn, place: MappedPlace, slot: number): void {
  if (ptePfn(m, place.table, place.slot) !== place.pfn) return;
  if ((m.vma.flags[place.vma] & VM.LOCKED) !== 0) return;
  // A page that is pinned for DMA stays where the device writes to.
  if ((m.frame.flags[place.pfn] & PAGE.ANON_EXCLUSIVE) !== 0 && folioMaybeDmaPinned(m, head)) return;
  const mm = m.vma.mm[place.vma] as MmId;
  const uffdWp = getBit(m.pte.uffdWp, pteBit(m, place.table, place.slot));
  const entry = makeEntry(ENTRY_KIND.swap, slot + (place.pfn - head));
  clearPte(m, place.table, place.slot);
  setPteEntry(m, place.table, place.slot, entry, uffdWp);
  swapDuplicate(m, slot + (place.pfn - head));
  m.mm.rssAnon[mm]--;
  m.mm.swapEnts[mm]++;
  removePteRmap(m, place.pfn, mm);
  folioDrop(m, head);
}

/** Only the swap cache and we hold the folio: its content cannot change any more. */
function isUnmappedAndUnheld(m: Machine, head: Pfn): boolean {
  return folioMapcount(m, head) === 0 && m.frame.refcount[head] === folioPages(m, head) + 1;
}

function* writeOut(m: Machine, head: Pfn, slot: number, pages: number): Procedure<void> {
  const order = folioOrder(m, head);
  setFrameFlags(m, head, FOLIO.WRITEBACK);
  for (let i = 0; i < pages; i++) m.swap.stamp[slot + i] = m.frame.stamp[head + i];
  countVmEvent(m, 'pswpout', pages);
  if (order > 0) countMthpStat(m, order, 'swpout');
  if (order >= m.pmdOrder) countVmEvent(m, 'thp_swpout');
  yield spend(m.costs.swapOut * pages);
  clearFrameFlags(m, head, FOLIO.WRITEBACK);
}

/** Gives back what we hold of slots and folio. Gives the pages freed. */
function finish(m: Machine, head: Pfn, slot: number, pages: number, written: boolean): number {
  const free = written && isUnmappedAndUnheld(m, head);
  if (free) removeFromSwapCache(m, slot);
  for (let i = 0; i < pages; i++) swapFree(m, slot + i);
  folioUnlock(m, head);
  if (free) {
    folioDrop(m, head);
    return pages;
  }
  folioPutbackLru(m, head);
  return 0;
}
