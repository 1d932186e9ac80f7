/**
 * Bringing pages back from swap (`do_swap_page`), one base page at a time and without read-ahead.
 *
 * The page is put into the swap cache and locked before it is read, so that a second fault on the same slot finds it and
 * waits instead of reading it again. It leaves the cache with the last swap entry that refers to the slot.
 */
import { getBit } from '@thplab/arena';
import { type Procedure, READ, release, spend } from '@thplab/sync';
import type { AnonVmaId, MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { doWpPage } from './fault-cow.js';
import { FAULT, type FaultResult } from './fault-result.js';
import { ENTRY_KIND, entryKind, entryValue, FOLIO, PAGE, VM } from './flags.js';
import {
  folioEntireMapcount,
  folioHas,
  folioHead,
  folioOrder,
  linearIndex,
  setFolioMapping,
  setFrameFlags,
} from './folio.js';
import { folioDrop, folioUnlock, waitOnFolioLock } from './folio-hold.js';
import { folioGet } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { folioAddLru } from './lru.js';
import { countVmEvent, type Machine, nextStamp } from './machine.js';
import { chargeSwappedIn } from './memcg.js';
import { allocFolio, GFP } from './page-alloc.js';
import {
  clearPte,
  PTE_DIRTY,
  PTE_UFFD_WP,
  PTE_WRITE,
  PTE_YOUNG,
  pteBit,
  pteCell,
  setPtePage,
  slotOf,
} from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { addAnonPteRmap } from './rmap-change.js';
import { addToSwapCache, swapFree } from './swap-slots.js';

/** Where the entry lies, and what it says. */
interface SwapSpot {
  readonly vma: VmaId;
  readonly mm: MmId;
  readonly table: TableId;
  readonly page: Vpn;
  readonly entry: number;
}

/** The page of a slot, locked and with a reference of ours; or why there is none. */
interface LockedPage {
  readonly pfn: Pfn;
  readonly result: FaultResult;
}

/**
 * Handles a fault on a swap entry. The VMA's lock or mmap_lock is the caller's, for reading, and is held throughout: a
 * page that somebody else reads or writes just now is waited for. Gives FAULT.ok also if the entry has changed meanwhile,
 * so that the access has to be tried again; FAULT.oom; FAULT.userfault for a write to a page that is write-protected by
 * userfaultfd, which is in memory then.
 */
export function* doSwapPage(m: Machine, vma: VmaId, table: TableId, page: Vpn, write: boolean): Procedure<FaultResult> {
  return yield* swapInPage(m, vma, table, page, write, true);
}

/**
 * Brings in what a non-present entry stands for, as khugepaged does before a collapse of PMD order (khugepaged spec 11.3).
 * mmap_lock is held for reading by the caller. It is still held afterwards, except when this gives FAULT.retry: the page
 * was locked, mmap_lock has been released, the page waited for, and the caller must not release again (case B18 of
 * khugepaged spec 19). Entries of another kind than swap give what a read fault gives.
 */
export function* swapInForCollapse(m: Machine, vma: VmaId, table: TableId, page: Vpn): Procedure<FaultResult> {
  const entry = m.pte.pfn[pteCell(m, table, slotOf(m, page))];
  const swap = entryKind(entry) === ENTRY_KIND.swap;
  const result = swap ? yield* swapInPage(m, vma, table, page, false, false) : otherEntry(entryKind(entry));
  if (result !== FAULT.retry) return result;
  yield release(m.locks.mmapLock.ref(m.vma.mm[vma]), READ);
  const cached = swap ? m.swap.cache[entryValue(entry)] : 0;
  if (cached !== 0) yield* waitOnFolioLock(m, folioHead(m, cached));
  return FAULT.retry;
}

/** A read fault on an entry that is no swap entry. */
function otherEntry(kind: number): FaultResult {
  switch (kind) {
    case ENTRY_KIND.migration:
      return FAULT.retry;
    case ENTRY_KIND.markerUffdWp:
      return FAULT.userfault;
    case ENTRY_KIND.markerGuard:
      return FAULT.sigsegv;
    default:
      return FAULT.sigbus;
  }
}

function* swapInPage(
  m: Machine,
  vma: VmaId,
  table: TableId,
  page: Vpn,
  write: boolean,
  waits: boolean,
): Procedure<FaultResult> {
  const entry = m.pte.pfn[pteCell(m, table, slotOf(m, page))];
  const spot = { vma, mm: m.vma.mm[vma] as MmId, table, page, entry };
  if (!isStillThere(m, spot)) return FAULT.ok;
  const found = yield* lockSwapPage(m, spot, waits);
  if (found.pfn === 0) return found.result;
  if (!(yield* pteOffsetMapLock(m, spot.mm, table, page))) {
    letGo(m, found.pfn);
    return FAULT.ok;
  }
  const lock = m.locks.pteLock.ref(table);
  if (!isStillThere(m, spot)) {
    yield release(lock);
    letGo(m, found.pfn);
    return FAULT.ok;
  }
  const attributes = mapSwapPage(m, spot, found.pfn, write);
  yield release(lock);
  yield spend(m.costs.setPte);
  if (!write || (attributes & PTE_WRITE) !== 0) return FAULT.ok;
  return (attributes & PTE_UFFD_WP) !== 0 ? FAULT.userfault : yield* doWpPage(m, vma, table, page);
}

/** The entry is the one that the fault started with. */
function isStillThere(m: Machine, spot: SwapSpot): boolean {
  const slot = slotOf(m, spot.page);
  if (!getBit(m.pte.nonPresent, pteBit(m, spot.table, slot))) return false;
  return m.pte.pfn[pteCell(m, spot.table, slot)] === spot.entry && entryKind(spot.entry) === ENTRY_KIND.swap;
}

function letGo(m: Machine, pfn: Pfn): void {
  const head = folioHead(m, pfn);
  folioUnlock(m, head);
  folioDrop(m, head);
}

/** The slot's page: from the swap cache, or read from the device. `pfn` 0: see `result`. */
function* lockSwapPage(m: Machine, spot: SwapSpot, waits: boolean): Procedure<LockedPage> {
  const slot = entryValue(spot.entry);
  while (isStillThere(m, spot)) {
    const cached = m.swap.cache[slot] as Pfn;
    if (cached === 0) {
      const read = yield* readSwapPage(m, spot, slot);
      if (read !== undefined) return read;
      continue;
    }
    const head = folioHead(m, cached);
    if (m.locks.folioLock.tryLock(head)) {
      folioGet(m, head);
      updateMirrors(m, head);
      if (m.swap.cache[slot] === cached) return { pfn: cached, result: FAULT.ok };
      letGo(m, cached);
    } else if (!waits) return { pfn: 0 as Pfn, result: FAULT.retry };
    else yield* waitOnFolioLock(m, head);
  }
  return { pfn: 0 as Pfn, result: FAULT.ok };
}

/** Reads the slot into a new page. Undefined if somebody else has begun to, or the entry is gone. */
function* readSwapPage(m: Machine, spot: SwapSpot, slot: number): Procedure<LockedPage | undefined> {
  const fresh = yield* allocFolio(m, 0, GFP.movable, 0);
  if (fresh === 0) return { pfn: fresh as Pfn, result: FAULT.oom };
  if (!isStillThere(m, spot) || m.swap.cache[slot] !== 0) {
    folioDrop(m, fresh);
    return undefined;
  }
  m.locks.folioLock.tryLock(fresh);
  setFrameFlags(m, fresh, FOLIO.SWAPBACKED);
  chargeSwappedIn(m, fresh, slot, spot.mm);
  addToSwapCache(m, slot, fresh);
  folioAddLru(m, fresh);
  countVmEvent(m, 'pswpin');
  countVmEvent(m, 'pgmajfault');
  yield spend(m.costs.swapIn);
  m.frame.stamp[fresh] = m.swap.stamp[slot];
  setFrameFlags(m, fresh, FOLIO.UPTODATE);
  return { pfn: fresh, result: FAULT.ok };
}

/**
 * Replaces the swap entry by the page, whose lock and reference it takes over. The page is the process's alone if no other
 * entry of any kind refers to it; then it is writable if the VMA is. Gives the attributes of the new entry.
 */
function mapSwapPage(m: Machine, spot: SwapSpot, pfn: Pfn, write: boolean): number {
  const slot = slotOf(m, spot.page);
  const swapSlot = entryValue(spot.entry);
  const head = folioHead(m, pfn);
  const mapped = m.frame.mapcount[pfn] > 0 || folioEntireMapcount(m, head) > 0;
  const exclusive = m.swap.count[swapSlot] === 1 && !mapped;
  const uffdWp = getBit(m.pte.uffdWp, pteBit(m, spot.table, slot));
  const writable = exclusive && !uffdWp && (m.vma.flags[spot.vma] & VM.WRITE) !== 0;
  const attributes =
    PTE_YOUNG | (uffdWp ? PTE_UFFD_WP : 0) | (writable ? PTE_WRITE : 0) | (writable && write ? PTE_DIRTY : 0);
  clearPte(m, spot.table, slot);
  becomeAnon(m, spot, head, exclusive);
  if ((m.vma.flags[spot.vma] & VM.LOCKED) !== 0) mlockPage(m, head);
  if (exclusive) setFrameFlags(m, pfn, PAGE.ANON_EXCLUSIVE);
  addAnonPteRmap(m, pfn, spot.mm);
  m.mm.rssAnon[spot.mm]++;
  m.mm.swapEnts[spot.mm]--;
  swapFree(m, swapSlot);
  folioUnlock(m, head);
  setPtePage(m, spot.table, slot, pfn, attributes);
  if (writable && write) m.frame.stamp[pfn] = nextStamp(m);
  return attributes;
}

/**
 * Gives a page that was read anew its place in the reverse map. If others may map it too, that is the anon_vma of the
 * oldest ancestor, which is linked to all VMAs that can have the entry (`__folio_set_anon`).
 */
function becomeAnon(m: Machine, spot: SwapSpot, head: Pfn, exclusive: boolean): void {
  if (folioHas(m, head, FOLIO.ANON)) return;
  const own = m.vma.anonVma[spot.vma] as AnonVmaId;
  setFolioMapping(m, head, exclusive ? own : m.anonVma.root[own], linearIndex(m, spot.vma, spot.page));
  setFrameFlags(m, head, FOLIO.ANON);
}

/** A page that comes into a locked VMA is locked in memory (`folio_add_lru_vma`). */
function mlockPage(m: Machine, head: Pfn): void {
  if (folioOrder(m, head) > 0 || folioHas(m, head, FOLIO.MLOCKED)) return;
  setFrameFlags(m, head, FOLIO.MLOCKED);
  countVmEvent(m, 'nr_mlock');
}
