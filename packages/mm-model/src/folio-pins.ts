/**
 * Pins: references of somebody who reads or writes the page itself, a device for instance (FOLL_PIN). A base page has no
 * room for a count of its own, so a pin there is 1024 references, and a page with that many others looks pinned; a large
 * folio counts its pins (`_pincount`) in the reference cell of its second frame.
 */
import type { Pfn } from './brands.js';
import { folioOrder } from './folio.js';
import { folioDrop } from './folio-hold.js';
import { folioGet } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import type { Machine } from './machine.js';

/** References that one pin of a base page is (GUP_PIN_COUNTING_BIAS). */
export const GUP_PIN_COUNTING_BIAS = 1024;

/** Pins a folio once (`try_grab_folio` with FOLL_PIN). */
export function folioPin(m: Machine, head: Pfn): void {
  if (folioOrder(m, head) === 0) folioGet(m, head, GUP_PIN_COUNTING_BIAS);
  else {
    folioGet(m, head);
    Atomics.add(m.frame.refcount, head + 1, 1);
  }
  updateMirrors(m, head);
}

/** Takes one pin away (`gup_put_folio`). */
export function folioUnpin(m: Machine, head: Pfn): void {
  if (folioOrder(m, head) === 0) folioDrop(m, head, GUP_PIN_COUNTING_BIAS);
  else {
    if (Atomics.sub(m.frame.refcount, head + 1, 1) === 0) throw new RangeError(`folio at frame ${head} is not pinned`);
    folioDrop(m, head);
  }
}

/** May be pinned; never false for a pinned folio (`folio_maybe_dma_pinned`). */
export function folioMaybeDmaPinned(m: Machine, head: Pfn): boolean {
  if (folioOrder(m, head) > 0) return m.frame.refcount[head + 1] > 0;
  return m.frame.refcount[head] >= GUP_PIN_COUNTING_BIAS;
}
