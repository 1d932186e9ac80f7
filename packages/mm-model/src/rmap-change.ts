/**
 * Adding and removing reverse mappings of folios: the map counts, the vmstat counters that follow from them, and the
 * queueing of anonymous folios that have become partially mapped. RSS and references are the callers'.
 */
import type { MmId, Pfn, VmaId, Vpn } from './brands.js';
import { deferredSplitFolio } from './deferred-queue.js';
import { FOLIO, PAGE, VM } from './flags.js';
import {
  addPmdMap,
  addPteMap,
  clearFrameFlags,
  folioEntireMapcount,
  folioHas,
  folioHead,
  folioMapcount,
  folioOrder,
  folioPages,
  linearIndex,
  removePteMap,
  setFolioMapping,
  setFrameFlags,
} from './folio.js';
import { countMthpStat, countVmEvent, type Machine } from './machine.js';
import { chargeFolio, mmMemcg } from './memcg.js';

/** Makes a fresh folio anonymous memory of the VMA at `page` (its first page); it is not mapped yet. */
export function initAnonFolio(m: Machine, head: Pfn, vma: VmaId, page: Vpn): void {
  setFolioMapping(m, head, m.vma.anonVma[vma], linearIndex(m, vma, page));
  chargeFolio(m, head, mmMemcg(m, m.vma.mm[vma] as MmId));
  const mlocked = (m.vma.flags[vma] & VM.LOCKED) === 0 ? 0 : FOLIO.MLOCKED;
  setFrameFlags(m, head, FOLIO.ANON | FOLIO.SWAPBACKED | FOLIO.UPTODATE | mlocked);
  const order = folioOrder(m, head);
  if (mlocked !== 0) countVmEvent(m, 'nr_mlock', 1 << order);
  if (order > 0) countMthpStat(m, order, 'nr_anon', 1);
}

/** Maps a fresh folio by one PTE per page, exclusively (`folio_add_new_anon_rmap`). The PTEs are the caller's. */
export function addNewAnonRmap(m: Machine, head: Pfn, vma: VmaId, page: Vpn): void {
  initAnonFolio(m, head, vma, page);
  const mm = m.vma.mm[vma] as MmId;
  const pages = folioPages(m, head);
  for (let i = 0; i < pages; i++) {
    setFrameFlags(m, head + i, PAGE.ANON_EXCLUSIVE);
    addPteMap(m, (head + i) as Pfn, mm);
  }
  countVmEvent(m, 'nr_anon_pages', pages);
}

/** Maps a fresh folio of PMD order by a huge PMD, exclusively. The PMD is the caller's. */
export function addNewAnonPmdRmap(m: Machine, head: Pfn, vma: VmaId, page: Vpn): void {
  initAnonFolio(m, head, vma, page);
  setFrameFlags(m, head, PAGE.ANON_EXCLUSIVE);
  addAnonPmdRmap(m, head, m.vma.mm[vma] as MmId);
}

/** One more huge PMD maps an anonymous folio. */
export function addAnonPmdRmap(m: Machine, head: Pfn, mm: MmId): void {
  if (folioEntireMapcount(m, head) === 0) {
    countVmEvent(m, 'nr_anon_transparent_hugepages', 1);
    countVmEvent(m, 'nr_anon_pages', m.ptes - mappedPages(m, head));
  }
  addPmdMap(m, head, mm, 1);
  m.mm.anonThps[mm] += 1;
}

/** One huge PMD less maps an anonymous folio. */
export function removeAnonPmdRmap(m: Machine, head: Pfn, mm: MmId): void {
  addPmdMap(m, head, mm, -1);
  m.mm.anonThps[mm] = m.mm.anonThps[mm] - 1;
  if (folioEntireMapcount(m, head) > 0) return;
  const still = mappedPages(m, head);
  countVmEvent(m, 'nr_anon_transparent_hugepages', -1);
  countVmEvent(m, 'nr_anon_pages', still - m.ptes);
  if (still > 0 && still < m.ptes) deferredSplitFolio(m, head, true);
}

/** One more huge PMD maps a folio of the page cache (`folio_add_file_rmap_pmd`). */
export function addFilePmdRmap(m: Machine, head: Pfn, mm: MmId): void {
  if (folioEntireMapcount(m, head) === 0) countVmEvent(m, pmdMappedCounter(m, head), 1);
  addPmdMap(m, head, mm, 1);
  m.mm.fileThps[mm] += 1;
}

/** One huge PMD less maps a folio (`folio_remove_rmap_pmd`). */
export function removePmdRmap(m: Machine, head: Pfn, mm: MmId): void {
  if (folioHas(m, head, FOLIO.ANON)) {
    removeAnonPmdRmap(m, head, mm);
    return;
  }
  addPmdMap(m, head, mm, -1);
  m.mm.fileThps[mm] = m.mm.fileThps[mm] - 1;
  if (folioEntireMapcount(m, head) === 0) countVmEvent(m, pmdMappedCounter(m, head), -1);
}

function pmdMappedCounter(m: Machine, head: Pfn): 'nr_shmem_pmdmapped' | 'nr_file_pmdmapped' {
  return folioHas(m, head, FOLIO.SHMEM) ? 'nr_shmem_pmdmapped' : 'nr_file_pmdmapped';
}

/** The RSS counter that a folio's pages are counted in. */
export function rssColumn(m: Machine, head: Pfn): Int32Array {
  if (folioHas(m, head, FOLIO.ANON)) return m.mm.rssAnon;
  return folioHas(m, head, FOLIO.SHMEM) ? m.mm.rssShmem : m.mm.rssFile;
}

/** One more PTE maps a page of a folio (copy-on-write sharing, splitting of a huge PMD, swap-in). */
export function addAnonPteRmap(m: Machine, pfn: Pfn, mm: MmId): void {
  const head = folioHead(m, pfn);
  const wasMapped = m.frame.mapcount[pfn] > 0 || folioEntireMapcount(m, head) > 0;
  addPteMap(m, pfn, mm);
  if (!wasMapped && folioHas(m, head, FOLIO.ANON)) countVmEvent(m, 'nr_anon_pages', 1);
}

/** One PTE less maps a page of a folio (`folio_remove_rmap_pte`). */
export function removePteRmap(m: Machine, pfn: Pfn, mm: MmId): void {
  const head = folioHead(m, pfn);
  removePteMap(m, pfn, mm);
  if (!folioHas(m, head, FOLIO.ANON)) return;
  const stillMapped = m.frame.mapcount[pfn] > 0 || folioEntireMapcount(m, head) > 0;
  if (stillMapped) return;
  clearFrameFlags(m, pfn, PAGE.ANON_EXCLUSIVE);
  countVmEvent(m, 'nr_anon_pages', -1);
  if (folioOrder(m, head) > 0 && folioMapcount(m, head) > 0) deferredSplitFolio(m, head, true);
}

/** Pages of a large folio that PTEs map. */
function mappedPages(m: Machine, head: Pfn): number {
  let count = 0;
  for (let pfn = head as number; pfn < head + folioPages(m, head); pfn++) if (m.frame.mapcount[pfn] !== 0) count++;
  return count;
}
