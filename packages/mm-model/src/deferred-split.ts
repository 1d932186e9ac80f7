/**
 * The shrinker of the deferred-split queue (`deferred_split_scan`): splits folios that are only mapped in part, so that
 * the rest can be freed, and huge pages that turn out to hold mostly zeroes (khugepaged spec 14.1, 11.6).
 */
import { type Procedure, spend } from '@thplab/sync';
import type { Pfn } from './brands.js';
import { deferredQueue, deferredQueueAdd, deferredQueueRemove } from './deferred-queue.js';
import { FOLIO, PAGE } from './flags.js';
import { folioHas, folioOrder, folioPages } from './folio.js';
import { folioDrop, folioTrylock, folioUnlock } from './folio-hold.js';
import { folioGet } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { countVmEvent, type Machine, setting } from './machine.js';
import { splitFolioToOrder } from './split.js';

/**
 * Looks at up to `budget` folios of a node's queue, oldest first, and splits those that are partially mapped or
 * under-used. Gives the number split. A partially mapped folio that could not be split is queued again; one that was only
 * suspected of being under-used is not. The caller holds no anon_vma, PMD or PTE lock.
 */
export function* deferredSplitScan(m: Machine, node: number, budget: number): Procedure<number> {
  // The folios of the queue belong to anyone.
  m.gate.alone();
  let split = 0;
  for (const head of takeFromQueue(m, node, budget)) {
    const done = yield* splitQueued(m, head);
    if (done) split++;
    else if (folioOrder(m, head) > 0 && folioHas(m, head, FOLIO.PARTIALLY_MAPPED)) deferredQueueAdd(m, head);
    folioDrop(m, head);
  }
  m.gate.together();
  return split;
}

/** Takes folios off the queue, each with a reference, so that none goes away or is another one when its turn comes. */
function takeFromQueue(m: Machine, node: number, budget: number): Pfn[] {
  const taken: Pfn[] = [];
  for (const head of deferredQueue(m, node)) {
    if (taken.length === budget) break;
    deferredQueueRemove(m, head);
    folioGet(m, head);
    updateMirrors(m, head);
    taken.push(head);
  }
  return taken;
}

function* splitQueued(m: Machine, head: Pfn): Procedure<boolean> {
  if (folioOrder(m, head) === 0) return false;
  const partial = folioHas(m, head, FOLIO.PARTIALLY_MAPPED);
  if (!partial && !(yield* isUnderused(m, head))) return false;
  if (!folioTrylock(m, head)) return false;
  const done = folioOrder(m, head) > 0 && (yield* splitFolioToOrder(m, head, 0)) === 0;
  folioUnlock(m, head);
  if (done && !partial) countVmEvent(m, 'thp_underused_split_page');
  return done;
}

/**
 * True if more pages of the folio hold only zeroes than max_ptes_none allows (`thp_underused`). Reading a page for that
 * costs about what zeroing it does.
 */
function* isUnderused(m: Machine, head: Pfn): Procedure<boolean> {
  const allowed = setting(m, 'khugepaged.max_ptes_none');
  const pages = folioPages(m, head);
  if (allowed >= m.ptes - 1) return false;
  let zero = 0;
  let read = 0;
  let underused = false;
  for (; read < pages && !underused && read - zero <= pages - allowed; read++) {
    if ((m.frame.flags[head + read] & PAGE.HWPOISON) !== 0) return false;
    if (m.frame.stamp[head + read] === 0) zero++;
    underused = zero > allowed;
  }
  yield spend(read * m.costs.zeroPage);
  return underused;
}
