/**
 * Slots of the swap device, their counts, and the swap cache.
 *
 * A slot counts the swap entries that refer to it; whoever works on it holds one more. The swap cache says which frame
 * holds the slot's page: a folio in it has one reference per page from it, and its pages lie in neighbouring slots. A slot
 * is free when nothing counts it and nothing of it is cached.
 */
import type { Pfn } from './brands.js';
import { FOLIO } from './flags.js';
import { clearFrameFlags, folioHead, folioPages, setFrameFlags } from './folio.js';
import { folioGet, folioPut } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { countVmEvent, type Machine } from './machine.js';

/** Largest number of entries that one slot counts. */
const MAX_COUNT = 0xffff;
/** Row that keeps the device's own words (tables.ts). */
const HEADER = 0;

/** Slots that a page could be written to now. */
export function swapFreeSlots(m: Machine): number {
  return m.swap.capacity - 1 - m.swap.cache[HEADER];
}

/** Reserves a slot for a page with the given content, counted once. Gives 0 if the device is full. */
export function swapAlloc(m: Machine, stamp: number): number {
  const slot = swapAllocRange(m, 1);
  if (slot !== 0) m.swap.stamp[slot] = stamp;
  return slot;
}

/**
 * Reserves neighbouring slots for a folio, aligned to its size as swap clusters are, each counted once. Gives the first, or
 * 0 if the device is too full or too fragmented. The search goes on where the last one ended.
 */
export function swapAllocRange(m: Machine, pages: number): number {
  if (swapFreeSlots(m) < pages) return 0;
  const end = m.swap.capacity - pages;
  const start = Math.ceil(Math.max(1, m.swap.stamp[HEADER]) / pages) * pages;
  return claimRun(m, start, end, pages) || claimRun(m, pages, Math.min(start - pages, end), pages);
}

function claimRun(m: Machine, from: number, to: number, pages: number): number {
  for (let first = from; first <= to; first += pages) {
    let claimed = 0;
    while (claimed < pages && claim(m, first + claimed)) claimed++;
    if (claimed === pages) {
      m.swap.stamp[HEADER] = first + pages;
      m.swap.memcg.fill(0, first, first + pages);
      Atomics.add(m.swap.cache, HEADER, pages);
      return first;
    }
    while (claimed > 0) m.swap.count[first + --claimed] = 0;
  }
  return 0;
}

function claim(m: Machine, slot: number): boolean {
  return m.swap.cache[slot] === 0 && Atomics.compareExchange(m.swap.count, slot, 0, 1) === 0;
}

/** One more entry refers to the slot (`swap_duplicate`). */
export function swapDuplicate(m: Machine, slot: number): void {
  const before = Atomics.add(m.swap.count, slot, 1);
  if (before < MAX_COUNT) return;
  m.swap.count[slot] = MAX_COUNT;
  throw new RangeError(`swap slot ${slot} is shared by ${before} entries already`);
}

/**
 * One entry less refers to the slot. With the last one the slot is free; if its folio is in the swap cache, that lasts
 * until none of the folio's slots is referred to.
 */
export function swapFree(m: Machine, slot: number): void {
  const before = Atomics.sub(m.swap.count, slot, 1);
  if (before === 0) throw new RangeError(`swap slot ${slot} is freed more often than it was counted`);
  if (before > 1) return;
  if (m.swap.cache[slot] === 0) Atomics.sub(m.swap.cache, HEADER, 1);
  else if (!isCachedFolioCounted(m, slot)) removeFromSwapCache(m, slot);
}

function isCachedFolioCounted(m: Machine, slot: number): boolean {
  const head = folioHead(m, m.swap.cache[slot]);
  const first = slot - (m.swap.cache[slot] - head);
  for (let i = 0; i < folioPages(m, head); i++) if (m.swap.count[first + i] !== 0) return true;
  return false;
}

/** Puts a folio into the swap cache at its slots (`add_to_swap_cache`): one reference per page. */
export function addToSwapCache(m: Machine, slot: number, head: Pfn): void {
  const pages = folioPages(m, head);
  for (let i = 0; i < pages; i++) {
    m.swap.cache[slot + i] = head + i;
    m.swap.memcg[slot + i] = m.frame.memcg[head];
  }
  folioGet(m, head, pages);
  setFrameFlags(m, head, FOLIO.SWAPCACHE);
  countVmEvent(m, 'nr_swapcached', pages);
}

/**
 * Takes the folio of a slot's page out of the swap cache, if it is there; slots that nobody counts are free then. The folio
 * is dirty from now on (`folio_free_swap`): what may be its only copy must not be dropped as clean.
 */
export function removeFromSwapCache(m: Machine, slot: number): void {
  const pfn = m.swap.cache[slot];
  if (pfn === 0) return;
  const head = folioHead(m, pfn);
  const pages = folioPages(m, head);
  const first = slot - (pfn - head);
  for (let i = first; i < first + pages; i++) {
    m.swap.cache[i] = 0;
    if (m.swap.count[i] === 0) Atomics.sub(m.swap.cache, HEADER, 1);
  }
  countVmEvent(m, 'nr_swapcached', -pages);
  clearFrameFlags(m, head, FOLIO.SWAPCACHE);
  setFrameFlags(m, head, FOLIO.DIRTY);
  const last = m.frame.refcount[head] === pages;
  folioPut(m, head, pages);
  if (!last) updateMirrors(m, head);
}

/** First slot of a folio in the swap cache, 0 if it is not there. Rarely asked, so it is searched for. */
export function folioSwapSlot(m: Machine, head: Pfn): number {
  return Math.max(0, m.swap.cache.indexOf(head, 1));
}
