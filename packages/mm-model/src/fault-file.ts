/**
 * Faults on file and shmem memory (`do_fault`): the page cache's page is mapped, or, for a write to a private mapping,
 * copied to anonymous memory. Pages come in as base pages, without read-ahead; the content is the stamp of the page.
 */
import { type Procedure, release, spend } from '@thplab/sync';
import { anonVmaPrepare } from './anon-vma.js';
import type { FileId, MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { FAULT, type FaultResult } from './fault-result.js';
import { FOLIO, VM, VMA_KIND } from './flags.js';
import { addPteMap, folioHead, linearIndex, setFolioMapping, setFrameFlags } from './folio.js';
import { folioGet, folioPut } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { folioAddLru } from './lru.js';
import { countVmEvent, type Machine, nextStamp } from './machine.js';
import { allocFolio, clearFolio, GFP } from './page-alloc.js';
import { pageCacheAdd, pageCacheLookup } from './page-cache.js';
import { isPteNone, PTE_DIRTY, PTE_WRITE, PTE_YOUNG, setPtePage, slotOf } from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { addNewAnonRmap } from './rmap-change.js';
import { rssColumn } from './zap.js';

/** Handles a fault on a none PTE of a VMA that maps a file, shmem or device. FAULT.retry: the table is gone. */
export function* doFilePage(m: Machine, vma: VmaId, table: TableId, page: Vpn, write: boolean): Procedure<FaultResult> {
  if (m.vma.kind[vma] === VMA_KIND.special) return FAULT.sigbus;
  const index = linearIndex(m, vma, page);
  const file = m.vma.file[vma] as FileId;
  if (index >= m.file.pages[file]) return FAULT.sigbus;
  if (waitsForUserfault(m, vma, pageCacheLookup(m, file, index) !== 0)) return FAULT.userfault;
  const cached = yield* readPage(m, file, index);
  if (cached === 0) return FAULT.oom;
  const shared = (m.vma.flags[vma] & VM.SHARED) !== 0;
  if (write && !shared) return yield* copyToAnon(m, vma, table, page);
  const lock = m.locks.pteLock.ref(table);
  if (!(yield* pteOffsetMapLock(m, m.vma.mm[vma] as MmId, table, page))) return FAULT.retry;
  if (isPteNone(m, table, slotOf(m, page))) mapFilePage(m, vma, table, slotOf(m, page), cached, write);
  yield release(lock);
  return FAULT.ok;
}

/** userfaultfd is told of pages that nobody has (missing), or that are there but not mapped (minor). */
function waitsForUserfault(m: Machine, vma: VmaId, cached: boolean): boolean {
  return (m.vma.flags[vma] & (cached ? VM.UFFD_MINOR : VM.UFFD_MISSING)) !== 0;
}

function mapFilePage(m: Machine, vma: VmaId, table: TableId, slot: number, pfn: Pfn, write: boolean): void {
  const mm = m.vma.mm[vma] as MmId;
  const head = folioHead(m, pfn);
  folioGet(m, head);
  addPteMap(m, pfn, mm);
  updateMirrors(m, head);
  setPtePage(m, table, slot, pfn, PTE_YOUNG | (write ? PTE_WRITE | PTE_DIRTY : 0));
  rssColumn(m, head)[mm]++;
  if (!write) return;
  setFrameFlags(m, head, FOLIO.DIRTY);
  m.frame.stamp[pfn] = nextStamp(m);
}

/** The page of the file in memory, read in if it is not; 0 if there is no memory. */
function* readPage(m: Machine, file: FileId, index: number): Procedure<Pfn | 0> {
  const cached = pageCacheLookup(m, file, index);
  if (cached !== 0) return cached;
  const fresh = yield* allocFolio(m, 0, GFP.movable, 0);
  if (fresh === 0) return 0;
  clearFolio(m, fresh, 1);
  yield spend(m.costs.zeroPage);
  const raced = pageCacheLookup(m, file, index);
  if (raced !== 0) {
    folioPut(m, fresh);
    return raced;
  }
  addFolioToPageCache(m, file, index, fresh);
  folioAddLru(m, fresh);
  return fresh;
}

/** Makes a fresh base page the page `index` of the file; its one reference becomes the page cache's. */
export function addFolioToPageCache(m: Machine, file: FileId, index: number, pfn: Pfn): void {
  const shmem = m.file.shmem[file] !== 0;
  setFrameFlags(m, pfn, FOLIO.UPTODATE | (shmem ? FOLIO.SHMEM | FOLIO.SWAPBACKED : 0));
  setFolioMapping(m, pfn, file, index);
  pageCacheAdd(m, file, index, pfn);
  m.file.cached[file]++;
  countVmEvent(m, 'nr_file_pages');
  if (shmem) countVmEvent(m, 'nr_shmem');
}

/** A private copy of a file's page (`do_cow_fault`). */
function* copyToAnon(m: Machine, vma: VmaId, table: TableId, page: Vpn): Procedure<FaultResult> {
  yield* anonVmaPrepare(m, vma);
  const fresh = yield* allocFolio(m, 0, GFP.movable, 0);
  if (fresh === 0) return FAULT.oom;
  yield spend(m.costs.copyPage);
  const slot = slotOf(m, page);
  const lock = m.locks.pteLock.ref(table);
  if (!(yield* pteOffsetMapLock(m, m.vma.mm[vma] as MmId, table, page))) {
    folioPut(m, fresh);
    return FAULT.retry;
  }
  if (!isPteNone(m, table, slot)) {
    yield release(lock);
    folioPut(m, fresh);
    return FAULT.ok;
  }
  // The copy's content is the write that caused it: a stamp stands for a whole page.
  addNewAnonRmap(m, fresh, vma, page);
  folioAddLru(m, fresh);
  setPtePage(m, table, slot, fresh, PTE_WRITE | PTE_DIRTY | PTE_YOUNG);
  m.mm.rssAnon[m.vma.mm[vma]]++;
  m.frame.stamp[fresh] = nextStamp(m);
  yield release(lock);
  return FAULT.ok;
}
