/** Unmapping a folio of the page cache from everybody who maps it (`try_to_unmap`, memory that is not anonymous). */
import { getBit } from '@thplab/arena';
import { type Procedure, release, spend } from '@thplab/sync';
import type { MmId, Pfn } from './brands.js';
import { fileMapReadLock, fileMapReadUnlock } from './file-map.js';
import { ENTRY_KIND, FOLIO, makeEntry } from './flags.js';
import { folioFile, folioHead, setFrameFlags } from './folio.js';
import { folioDrop } from './folio-hold.js';
import type { Machine } from './machine.js';
import { clearPte, pteBit, ptePfn, setPteEntry } from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { removePteRmap, rssColumn } from './rmap-change.js';
import { type MappedPlace, mappedPlaces, placesByTable, splitPmdMappings } from './rmap-places.js';

/**
 * Takes all entries that map the folio away; mlocked VMAs are no exception. An entry that was write-protected by userfaultfd
 * leaves a marker. The folio is locked and held by the caller, so it is not mapped anew. i_mmap_rwsem is taken for reading.
 */
export function* tryToUnmapFile(m: Machine, head: Pfn): Procedure<void> {
  const file = folioFile(m, head);
  yield* fileMapReadLock(m, file);
  yield* splitPmdMappings(m, head);
  for (const [table, places] of placesByTable(mappedPlaces(m, head))) {
    const mm = m.vma.mm[places[0].vma] as MmId;
    if (!(yield* pteOffsetMapLock(m, mm, table, places[0].page))) continue;
    for (const place of places) unmapPlace(m, mm, place);
    yield release(m.locks.pteLock.ref(table));
    yield spend(places.length * m.costs.setPte);
  }
  yield* fileMapReadUnlock(m, file);
}

function unmapPlace(m: Machine, mm: MmId, place: MappedPlace): void {
  const { table, slot, pfn } = place;
  if (ptePfn(m, table, slot) !== pfn) return;
  const bit = pteBit(m, table, slot);
  const head = folioHead(m, pfn);
  const uffdWp = getBit(m.pte.uffdWp, bit);
  if (getBit(m.pte.dirty, bit)) setFrameFlags(m, head, FOLIO.DIRTY);
  clearPte(m, table, slot);
  if (uffdWp) setPteEntry(m, table, slot, makeEntry(ENTRY_KIND.markerUffdWp), true);
  const rss = rssColumn(m, head);
  rss[mm] = rss[mm] - 1;
  removePteRmap(m, pfn, mm);
  folioDrop(m, head);
}
