/** Setting up the page cache of files and shared memory, and mappings of it, as populate.ts does for anonymous memory. */
import { asBrand } from '@thplab/arena';
import type { FileId, MemcgId, MmId, Pfn, VmaId, Vpn } from './brands.js';
import { FOLIO } from './flags.js';
import { addPteMap, folioHead, linearIndex, setFrameFlags } from './folio.js';
import { folioGet } from './folio-lifetime.js';
import { initMirrors, updateMirrors } from './folio-mirror.js';
import { type Machine, nextStamp } from './machine.js';
import { chargeFolio, mmMemcg, ROOT_MEMCG } from './memcg.js';
import { pageCacheLookup, pageCacheSwapSlot } from './page-cache.js';
import { addFolioToPageCache, addSwappedFilePage, replaceByHugeFolio } from './page-cache-contents.js';
import { PTE_DIRTY, setPtePage, slotOf } from './page-table.js';
import { ensureTable, PopulateError, takeFolio } from './populate.js';
import { rssColumn } from './rmap-change.js';
import { swapAlloc } from './swap-slots.js';

/**
 * Brings `count` pages of a file into the page cache, each with contents of its own; those that are there stay. They are
 * charged to the root.
 */
export function placeCachedPages(m: Machine, file: FileId, first: number, count: number): void {
  for (let index = first; index < first + count; index++) cachedPage(m, file, index, ROOT_MEMCG);
}

/** Brings the pages from `first` on into the page cache as one folio of PMD order. Errors: some of them are there already. */
export function placeHugeCachedPages(m: Machine, file: FileId, first: number): void {
  for (let index = first; index < first + m.ptes; index++) refusePresent(m, file, index);
  const head = takeFolio(m, m.pmdOrder, 0);
  for (let i = 0; i < m.ptes; i++) m.frame.stamp[head + i] = nextStamp(m);
  chargeFolio(m, head, ROOT_MEMCG);
  replaceByHugeFolio(m, file, first, head, 0);
  setFrameFlags(m, head, FOLIO.LRU);
  initMirrors(m, head);
}

/** Makes `count` pages of shared memory swapped-out ones, each in a slot of its own. Errors: the swap device is full. */
export function placeSwappedFilePages(m: Machine, file: FileId, first: number, count: number): void {
  for (let index = first; index < first + count; index++) {
    refusePresent(m, file, index);
    const slot = swapAlloc(m, nextStamp(m));
    if (slot === 0) throw new PopulateError(`the swap device is full: raise the machine's swap size`);
    addSwappedFilePage(m, file, index, slot);
  }
}

/** Maps `count` none pages of a file or shmem VMA to pages of the page cache, brought in if need be. */
export function placeFilePages(m: Machine, vma: VmaId, first: Vpn, count: number, attributes: number): void {
  const mm = m.vma.mm[vma] as MmId;
  const memcg = mmMemcg(m, mm);
  for (let page = first as number; page < first + count; page++) {
    const table = ensureTable(m, mm, page as Vpn);
    const pfn = cachedPage(m, asBrand<FileId>(m.vma.file[vma]), linearIndex(m, vma, page as Vpn), memcg);
    const head = folioHead(m, pfn);
    folioGet(m, head);
    addPteMap(m, pfn, mm);
    updateMirrors(m, head);
    if ((attributes & PTE_DIRTY) !== 0) setFrameFlags(m, head, FOLIO.DIRTY);
    setPtePage(m, table, slotOf(m, page as Vpn), pfn, attributes);
    rssColumn(m, head)[mm]++;
  }
}

/** The page of the file in memory, brought in and charged if it is not. */
function cachedPage(m: Machine, file: FileId, index: number, memcg: MemcgId): Pfn {
  const cached = pageCacheLookup(m, file, index);
  if (cached !== 0) return cached;
  if (pageCacheSwapSlot(m, file, index) !== 0)
    throw new PopulateError(`page ${index} of the file is swapped out already`);
  const pfn = takeFolio(m, 0, 0);
  m.frame.stamp[pfn] = nextStamp(m);
  chargeFolio(m, pfn, memcg);
  addFolioToPageCache(m, file, index, pfn);
  setFrameFlags(m, pfn, FOLIO.LRU);
  initMirrors(m, pfn);
  return pfn;
}

function refusePresent(m: Machine, file: FileId, index: number): void {
  if (pageCacheLookup(m, file, index) === 0 && pageCacheSwapSlot(m, file, index) === 0) return;
  throw new PopulateError(`page ${index} of the file is in the page cache already`);
}
