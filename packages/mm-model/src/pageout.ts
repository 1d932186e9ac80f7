/**
 * MADV_PAGEOUT (`madvise_cold_or_pageout_pte_range` with pageout): the pages of a range are written to swap whether they
 * were touched or not. Pages that other processes map too are left alone, and so are pinned, locked and mlocked ones.
 */
import { clearBit } from '@thplab/arena';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { FOLIO, NO_FRAME, ZERO_FRAME } from './flags.js';
import { clearFrameFlags, folioHas, folioHead, folioIsLazyfree, folioMaybeMappedShared, folioPages } from './folio.js';
import { folioDrop, folioTrylock, folioUnlock } from './folio-hold.js';
import { folioGet } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { discardLazyfree } from './lazyfree.js';
import { folioIsolateLru, lruAddDrainCpu } from './lru.js';
import type { Machine } from './machine.js';
import {
  directoryOf,
  findPmd,
  flushBlock,
  flushPtes,
  NO_PMD,
  PMD,
  PMD_YOUNG,
  PMD_ZERO,
  type PmdRef,
  pmdPfn,
  pmdTable,
  pmdType,
  pteBit,
  ptePfn,
  settlePtes,
  slotOf,
} from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { splitFolioToOrder } from './split.js';
import { isReclaimable, swapOutIsolated } from './swap-out.js';

/** Pages out what `vma` maps from `start` to `end`. mmap_lock is the caller's, for reading. Gives the base pages freed. */
export function* pageoutRange(m: Machine, vma: VmaId, start: Vpn, end: Vpn): Procedure<number> {
  const mm = m.vma.mm[vma] as MmId;
  lruAddDrainCpu(m, m.current.cpu);
  let freed = 0;
  for (let page = start as number; page < end; ) {
    const blockEnd = Math.min(end, page - (page % m.ptes) + m.ptes);
    const pmd = findPmd(m, mm, page as Vpn);
    if (pmd === NO_PMD) {
      const span = m.ptes * m.ptes;
      page += span - (page % span);
      continue;
    }
    const isolated = yield* isolateBlock(m, mm, pmd, page as Vpn, blockEnd as Vpn);
    for (const head of isolated) freed += yield* reclaimIsolated(m, head);
    page = blockEnd;
  }
  return freed;
}

/** Drops or writes out a folio that the caller has isolated, and takes over its reference. Gives the pages freed. */
export function* reclaimIsolated(m: Machine, head: Pfn): Procedure<number> {
  return folioIsLazyfree(m, head) ? yield* discardLazyfree(m, head) : yield* swapOutIsolated(m, head);
}

/** Takes the folios of one PMD range off the LRU, each with a reference. */
function* isolateBlock(m: Machine, mm: MmId, pmd: PmdRef, from: Vpn, to: Vpn): Procedure<Pfn[]> {
  if (pmdType(m.directory.entry[pmd]) === PMD.huge) {
    const huge = yield* isolateHuge(m, mm, pmd, from, to - from === m.ptes);
    if (huge !== undefined) return huge;
  }
  const entry = m.directory.entry[pmd];
  return pmdType(entry) === PMD.table ? yield* isolatePtes(m, mm, pmdTable(entry), from, to) : [];
}

/** A huge page that the range covers goes as a whole; undefined if it was split, so that its table is to be looked at. */
function* isolateHuge(m: Machine, mm: MmId, pmd: PmdRef, from: Vpn, whole: boolean): Procedure<Pfn[] | undefined> {
  const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(lock);
  const entry = m.directory.entry[pmd];
  const huge = pmdType(entry) === PMD.huge;
  const head = pmdPfn(m, entry);
  const usable = huge && (entry & PMD_ZERO) === 0 && isReclaimable(m, head) && !folioMaybeMappedShared(m, head);
  let isolated: Pfn[] | undefined = huge ? [] : undefined;
  if (usable && whole) {
    m.hooks.settleAccess(mm, from);
    m.directory.entry[pmd] = (m.directory.entry[pmd] & ~PMD_YOUNG) >>> 0;
    flushBlock(m, mm, from);
    isolated = isolate(m, head);
  }
  const split = usable && !whole && folioTrylock(m, head);
  if (split) folioGet(m, head);
  yield release(lock);
  if (split && (yield* splitHeld(m, head))) return undefined;
  return isolated;
}

/** Splits a folio that the caller has locked and holds, and lets go of it. */
function* splitHeld(m: Machine, head: Pfn): Procedure<boolean> {
  const done = (yield* splitFolioToOrder(m, head, 0)) === 0;
  folioUnlock(m, head);
  folioDrop(m, head);
  return done;
}

function* isolatePtes(m: Machine, mm: MmId, table: TableId, from: Vpn, to: Vpn): Procedure<Pfn[]> {
  const isolated: Pfn[] = [];
  const lock = m.locks.pteLock.ref(table);
  const end = slotOf(m, from) + (to - from);
  if (!(yield* pteOffsetMapLock(m, mm, table, from))) return isolated;
  for (let slot = slotOf(m, from); slot < end; ) {
    const run = runAt(m, table, slot, end);
    if (run.head !== 0 && run.count < folioPages(m, run.head) && mayTake(m, run.head) && folioTrylock(m, run.head)) {
      // Part of a large folio: split it, and look at the same slot again.
      folioGet(m, run.head);
      yield release(lock);
      const split = yield* splitHeld(m, run.head);
      if (!(yield* pteOffsetMapLock(m, mm, table, from))) return isolated;
      if (split) continue;
    } else if (run.head !== 0 && run.count === folioPages(m, run.head) && mayTake(m, run.head)) {
      settlePtes(m, table, slot, slot + run.count);
      for (let i = slot; i < slot + run.count; i++) clearBit(m.pte.young, pteBit(m, table, i));
      flushPtes(m, table, slot, slot + run.count);
      isolated.push(...isolate(m, run.head));
    }
    slot += run.count;
  }
  yield release(lock);
  yield spend((to - from) * m.costs.scanPte);
  return isolated;
}

/** The anonymous folio that a slot maps, 0 if none, and how many slots from here map its pages in order. */
function runAt(m: Machine, table: TableId, slot: number, end: number): { head: Pfn; count: number } {
  const pfn = ptePfn(m, table, slot);
  if (pfn <= ZERO_FRAME || pfn === NO_FRAME) return { head: 0 as Pfn, count: 1 };
  const head = folioHead(m, pfn);
  if (!folioHas(m, head, FOLIO.ANON)) return { head: 0 as Pfn, count: 1 };
  const limit = Math.min(end, slot + (head + folioPages(m, head) - pfn));
  let count = 1;
  while (slot + count < limit && ptePfn(m, table, slot + count) === pfn + count) count++;
  return { head, count };
}

function mayTake(m: Machine, head: Pfn): boolean {
  return isReclaimable(m, head) && !folioMaybeMappedShared(m, head);
}

function isolate(m: Machine, head: Pfn): Pfn[] {
  clearFrameFlags(m, head, FOLIO.YOUNG | FOLIO.REFERENCED | FOLIO.ACTIVE);
  if (!folioIsolateLru(m, head)) return [];
  updateMirrors(m, head);
  return [head];
}
