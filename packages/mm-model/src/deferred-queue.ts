/**
 * The queue of large folios that wait to be split: partially mapped ones, and huge ones that may turn out under-used.
 * A folio is on its node's queue by cells of its third frame (folio.ts); a word lock of the node keeps the links whole. Who is split, and when, is decided in
 * deferred-split.ts.
 */
import { asBrand, IntrusiveList } from '@thplab/arena';
import { giveWord, takeWord } from '@thplab/sync';
import type { Pfn } from './brands.js';
import { FOLIO } from './flags.js';
import { clearFrameFlags, folioHas, folioOrder, setFrameFlags } from './folio.js';
import { countMthpStat, countVmEvent, type Machine, nodeOf, setting } from './machine.js';

const LINK_FRAME = 2;
/** Words from one node's lock to the next. */
const LINE = 16;
const lists = new WeakMap<Machine, IntrusiveList>();

function queueOf(m: Machine): IntrusiveList {
  let list = lists.get(m);
  if (list === undefined) {
    const { deferredFirst, deferredLast } = m.node;
    list = new IntrusiveList({ first: deferredFirst, last: deferredLast, next: m.frame.mapping, prev: m.frame.index });
    lists.set(m, list);
  }
  return list;
}

/**
 * Queues a folio for splitting (`deferred_split_folio`): because part of it is no longer mapped, or, with
 * `partiallyMapped` false, as a fresh huge page that the shrinker may find under-used.
 */
export function deferredSplitFolio(m: Machine, head: Pfn, partiallyMapped: boolean): void {
  const order = folioOrder(m, head);
  if (order <= 1 || folioHas(m, head, FOLIO.SWAPCACHE)) return;
  if (partiallyMapped && !folioHas(m, head, FOLIO.PARTIALLY_MAPPED)) {
    setFrameFlags(m, head, FOLIO.PARTIALLY_MAPPED);
    if (order >= m.pmdOrder) countVmEvent(m, 'thp_deferred_split_page');
    countMthpStat(m, order, 'split_deferred');
    countMthpStat(m, order, 'nr_anon_partially_mapped', 1);
  }
  if (partiallyMapped || setting(m, 'shrink_underused') !== 0) deferredQueueAdd(m, head);
}

/** Puts a folio at the end of its node's queue, if it is not on it. */
export function deferredQueueAdd(m: Machine, head: Pfn): void {
  if (folioHas(m, head, FOLIO.DEFERRED)) return;
  const node = nodeOf(m, head);
  takeWord(m.node.deferredWord, node * LINE);
  queueOf(m).pushBack(node, head + LINK_FRAME);
  m.node.deferredCount[node] += 1;
  giveWord(m.node.deferredWord, node * LINE);
  setFrameFlags(m, head, FOLIO.DEFERRED);
}

/** Takes a folio off the queue, if it is on it. */
export function deferredQueueRemove(m: Machine, head: Pfn): void {
  if (!folioHas(m, head, FOLIO.DEFERRED)) return;
  const node = nodeOf(m, head);
  takeWord(m.node.deferredWord, node * LINE);
  queueOf(m).remove(node, head + LINK_FRAME);
  m.node.deferredCount[node] = m.node.deferredCount[node] - 1;
  giveWord(m.node.deferredWord, node * LINE);
  clearFrameFlags(m, head, FOLIO.DEFERRED);
}

/** The queued folios of a node, oldest first. The one just given may be removed. */
export function* deferredQueue(m: Machine, node: number): Generator<Pfn, void, undefined> {
  for (const link of queueOf(m).rows(node)) yield asBrand(link - LINK_FRAME);
}
