/**
 * Writes to a write-protected PTE (`do_wp_page`): take the page over if it is the process's alone, else copy it.
 */
import { getBit, setBit } from '@thplab/arena';
import { type Procedure, release, spend } from '@thplab/sync';
import { anonVmaPrepare } from './anon-vma.js';
import type { MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { FAULT, type FaultResult } from './fault-result.js';
import { FOLIO, NO_FRAME, PAGE, VM, ZERO_FRAME } from './flags.js';
import { folioHas, folioHead, folioMaybeMappedShared, folioOrder, setFrameFlags } from './folio.js';
import { folioDrop } from './folio-hold.js';
import { folioGet, folioPut } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { folioAddLru, lruAddDrainCpu } from './lru.js';
import { type Machine, nextStamp } from './machine.js';
import { munlockVmaFolio } from './mlocked.js';
import { allocFolio, GFP } from './page-alloc.js';
import {
  clearPte,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  pteBit,
  pteCell,
  ptePfn,
  setPtePage,
  slotOf,
} from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { addNewAnonRmap, removePteRmap, rssColumn } from './rmap-change.js';
import { vmaIsWpArmed } from './vma/vma-rows.js';

/** Handles a write to a present, not writable PTE. FAULT.retry: it has changed meanwhile. */
export function* doWpPage(m: Machine, vma: VmaId, table: TableId, page: Vpn): Procedure<FaultResult> {
  const slot = slotOf(m, page);
  const lock = m.locks.pteLock.ref(table);
  if (!(yield* pteOffsetMapLock(m, m.vma.mm[vma] as MmId, table, page))) return FAULT.retry;
  const old = ptePfn(m, table, slot);
  if (old < 0 || (getBit(m.pte.uffdWp, pteBit(m, table, slot)) && vmaIsWpArmed(m, vma))) {
    yield release(lock);
    return FAULT.retry;
  }
  if (old !== ZERO_FRAME && old !== NO_FRAME && canReuse(m, vma, old as Pfn)) {
    reuse(m, table, slot, old);
    yield release(lock);
    return FAULT.ok;
  }
  // What is copied must still be there then: reclaim and migration leave a page alone that somebody holds.
  const head = folioHead(m, old);
  const held = old !== ZERO_FRAME && old !== NO_FRAME;
  if (held) {
    folioGet(m, head);
    updateMirrors(m, head);
  }
  yield release(lock);
  const result = yield* copyPage(m, vma, table, page, old);
  if (held) folioDrop(m, head);
  return result;
}

/** True if the page is this process's alone (`wp_can_reuse_anon_folio`). */
function canReuse(m: Machine, vma: VmaId, pfn: Pfn): boolean {
  if ((m.vma.flags[vma] & VM.SHARED) !== 0) return true;
  const head = folioHead(m, pfn);
  if (!folioHas(m, head, FOLIO.ANON)) return false;
  if ((m.frame.flags[pfn] & PAGE.ANON_EXCLUSIVE) !== 0) return true;
  if (folioOrder(m, head) > 0) {
    const mapped = m.frame.mapping[head + 1];
    return !folioMaybeMappedShared(m, head) && m.frame.refcount[head] === mapped;
  }
  if (!folioHas(m, head, FOLIO.LRU)) lruAddDrainCpu(m, m.current.cpu);
  return m.frame.refcount[head] === 1 && !folioHas(m, head, FOLIO.KSM);
}

function reuse(m: Machine, table: TableId, slot: number, pfn: number): void {
  const bit = pteBit(m, table, slot);
  const head = folioHead(m, pfn);
  if (folioHas(m, head, FOLIO.ANON)) setFrameFlags(m, pfn, PAGE.ANON_EXCLUSIVE);
  else setFrameFlags(m, head, FOLIO.DIRTY);
  setBit(m.pte.write, bit);
  setBit(m.pte.dirty, bit);
  setBit(m.pte.young, bit);
  m.frame.stamp[pfn] = nextStamp(m);
}

/** `wp_page_copy`: a new page with the old content, then the write. */
function* copyPage(m: Machine, vma: VmaId, table: TableId, page: Vpn, old: number): Procedure<FaultResult> {
  yield* anonVmaPrepare(m, vma);
  const fresh = yield* allocFolio(m, 0, GFP.movable, 0);
  if (fresh === 0) return FAULT.oom;
  yield spend(old === ZERO_FRAME ? m.costs.zeroPage : m.costs.copyPage);
  const slot = slotOf(m, page);
  const lock = m.locks.pteLock.ref(table);
  const mm = m.vma.mm[vma] as MmId;
  if (!(yield* pteOffsetMapLock(m, mm, table, page))) {
    folioPut(m, fresh);
    return FAULT.retry;
  }
  const protectedNow = getBit(m.pte.uffdWp, pteBit(m, table, slot)) && vmaIsWpArmed(m, vma);
  if (ptePfn(m, table, slot) !== old || protectedNow) {
    yield release(lock);
    folioPut(m, fresh);
    return FAULT.retry;
  }
  if (old !== ZERO_FRAME && old !== NO_FRAME) {
    const head = folioHead(m, old);
    const rss = rssColumn(m, head);
    rss[mm] = rss[mm] - 1;
    m.pte.pfn[pteCell(m, table, slot)] = 0;
    clearPte(m, table, slot);
    removePteRmap(m, old as Pfn, mm);
    munlockVmaFolio(m, vma, head);
    folioDrop(m, head);
    Atomics.add(m.machine.cowPages, 0, 1);
  } else clearPte(m, table, slot);
  addNewAnonRmap(m, fresh, vma, page);
  folioAddLru(m, fresh);
  setPtePage(m, table, slot, fresh, PTE_WRITE | PTE_DIRTY | PTE_YOUNG);
  m.mm.rssAnon[mm] += 1;
  m.frame.stamp[fresh] = nextStamp(m);
  yield release(lock);
  return FAULT.ok;
}
