/**
 * References on folios, and what happens when the last one goes. Mappings, the swap cache, LRU batches, isolation and
 * pins each hold references (khugepaged spec 2.2).
 */

import type { Pfn } from './brands.js';
import { freeBlock } from './buddy.js';
import { deferredQueueRemove } from './deferred-queue.js';
import { FOLIO } from './flags.js';
import { folioHas, folioOrder } from './folio.js';
import { countMthpStat, countVmEvent, type Machine } from './machine.js';

/** Frames whose cells hold facts of a large folio (folio.ts). */
const FACT_FRAMES = 4;

/** Takes references on a folio. */
export function folioGet(m: Machine, head: Pfn, count = 1): void {
  Atomics.add(m.frame.refcount, head, count);
}

/** Drops references; the last one frees the folio. Errors: more references dropped than held. */
export function folioPut(m: Machine, head: Pfn, count = 1): void {
  const left = Atomics.sub(m.frame.refcount, head, count) - count;
  if (left > 0) return;
  if (left < 0) throw new RangeError(`folio at frame ${head}: ${-left} more references dropped than were held`);
  freeFolio(m, head);
}

function freeFolio(m: Machine, head: Pfn): void {
  const order = folioOrder(m, head);
  const end = head + (1 << order);
  if (order > 0 && folioHas(m, head, FOLIO.ANON)) {
    countMthpStat(m, order, 'nr_anon', -1);
    if (folioHas(m, head, FOLIO.PARTIALLY_MAPPED)) countMthpStat(m, order, 'nr_anon_partially_mapped', -1);
    deferredQueueRemove(m, head);
  }
  if (folioHas(m, head, FOLIO.MLOCKED)) countVmEvent(m, 'nr_mlock', -(1 << order));
  const facts = Math.min(end, head + FACT_FRAMES);
  m.frame.refcount.fill(0, head, facts);
  m.frame.mapping.fill(0, head, facts);
  m.frame.index.fill(0, head, facts);
  m.frame.mapcount.fill(0, head, end);
  m.frame.memcg[head] = 0;
  freeBlock(m, head, order);
}
