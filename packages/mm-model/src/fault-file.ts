/**
 * Faults on file and shmem memory (`do_fault`): the page cache's page is mapped, or, for a write to a private mapping,
 * copied to anonymous memory. Pages come in as base pages, without read-ahead; the content is the stamp of the page. A huge
 * folio, which only a collapse makes, is mapped by a PMD where it fits.
 */
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import { anonVmaPrepare } from './anon-vma.js';
import type { FileId, MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { vmaSuitableOrder, vmaThpDisabled } from './eligibility.js';
import { FAULT, type FaultResult } from './fault-result.js';
import { getFilePage, lockCachedPage } from './file-pages.js';
import { FOLIO, VM, VMA_KIND } from './flags.js';
import { addPteMap, folioHas, folioHead, folioOrder, linearIndex, setFrameFlags } from './folio.js';
import { folioDrop, folioUnlock } from './folio-hold.js';
import { folioGet, folioPut } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { setHugePmd } from './huge-pmd.js';
import { folioAddLru } from './lru.js';
import { countVmEvent, type Machine, nextStamp } from './machine.js';
import { allocFolio, GFP } from './page-alloc.js';
import { pageCacheLookup } from './page-cache.js';
import {
  directoryOf,
  isPteNone,
  PMD,
  PMD_DIRTY,
  PMD_WRITE,
  PMD_YOUNG,
  type PmdRef,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  setPtePage,
  slotOf,
} from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { addFilePmdRmap, addNewAnonRmap, rssColumn } from './rmap-change.js';

/** Handles a fault on a none PTE of a VMA that maps a file, shmem or device. FAULT.retry: the table is gone. */
export function* doFilePage(m: Machine, vma: VmaId, table: TableId, page: Vpn, write: boolean): Procedure<FaultResult> {
  if (m.vma.kind[vma] === VMA_KIND.special) return FAULT.sigbus;
  const index = linearIndex(m, vma, page);
  const file = m.vma.file[vma] as FileId;
  if (index >= m.file.pages[file]) return FAULT.sigbus;
  if (waitsForUserfault(m, vma, pageCacheLookup(m, file, index) !== 0)) return FAULT.userfault;
  const cached = yield* getFilePage(m, file, index, m.vma.mm[vma] as MmId);
  if (cached === 0) return FAULT.oom;
  const copies = write && (m.vma.flags[vma] & VM.SHARED) === 0;
  const result = copies ? FAULT.ok : yield* mapLockedPage(m, vma, table, page, cached, write);
  const head = folioHead(m, cached);
  folioUnlock(m, head);
  folioDrop(m, head);
  return copies ? yield* copyToAnon(m, vma, table, page) : result;
}

/** Maps a page whose folio is locked (`finish_fault`). */
function* mapLockedPage(
  m: Machine,
  vma: VmaId,
  table: TableId,
  page: Vpn,
  pfn: Pfn,
  write: boolean,
): Procedure<FaultResult> {
  const lock = m.locks.pteLock.ref(table);
  if (!(yield* pteOffsetMapLock(m, m.vma.mm[vma] as MmId, table, page))) return FAULT.retry;
  if (isPteNone(m, table, slotOf(m, page))) mapFilePage(m, vma, table, slotOf(m, page), pfn, write);
  yield release(lock);
  return FAULT.ok;
}

/**
 * Handles a fault on an empty PMD of a VMA that maps a file or shmem: maps the page cache's huge folio, if it has one there
 * (`filemap_map_pmd`, `finish_fault`). FAULT.fallback: there is none, or this access wants a page of its own.
 */
export function* doFilePmd(m: Machine, vma: VmaId, pmd: PmdRef, page: Vpn, write: boolean): Procedure<FaultResult> {
  const kind = m.vma.kind[vma];
  const file = m.vma.file[vma] as FileId;
  const index = linearIndex(m, vma, page);
  if ((kind !== VMA_KIND.shmem && kind !== VMA_KIND.file) || index >= m.file.pages[file]) return FAULT.fallback;
  if (write && (m.vma.flags[vma] & VM.SHARED) === 0) return FAULT.fallback;
  const seen = pageCacheLookup(m, file, index);
  if (seen === 0 || folioOrder(m, seen) !== m.pmdOrder || waitsForUserfault(m, vma, true)) return FAULT.fallback;
  const cached = yield* lockCachedPage(m, file, index);
  if (cached === 0) return FAULT.retry;
  const head = folioHead(m, cached);
  const result = yield* doSetPmd(m, vma, pmd, page, head, write);
  folioUnlock(m, head);
  folioDrop(m, head);
  return result;
}

/**
 * Maps a huge folio of the page cache by a PMD that is empty (`do_set_pmd`); FAULT.fallback if that is not possible: huge
 * pages are off for the process or the VMA, the range does not fit, or the PMD has an entry. The folio is locked by the
 * caller. MADV_COLLAPSE and khugepaged pass `write` false.
 */
export function* doSetPmd(
  m: Machine,
  vma: VmaId,
  pmd: PmdRef,
  page: Vpn,
  head: Pfn,
  write: boolean,
): Procedure<FaultResult> {
  if (vmaThpDisabled(m, vma, true) || !vmaSuitableOrder(m, vma, page, m.pmdOrder)) return FAULT.fallback;
  if (folioOrder(m, head) !== m.pmdOrder) return FAULT.fallback;
  const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(lock);
  const empty = m.directory.entry[pmd] === PMD.none;
  if (empty) mapFilePmd(m, vma, pmd, page, head, write);
  yield release(lock);
  return empty ? FAULT.ok : FAULT.fallback;
}

function mapFilePmd(m: Machine, vma: VmaId, pmd: PmdRef, page: Vpn, head: Pfn, write: boolean): void {
  const mm = m.vma.mm[vma] as MmId;
  const flags = m.vma.flags[vma];
  folioGet(m, head);
  addFilePmdRmap(m, head, mm);
  updateMirrors(m, head);
  rssColumn(m, head)[mm] += m.ptes;
  // Shared memory need not hear of writes; a file does (`vma_wants_writenotify`).
  const writable = write || (flags & (VM.SHARED | VM.WRITE)) === (VM.SHARED | VM.WRITE);
  const mayWrite = writable && (write || folioHas(m, head, FOLIO.SHMEM));
  setHugePmd(m, pmd, head, PMD_YOUNG | (mayWrite ? PMD_WRITE : 0) | (write ? PMD_DIRTY : 0), 0 as TableId);
  countVmEvent(m, 'thp_file_mapped');
  if (!write) return;
  setFrameFlags(m, head, FOLIO.DIRTY);
  m.frame.stamp[head + slotOf(m, page)] = nextStamp(m);
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
