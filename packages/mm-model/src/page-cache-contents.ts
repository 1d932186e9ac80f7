/**
 * What is in the page cache, with all that counts it: pages come in, give way to a huge folio, go with their file. Pages are
 * added and replaced under the lock of the file's page cache (i_pages), which is the callers'.
 */
import type { FileId, Pfn } from './brands.js';
import { FOLIO } from './flags.js';
import {
  clearFrameFlags,
  folioHead,
  folioMapcount,
  folioOrder,
  folioPages,
  setFolioMapping,
  setFrameFlags,
} from './folio.js';
import { folioGet, folioPut } from './folio-lifetime.js';
import { countVmEvent, type Machine } from './machine.js';
import { pageCacheAdd, pageCacheAddSwap, pageCacheLookup, pageCacheRemove, pageCacheSwapSlot } from './page-cache.js';
import { swapFree } from './swap-slots.js';

/**
 * Makes a fresh base page, which is charged already, the page `index` of the file; its one reference becomes the page
 * cache's.
 */
export function addFolioToPageCache(m: Machine, file: FileId, index: number, pfn: Pfn): void {
  const shmem = m.file.shmem[file] !== 0;
  setFrameFlags(m, pfn, FOLIO.UPTODATE | (shmem ? FOLIO.SHMEM | FOLIO.SWAPBACKED : 0));
  setFolioMapping(m, pfn, file, index);
  pageCacheAdd(m, file, index, pfn);
  countCached(m, file, 1);
}

/**
 * Puts a folio of PMD order in the place of whatever the page cache has of its pages (`xas_store` of a multi-index entry).
 * The folio's one reference becomes the page cache's first. The lock of i_pages is held; the old folios, `replaced` pages
 * in all, keep the references that the page cache had on them.
 */
export function replaceByHugeFolio(m: Machine, file: FileId, start: number, head: Pfn, replaced: number): void {
  const shmem = m.file.shmem[file] !== 0;
  setFrameFlags(m, head, FOLIO.UPTODATE | (shmem ? FOLIO.SHMEM | FOLIO.SWAPBACKED | FOLIO.DIRTY : 0));
  setFolioMapping(m, head, file, start);
  const pages = folioPages(m, head);
  folioGet(m, head, pages - 1);
  for (let i = 0; i < pages; i++) pageCacheAdd(m, file, start + i, (head + i) as Pfn);
  countCached(m, file, pages - replaced);
  countHugeFolio(m, file, 1);
}

/** A folio of PMD order came into the page cache of a file, or left it. */
export function countHugeFolio(m: Machine, file: FileId, by: 1 | -1): void {
  countVmEvent(m, m.file.shmem[file] !== 0 ? 'nr_shmem_hugepages' : 'nr_file_hugepages', by);
}

function countCached(m: Machine, file: FileId, pages: number): void {
  m.file.cached[file] += pages;
  countVmEvent(m, 'nr_file_pages', pages);
  if (m.file.shmem[file] !== 0) countVmEvent(m, 'nr_shmem', pages);
}

/** Says that page `index` of a shmem file is swapped out; the slot's count is for this entry. For set-up. */
export function addSwappedFilePage(m: Machine, file: FileId, index: number, slot: number): void {
  pageCacheAddSwap(m, file, index, slot);
  m.file.swapped[file]++;
}

/** References that mappings and the page cache explain. */
export function fileFolioExpectedRefs(m: Machine, head: Pfn): number {
  return folioMapcount(m, head) + folioPages(m, head);
}

/**
 * Takes pages of a file out of the page cache, from `first` on (`truncate_inode_pages`). Who still holds one keeps the memory
 * only. All of a folio goes, or nothing of it.
 */
export function truncatePages(m: Machine, file: FileId, first: number = 0): void {
  // A huge folio may reach beyond the end of the file.
  const end = Math.ceil(m.file.pages[file] / m.ptes) * m.ptes;
  for (let index = first; m.file.cached[file] + m.file.swapped[file] > 0 && index < end; index++) {
    const slot = pageCacheSwapSlot(m, file, index);
    const pfn = pageCacheLookup(m, file, index);
    if (slot === 0 && pfn === 0) continue;
    pageCacheRemove(m, file, index);
    if (pfn !== 0) dropPage(m, file, pfn);
    else {
      m.file.swapped[file] = m.file.swapped[file] - 1;
      swapFree(m, slot);
    }
  }
}

function dropPage(m: Machine, file: FileId, pfn: Pfn): void {
  countCached(m, file, -1);
  const head = folioHead(m, pfn);
  if (pfn === head) {
    if (folioOrder(m, head) === m.pmdOrder) countHugeFolio(m, file, -1);
    setFolioMapping(m, head, 0, 0);
    clearFrameFlags(m, head, FOLIO.LRU | FOLIO.SHMEM | FOLIO.SWAPBACKED);
  }
  folioPut(m, head);
}
