/**
 * Large folios under advice that marks single pages: one that the advice covers wholly is marked whole; one that it covers
 * in part is split first, unless another process maps it too (`madvise_free_pte_range`,
 * `madvise_cold_or_pageout_pte_range`).
 */
import { asBrand } from '@thplab/arena';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { Pfn, TableId, Vpn } from '../brands.js';
import { FOLIO, NO_FRAME, ZERO_FRAME } from '../flags.js';
import { folioHas, folioHead, folioMaybeMappedShared, folioOrder, folioPages } from '../folio.js';
import { folioDrop, folioTrylock, folioUnlock } from '../folio-hold.js';
import { folioGet } from '../folio-lifetime.js';
import type { Machine } from '../machine.js';
import { directoryOf, PMD, PMD_ZERO, pmdPfn, pmdType, ptePfn } from '../page-table.js';
import { pteOffsetMapLock } from '../pte-lock.js';
import { type BlockVisit, coversBlock, slotsOf } from '../pte-range.js';
import { splitFolioToOrder } from '../split.js';

/** What the advice does; each function runs under the PTE (or PMD) lock and gives the number of entries it changed. */
export interface FolioAdvice {
  /** `count` present entries from `slot` on map `count` pages of the folio in order: all of it, if it is large. */
  mapped(table: TableId, slot: number, count: number, head: Pfn): number;
  /** A swap-type entry. */
  entry?(table: TableId, slot: number): number;
  /** A huge PMD maps the folio, and the advice covers it. */
  huge(visit: BlockVisit, head: Pfn): number;
}

/**
 * Advice on a huge PMD. True: it is dealt with. False: the folio was split, and the table that maps its parts now is to be
 * visited.
 */
export function* adviseHugePmd(m: Machine, visit: BlockVisit, advice: FolioAdvice): Procedure<boolean> {
  const lock = m.locks.pmdLock.ref(directoryOf(m, visit.pmd));
  yield acquire(lock);
  const entry = m.directory.entry[visit.pmd];
  const head = pmdPfn(m, entry);
  if (pmdType(entry) !== PMD.huge || (entry & PMD_ZERO) !== 0 || folioMaybeMappedShared(m, head)) {
    yield release(lock);
    return pmdType(entry) === PMD.huge;
  }
  if (coversBlock(m, visit)) {
    const changed = advice.huge(visit, head);
    yield release(lock);
    if (changed > 0) yield spend(changed * m.costs.setPte + m.costs.pmdFlush);
    return true;
  }
  const locked = folioTrylock(m, head);
  if (locked) folioGet(m, head);
  yield release(lock);
  return !locked || !(yield* splitHeld(m, head));
}

/** Advice on the entries of a table. The PTE lock is dropped while a folio is split. */
export function* adviseTable(m: Machine, visit: BlockVisit, table: TableId, advice: FolioAdvice): Procedure<void> {
  const { from, to } = slotsOf(m, visit);
  const lock = m.locks.pteLock.ref(table);
  const firstPage = visit.start - from;
  let changed = 0;
  for (let slot = from; slot < to; ) {
    if (!(yield* pteOffsetMapLock(m, visit.mm, table, asBrand<Vpn>(firstPage + slot)))) break;
    let toSplit: Pfn | 0 = 0;
    while (slot < to && toSplit === 0) {
      const step = adviseSlot(m, table, slot, to, advice);
      changed += step.changed;
      toSplit = step.split;
      if (toSplit === 0) slot += step.slots;
    }
    yield release(lock);
    // A folio that was split is looked at again, page by page; one that could not be is passed over.
    if (toSplit !== 0 && !(yield* splitHeld(m, toSplit))) slot++;
  }
  if (changed > 0) yield spend(changed * m.costs.setPte + m.costs.pmdFlush);
}

interface SlotStep {
  readonly changed: number;
  readonly slots: number;
  /** A folio to split, locked and with a reference; 0 if none. */
  readonly split: Pfn | 0;
}

const NOTHING: SlotStep = { changed: 0, slots: 1, split: 0 };

function adviseSlot(m: Machine, table: TableId, slot: number, to: number, advice: FolioAdvice): SlotStep {
  const pfn = ptePfn(m, table, slot);
  if (pfn === -1) return { ...NOTHING, changed: advice.entry?.(table, slot) ?? 0 };
  if (pfn === ZERO_FRAME || pfn === NO_FRAME) return NOTHING;
  const head = folioHead(m, pfn);
  const count = folioOrder(m, head) === 0 ? 1 : folioBatch(m, table, slot, to, pfn, head);
  if (count < folioPages(m, head)) {
    if (folioMaybeMappedShared(m, head) || !folioTrylock(m, head)) return NOTHING;
    folioGet(m, head);
    return { changed: 0, slots: 0, split: head };
  }
  return { changed: advice.mapped(table, slot, count, head), slots: count, split: 0 };
}

/** Entries from `slot` on that map the folio's pages from `pfn` on, in order (`folio_pte_batch`). */
function folioBatch(m: Machine, table: TableId, slot: number, to: number, pfn: number, head: Pfn): number {
  const most = Math.min(to - slot, head + folioPages(m, head) - pfn);
  let count = 1;
  while (count < most && ptePfn(m, table, slot + count) === pfn + count) count++;
  return count;
}

/** Splits a folio that we locked and hold, and lets go of it; true if it could be split. */
function* splitHeld(m: Machine, head: Pfn): Procedure<boolean> {
  const failed = yield* splitFolioToOrder(m, head, 0);
  folioUnlock(m, head);
  folioDrop(m, head);
  return failed === 0;
}

/** Anonymous memory on the LRU, which advice may move: neither locked in memory nor isolated. */
export function isEvictable(m: Machine, head: Pfn): boolean {
  return folioHas(m, head, FOLIO.LRU) && !folioHas(m, head, FOLIO.MLOCKED);
}
