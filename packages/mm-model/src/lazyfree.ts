/**
 * Dropping lazyfree folios (MADV_FREE): pages that the process said it does not need. They are dropped without being
 * written anywhere, unless they were written to since.
 */
import { getBit } from '@thplab/arena';
import { type Procedure, READ, release, spend } from '@thplab/sync';
import { folioLockAnonVma, folioUnlockAnonVma } from './anon-vma.js';
import type { MmId, Pfn } from './brands.js';
import { FOLIO, VM } from './flags.js';
import { folioExpectedRefs, folioHas, folioMapcount, folioPages, setFrameFlags } from './folio.js';
import { folioDrop, folioTrylock, folioUnlock } from './folio-hold.js';
import { updateMirrors } from './folio-mirror.js';
import { folioPutbackLru } from './lru.js';
import { countVmEvent, type Machine } from './machine.js';
import { clearPte, pteBit, ptePfn } from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { removePteRmap } from './rmap-change.js';
import { type MappedPlace, mappedPlaces, placesByTable, splitPmdMappings } from './rmap-places.js';

/**
 * Drops a lazyfree folio that the caller has isolated, and takes over its reference. A folio that was written to since is
 * swap-backed again and stays. Gives the pages freed.
 */
export function* discardLazyfree(m: Machine, head: Pfn): Procedure<number> {
  if (!folioTrylock(m, head)) {
    folioPutbackLru(m, head);
    return 0;
  }
  const pages = folioPages(m, head);
  if (m.frame.refcount[head] === folioExpectedRefs(m, head) + 1) yield* unmapClean(m, head);
  const free = folioMapcount(m, head) === 0 && m.frame.refcount[head] === 1;
  folioUnlock(m, head);
  if (!free) {
    folioPutbackLru(m, head);
    return 0;
  }
  countVmEvent(m, 'pglazyfreed', pages);
  folioDrop(m, head);
  return pages;
}

function* unmapClean(m: Machine, head: Pfn): Procedure<void> {
  const anonVma = yield* folioLockAnonVma(m, head, READ);
  if (anonVma === 0) return;
  yield* splitPmdMappings(m, head);
  for (const [table, places] of placesByTable(mappedPlaces(m, head))) {
    const first = places[0];
    if (!(yield* pteOffsetMapLock(m, m.vma.mm[first.vma] as MmId, table, first.page))) continue;
    for (const place of places) if (!dropPlace(m, head, place)) break;
    yield release(m.locks.pteLock.ref(table));
    yield spend(places.length * m.costs.setPte + m.costs.pmdFlush);
    if (folioHas(m, head, FOLIO.SWAPBACKED)) break;
  }
  yield* folioUnlockAnonVma(m, anonVma, READ);
}

/** Makes the entry none; false if the page was written to, which ends the folio's being lazyfree. */
function dropPlace(m: Machine, head: Pfn, place: MappedPlace): boolean {
  if (ptePfn(m, place.table, place.slot) !== place.pfn || (m.vma.flags[place.vma] & VM.LOCKED) !== 0) return true;
  if (getBit(m.pte.dirty, pteBit(m, place.table, place.slot)) || folioHas(m, head, FOLIO.DIRTY)) {
    setFrameFlags(m, head, FOLIO.SWAPBACKED);
    updateMirrors(m, head);
    return false;
  }
  const mm = m.vma.mm[place.vma] as MmId;
  clearPte(m, place.table, place.slot);
  m.mm.rssAnon[mm]--;
  removePteRmap(m, place.pfn, mm);
  folioDrop(m, head);
  return true;
}
