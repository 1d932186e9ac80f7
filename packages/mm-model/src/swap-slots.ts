/**
 * Slots of the swap device and their reference counts: one for each swap entry in a page table. The swap cache (a page
 * that is both in memory and in a slot) is `swap.cache`.
 */
import { TableFullError } from '@thplab/arena';
import type { Pfn } from './brands.js';
import { FOLIO } from './flags.js';
import { clearFrameFlags } from './folio.js';
import { folioPut } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import type { Machine } from './machine.js';

/** Largest number of entries that one slot counts. */
const MAX_COUNT = 0xffff;

/** Reserves a slot for a page with the given content, counted once. Gives 0 if the device is full. */
export function swapAlloc(m: Machine, stamp: number): number {
  try {
    const slot = m.swap.pool.alloc();
    m.swap.count[slot] = 1;
    m.swap.stamp[slot] = stamp;
    return slot;
  } catch (error) {
    if (error instanceof TableFullError) return 0;
    throw error;
  }
}

/** One more entry refers to the slot (`swap_duplicate`). */
export function swapDuplicate(m: Machine, slot: number): void {
  const count = m.swap.count[slot];
  if (count === MAX_COUNT) throw new RangeError(`swap slot ${slot} is shared by ${count} entries already`);
  m.swap.count[slot] = count + 1;
}

/** One entry less refers to the slot; the last one frees it, and the page leaves the swap cache. */
export function swapFree(m: Machine, slot: number): void {
  const count = m.swap.count[slot] - 1;
  m.swap.count[slot] = count;
  if (count > 0) return;
  removeFromSwapCache(m, slot);
  m.swap.pool.free(slot);
}

/** Takes the slot's page out of the swap cache, if it is there. */
export function removeFromSwapCache(m: Machine, slot: number): void {
  const head = m.swap.cache[slot] as Pfn;
  if (head === 0) return;
  m.swap.cache[slot] = 0;
  clearFrameFlags(m, head, FOLIO.SWAPCACHE);
  const last = m.frame.refcount[head] === 1;
  folioPut(m, head);
  if (!last) updateMirrors(m, head);
}
