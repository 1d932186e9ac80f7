/**
 * Un-sharing a page without writing to it (FAULT_FLAG_UNSHARE): what a read pin needs of an anonymous page that other
 * processes may map too. Otherwise a later write by the process would give it another page than the one that is pinned.
 */
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import { anonVmaPrepare } from './anon-vma.js';
import type { MmId, Pfn, VmaId, Vpn } from './brands.js';
import { FOLIO, NO_FRAME, PAGE, ZERO_FRAME } from './flags.js';
import { folioHas, folioHead, folioOrder, isAnonExclusive, setFrameFlags } from './folio.js';
import { folioDrop } from './folio-hold.js';
import { folioGet, folioPut } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { splitHugePmd } from './huge-pmd.js';
import { folioAddLru, lruAddDrainCpu } from './lru.js';
import type { Machine } from './machine.js';
import { munlockVmaFolio } from './mlocked.js';
import { allocFolio, GFP } from './page-alloc.js';
import {
  clearPte,
  directoryOf,
  findPmd,
  findTable,
  NO_PMD,
  PMD,
  PTE_UFFD_WP,
  PTE_YOUNG,
  pmdType,
  pteAttributes,
  ptePfn,
  setPtePage,
  slotOf,
} from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { addNewAnonRmap, removePteRmap, rssColumn } from './rmap-change.js';

/**
 * Makes sure that the page which `vma` maps is exclusively its own: takes it over if nobody else holds it, else puts a copy
 * with the same content in its place, not writable. mmap_lock is the caller's, for reading. False: no memory. True does not
 * mean that the page is still there.
 */
export function* unsharePage(m: Machine, vma: VmaId, page: Vpn): Procedure<boolean> {
  yield* splitHugeMapping(m, vma, page);
  const mm = m.vma.mm[vma] as MmId;
  const table = findTable(m, mm, page);
  if (table === 0 || !(yield* pteOffsetMapLock(m, mm, table, page))) return true;
  const old = ptePfn(m, table, slotOf(m, page));
  const done = old < 0 || old === NO_FRAME || (old !== ZERO_FRAME && takeOver(m, old as Pfn));
  const head = folioHead(m, old);
  if (!done && old !== ZERO_FRAME) {
    folioGet(m, head);
    updateMirrors(m, head);
  }
  yield release(m.locks.pteLock.ref(table));
  if (done) return true;
  const copied = yield* replaceByCopy(m, vma, page, old);
  if (old !== ZERO_FRAME) folioDrop(m, head);
  return copied;
}

function* splitHugeMapping(m: Machine, vma: VmaId, page: Vpn): Procedure<void> {
  const pmd = findPmd(m, m.vma.mm[vma] as MmId, page);
  if (pmd === NO_PMD || pmdType(m.directory.entry[pmd]) !== PMD.huge) return;
  const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(lock);
  const huge = pmdType(m.directory.entry[pmd]) === PMD.huge;
  if (huge) splitHugePmd(m, vma, pmd, page);
  yield release(lock);
  if (huge) yield spend(m.costs.pmdFlush + m.costs.setPte * m.ptes);
}

/** True if the page is the process's own, or becomes so because nobody else holds it. */
function takeOver(m: Machine, pfn: Pfn): boolean {
  const head = folioHead(m, pfn);
  if (!folioHas(m, head, FOLIO.ANON) || isAnonExclusive(m, pfn)) return true;
  if (folioOrder(m, head) > 0) return false;
  if (!folioHas(m, head, FOLIO.LRU)) lruAddDrainCpu(m, m.current.cpu);
  if (m.frame.refcount[head] !== 1 || folioHas(m, head, FOLIO.KSM)) return false;
  setFrameFlags(m, pfn, PAGE.ANON_EXCLUSIVE);
  return true;
}

function* replaceByCopy(m: Machine, vma: VmaId, page: Vpn, old: number): Procedure<boolean> {
  yield* anonVmaPrepare(m, vma);
  const fresh = yield* allocFolio(m, 0, GFP.movable, 0);
  if (fresh === 0) return false;
  yield spend(old === ZERO_FRAME ? m.costs.zeroPage : m.costs.copyPage);
  m.frame.stamp[fresh] = old === ZERO_FRAME ? 0 : m.frame.stamp[old];
  const mm = m.vma.mm[vma] as MmId;
  const table = findTable(m, mm, page);
  if (table === 0 || !(yield* pteOffsetMapLock(m, mm, table, page))) {
    folioPut(m, fresh);
    return true;
  }
  const slot = slotOf(m, page);
  const same = ptePfn(m, table, slot) === old;
  if (same) {
    const attributes = pteAttributes(m, table, slot) & (PTE_YOUNG | PTE_UFFD_WP);
    clearPte(m, table, slot);
    if (old !== ZERO_FRAME) {
      rssColumn(m, folioHead(m, old))[mm]--;
      removePteRmap(m, old as Pfn, mm);
      munlockVmaFolio(m, vma, folioHead(m, old));
      folioDrop(m, folioHead(m, old));
    }
    addNewAnonRmap(m, fresh, vma, page);
    folioAddLru(m, fresh);
    updateMirrors(m, fresh);
    setPtePage(m, table, slot, fresh, attributes);
    m.mm.rssAnon[mm]++;
  } else folioPut(m, fresh);
  yield release(m.locks.pteLock.ref(table));
  return true;
}
