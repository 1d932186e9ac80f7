/**
 * What is in the page cache, with all that counts it: pages come in, are found and locked, give way to a huge folio, are
 * written back, go with their file.
 *
 * Who maps a page, or replaces it, has its folio locked. Pages are added and replaced under the lock of the file's page
 * cache (i_pages), so that a page that is not there stays away while that is held.
 */
import { clearBit } from '@thplab/arena';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { FileId, MmId, Pfn } from './brands.js';
import { fileMapReadLock, fileMapReadUnlock } from './file-map.js';
import { FOLIO } from './flags.js';
import {
  clearFrameFlags,
  folioHas,
  folioHead,
  folioMapcount,
  folioOrder,
  folioPages,
  setFolioMapping,
  setFrameFlags,
} from './folio.js';
import { folioTrylock, waitOnFolioLock } from './folio-hold.js';
import { folioGet, folioPut } from './folio-lifetime.js';
import { folioAddLru } from './lru.js';
import { countVmEvent, type Machine } from './machine.js';
import { allocFolio, clearFolio, GFP } from './page-alloc.js';
import { pageCacheAdd, pageCacheAddSwap, pageCacheLookup, pageCacheRemove, pageCacheSwapSlot } from './page-cache.js';
import { pteBit } from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { mappedPlaces, placesByTable } from './rmap-places.js';
import { swapFree } from './swap-slots.js';

/** Makes a fresh base page the page `index` of the file; its one reference becomes the page cache's. */
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

/**
 * The page of the file, in memory, its folio locked and with a reference (`filemap_lock_folio`): waits for who has it
 * locked. 0: it is not in memory.
 */
export function* lockCachedPage(m: Machine, file: FileId, index: number): Procedure<Pfn | 0> {
  for (;;) {
    const cached = pageCacheLookup(m, file, index);
    if (cached === 0) return 0;
    const head = folioHead(m, cached);
    if (folioTrylock(m, head)) {
      folioGet(m, head);
      return cached;
    }
    yield* waitOnFolioLock(m, head);
  }
}

/**
 * As `lockCachedPage`, and brings the page in if it is not there: from swap, or as a page of zeroes, the model's form of
 * reading a file. 0: there is no memory.
 */
export function* getFilePage(m: Machine, file: FileId, index: number): Procedure<Pfn | 0> {
  for (;;) {
    const cached = yield* lockCachedPage(m, file, index);
    if (cached !== 0) return cached;
    const fresh = yield* allocFolio(m, 0, GFP.movable, 0);
    if (fresh === 0) return 0;
    clearFolio(m, fresh, 1);
    const slot = pageCacheSwapSlot(m, file, index);
    yield spend(slot === 0 ? m.costs.zeroPage : m.costs.swapIn);
    const lock = m.locks.filePages.ref(file);
    yield acquire(lock);
    const added = pageCacheLookup(m, file, index) === 0 && pageCacheSwapSlot(m, file, index) === slot;
    if (added) addFresh(m, file, index, fresh, slot);
    yield release(lock);
    if (added) return fresh;
    folioPut(m, fresh);
  }
}

function addFresh(m: Machine, file: FileId, index: number, fresh: Pfn, slot: number): void {
  if (slot !== 0) {
    m.frame.stamp[fresh] = m.swap.stamp[slot];
    swapFree(m, slot);
    m.file.swapped[file] = m.file.swapped[file] - 1;
    countVmEvent(m, 'pswpin');
  }
  folioTrylock(m, fresh);
  addFolioToPageCache(m, file, index, fresh);
  folioGet(m, fresh);
  folioAddLru(m, fresh);
}

/** References that mappings and the page cache explain. */
export function fileFolioExpectedRefs(m: Machine, head: Pfn): number {
  return folioMapcount(m, head) + folioPages(m, head);
}

/**
 * Writes the dirty pages of a range of a regular file back, and waits for it (`filemap_write_and_wait_range`). Their entries
 * lose dirty and write bits, so that the next write is noticed. Locked folios are passed over. No lock at entry and exit.
 */
export function* writeBackPages(m: Machine, file: FileId, start: number, end: number): Procedure<void> {
  if (m.file.shmem[file] !== 0) return;
  for (let index = start; index < end; index++) {
    const cached = pageCacheLookup(m, file, index);
    if (cached === 0) continue;
    const head = folioHead(m, cached);
    if (!folioHas(m, head, FOLIO.DIRTY) || folioHas(m, head, FOLIO.LOCKED)) continue;
    clearFrameFlags(m, head, FOLIO.DIRTY);
    yield* cleanEntries(m, file, head);
    yield spend(m.costs.swapOut * folioPages(m, head));
  }
}

/** Write-protects the entries that map a folio (`folio_mkclean`). */
function* cleanEntries(m: Machine, file: FileId, head: Pfn): Procedure<void> {
  if (folioMapcount(m, head) === 0) return;
  yield* fileMapReadLock(m, file);
  for (const [table, places] of placesByTable(mappedPlaces(m, head))) {
    const mm = m.vma.mm[places[0].vma] as MmId;
    if (!(yield* pteOffsetMapLock(m, mm, table, places[0].page))) continue;
    for (const place of places) {
      const bit = pteBit(m, table, place.slot);
      clearBit(m.pte.dirty, bit);
      clearBit(m.pte.write, bit);
    }
    yield release(m.locks.pteLock.ref(table));
  }
  yield* fileMapReadUnlock(m, file);
}

/** Takes all pages of a file out of the page cache (`truncate_inode_pages`). Who still holds one keeps the memory only. */
export function truncatePages(m: Machine, file: FileId): void {
  // A huge folio may reach beyond the end of the file.
  const end = Math.ceil(m.file.pages[file] / m.ptes) * m.ptes;
  for (let index = 0; m.file.cached[file] + m.file.swapped[file] > 0 && index < end; index++) {
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
