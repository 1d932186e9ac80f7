/**
 * Finding a file's page: locked, brought in if need be, written back. Who maps a page, or replaces it, has its folio locked.
 * Pages are added under the lock of the file's page cache (i_pages), so that a page that is not there stays away while that
 * is held.
 */
import { clearBit } from '@thplab/arena';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { FileId, MmId, Pfn } from './brands.js';
import { fileMapReadLock, fileMapReadUnlock } from './file-map.js';
import { FOLIO } from './flags.js';
import { clearFrameFlags, folioHas, folioHead, folioMapcount, folioPages } from './folio.js';
import { folioTrylock, waitOnFolioLock } from './folio-hold.js';
import { folioGet, folioPut } from './folio-lifetime.js';
import { folioAddLru } from './lru.js';
import { countVmEvent, type Machine } from './machine.js';
import { chargeSwappedIn } from './memcg.js';
import { allocFolio, clearFolio, GFP } from './page-alloc.js';
import { pageCacheLookup, pageCacheSwapSlot } from './page-cache.js';
import { addFolioToPageCache } from './page-cache-contents.js';
import { pteBit } from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { mappedPlaces, placesByTable } from './rmap-places.js';
import { swapFree } from './swap-slots.js';

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
 * As `lockCachedPage`, and brings the page in for `mm` if it is not there: from swap, or as a page of zeroes, the model's
 * form of reading a file. 0: there is no memory.
 */
export function* getFilePage(m: Machine, file: FileId, index: number, mm: MmId): Procedure<Pfn | 0> {
  for (;;) {
    const cached = yield* lockCachedPage(m, file, index);
    if (cached !== 0) return cached;
    const fresh = yield* allocFolio(m, 0, GFP.movable, 0);
    if (fresh === 0) return 0;
    clearFolio(m, fresh, 1);
    const slot = pageCacheSwapSlot(m, file, index);
    chargeSwappedIn(m, fresh, slot, mm);
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
