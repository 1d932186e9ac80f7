/**
 * Page faults: finding and locking the VMA, and sending the fault to the handler of what is there
 * (`handle_mm_fault`). Handlers lie in fault-anon.ts, fault-huge.ts, fault-cow.ts, fault-file.ts and swap-in.ts.
 */
import { clearBit, getBit, setBit } from '@thplab/arena';
import { acquire, type Procedure, preempt, release, spend } from '@thplab/sync';
import type { MmId, TableId, VmaId, Vpn } from './brands.js';
import { doAnonymousPage } from './fault-anon.js';
import { doWpPage } from './fault-cow.js';
import { doFilePage, doFilePmd } from './fault-file.js';
import { doHugePmdAnonymousPage, doHugePmdWpPage } from './fault-huge.js';
import { FAULT, type FaultResult } from './fault-result.js';
import { ENTRY_KIND, entryKind, makeEntry, NO_FRAME, VM, VM_UFFD, VMA_KIND } from './flags.js';
import { LOCKLESS, lockless } from './lockless.js';
import { countVmEvent, type Machine, nextStamp } from './machine.js';
import {
  allocPmd,
  clearPte,
  directoryOf,
  flushPtes,
  isPteNone,
  makePmdTable,
  newTable,
  PMD,
  PMD_DIRTY,
  PMD_UFFD_WP,
  PMD_WRITE,
  PMD_YOUNG,
  type PmdRef,
  PTE_UFFD_WP,
  PTE_YOUNG,
  pmdPfn,
  pmdTable,
  pmdType,
  pteBit,
  pteCell,
  setPmd,
  setPteEntry,
  setPteZero,
  slotOf,
} from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { doSwapPage } from './swap-in.js';
import { splitHugePmdOf } from './vma/adjust.js';
import { vmaIsWpArmed } from './vma/vma-rows.js';
import { mmapReadLock, mmapReadUnlock, vmaEndRead, vmaStartRead } from './vma-locks.js';
import { vmaAt } from './vma-tree.js';

/** How a page is touched. */
export interface FaultAccess {
  readonly write: boolean;
}

/**
 * Touches a page of an address space. If the entry allows the access this only sets its accessed bit, and for a write its
 * dirty bit and the page's content; otherwise it takes the fault. Gives FAULT.ok, or why the access failed. No lock is held at
 * entry and exit.
 */
export function* handleMmFault(m: Machine, mm: MmId, page: Vpn, access: FaultAccess): Procedure<FaultResult> {
  countVmEvent(m, 'pgfault');
  for (;;) {
    yield spend(m.costs.faultBase);
    const vma = yield* lockVmaForFault(m, mm, page, access.write);
    const result =
      vma !== 0 ? yield* faultInLockedVma(m, vma, page, access) : yield* faultUnderMmapLock(m, mm, page, access);
    if (result !== FAULT.retry) return result;
    yield preempt();
  }
}

/** The VMA of the page, read-locked by itself; 0 if it must be looked up under mmap_lock. */
function* lockVmaForFault(m: Machine, mm: MmId, page: Vpn, write: boolean): Procedure<VmaId | 0> {
  const vma = yield* vmaStartRead(m, mm, page);
  if (vma === 0) return 0;
  // The first anonymous page makes the anon_vma, for which mmap_lock is needed; userfaultfd needs it too.
  const makesAnonVma = m.vma.anonVma[vma] === 0 && (write || m.vma.kind[vma] === VMA_KIND.anon);
  if (!makesAnonVma && (m.vma.flags[vma] & VM_UFFD) === 0) return vma;
  yield* vmaEndRead(m, vma);
  return 0;
}

function* faultInLockedVma(m: Machine, vma: VmaId, page: Vpn, access: FaultAccess): Procedure<FaultResult> {
  const result = yield* faultInVma(m, vma, page, access);
  yield* vmaEndRead(m, vma);
  return result;
}

function* faultUnderMmapLock(m: Machine, mm: MmId, page: Vpn, access: FaultAccess): Procedure<FaultResult> {
  yield* mmapReadLock(m, mm);
  const vma = vmaAt(m, mm, page);
  const result = vma === 0 ? FAULT.sigsegv : yield* faultInVma(m, vma, page, access);
  yield* mmapReadUnlock(m, mm);
  return result;
}

/** The fault with the VMA locked one way or the other, which it still is at the end; FAULT.retry asks to start over. */
export function* faultInVma(m: Machine, vma: VmaId, page: Vpn, access: FaultAccess): Procedure<FaultResult> {
  const flags = m.vma.flags[vma];
  if ((flags & (access.write ? VM.WRITE : VM.READ)) === 0) return FAULT.sigsegv;
  const mm = m.vma.mm[vma] as MmId;
  const pmd = allocPmd(m, mm, page);
  const type = pmdType(m.directory.entry[pmd]);
  if (type === PMD.none) {
    const anon = m.vma.kind[vma] === VMA_KIND.anon;
    const handler = anon ? doHugePmdAnonymousPage : doFilePmd;
    const huge = yield* handler(m, vma, pmd, page, access.write);
    if (huge !== FAULT.fallback) return huge;
  } else if (type === PMD.huge) {
    const huge = yield* touchHugePmd(m, vma, pmd, page, access.write);
    if (huge !== FAULT.fallback) return huge;
  }
  const table = yield* pteAlloc(m, mm, pmd, page);
  return table === 0 ? FAULT.ok : yield* handlePteFault(m, vma, table, page, access.write);
}

function* touchHugePmd(m: Machine, vma: VmaId, pmd: PmdRef, page: Vpn, write: boolean): Procedure<FaultResult> {
  const entry = m.directory.entry[pmd];
  if (write && (entry & PMD_UFFD_WP) !== 0 && vmaIsWpArmed(m, vma)) return FAULT.userfault;
  if (write && (entry & PMD_WRITE) === 0) {
    if (m.vma.kind[vma] === VMA_KIND.anon) return yield* doHugePmdWpPage(m, vma, pmd, page);
    // A file's copy-on-write and its notice of writes happen to single pages: the huge PMD goes, and the fault comes again.
    yield* splitHugePmdOf(m, vma, page);
    return FAULT.retry;
  }
  // The processor's own part of the access; it would have done it without a fault.
  const { directory } = lockless(m, LOCKLESS.processor);
  directory.entry[pmd] = (entry | PMD_YOUNG | (write ? PMD_DIRTY : 0)) >>> 0;
  if (write) m.frame.stamp[pmdPfn(m, entry) + slotOf(m, page)] = nextStamp(m);
  return FAULT.ok;
}

/** The PTE table under a PMD, made if there is none (`pte_alloc`); 0 if the PMD became huge meanwhile. */
export function* pteAlloc(m: Machine, mm: MmId, pmd: PmdRef, page: Vpn): Procedure<TableId | 0> {
  const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  const seen = m.directory.entry[pmd];
  if (pmdType(seen) === PMD.table) return pmdTable(seen);
  yield acquire(lock);
  if (pmdType(m.directory.entry[pmd]) === PMD.none) {
    setPmd(m, pmd, makePmdTable(newTable(m, mm, page)));
  }
  const entry = m.directory.entry[pmd];
  yield release(lock);
  return pmdType(entry) === PMD.table ? pmdTable(entry) : 0;
}

function* handlePteFault(m: Machine, vma: VmaId, table: TableId, page: Vpn, write: boolean): Procedure<FaultResult> {
  const slot = slotOf(m, page);
  const bit = pteBit(m, table, slot);
  if (getBit(m.pte.nonPresent, bit)) return yield* entryFault(m, vma, table, page, write);
  if (!getBit(m.pte.present, bit)) {
    return m.vma.kind[vma] === VMA_KIND.anon
      ? yield* doAnonymousPage(m, vma, table, page, write)
      : yield* doFilePage(m, vma, table, page, write);
  }
  if (write && getBit(m.pte.uffdWp, bit) && vmaIsWpArmed(m, vma)) return FAULT.userfault;
  if (write && !getBit(m.pte.write, bit)) return yield* doWpPage(m, vma, table, page);
  setBit(m.pte.young, bit);
  if (!write) return FAULT.ok;
  setBit(m.pte.dirty, bit);
  const pfn = m.pte.pfn[pteCell(m, table, slot)];
  if (pfn !== NO_FRAME) m.frame.stamp[pfn] = nextStamp(m);
  return FAULT.ok;
}

/** A fault on a swap-type entry (khugepaged spec 2.1). */
function* entryFault(m: Machine, vma: VmaId, table: TableId, page: Vpn, write: boolean): Procedure<FaultResult> {
  const slot = slotOf(m, page);
  switch (entryKind(m.pte.pfn[pteCell(m, table, slot)])) {
    case ENTRY_KIND.swap:
      return yield* doSwapPage(m, vma, table, page, write);
    case ENTRY_KIND.markerUffdWp:
      return write ? FAULT.userfault : yield* readMarkedPage(m, vma, table, page);
    case ENTRY_KIND.markerGuard:
      return FAULT.sigsegv;
    case ENTRY_KIND.markerPoison:
    case ENTRY_KIND.hwpoison:
      return FAULT.sigbus;
    default:
      return FAULT.retry;
  }
}

/**
 * A read of a page that was write-protected by userfaultfd while nothing was mapped there: the protection passes on to
 * what is mapped now (`pte_marker_handle_uffd_wp`).
 */
function* readMarkedPage(m: Machine, vma: VmaId, table: TableId, page: Vpn): Procedure<FaultResult> {
  if ((m.vma.flags[vma] & VM.UFFD_MISSING) !== 0) return FAULT.userfault;
  const slot = slotOf(m, page);
  const lock = m.locks.pteLock.ref(table);
  const mm = m.vma.mm[vma] as MmId;
  const anon = m.vma.kind[vma] === VMA_KIND.anon;
  if (!(yield* pteOffsetMapLock(m, mm, table, page))) return FAULT.retry;
  const marked = getBit(m.pte.nonPresent, pteBit(m, table, slot)) && isUffdWpMarker(m, table, slot);
  if (marked) clearPte(m, table, slot);
  if (marked && anon) setPteZero(m, table, slot, PTE_YOUNG | PTE_UFFD_WP);
  yield release(lock);
  if (!marked || anon) return FAULT.ok;
  const result = yield* doFilePage(m, vma, table, page, false);
  if (!(yield* pteOffsetMapLock(m, mm, table, page))) return FAULT.retry;
  if (getBit(m.pte.present, pteBit(m, table, slot))) {
    setBit(m.pte.uffdWp, pteBit(m, table, slot));
    clearBit(m.pte.write, pteBit(m, table, slot));
    flushPtes(m, table, slot, slot + 1);
  } else if (isPteNone(m, table, slot)) setPteEntry(m, table, slot, makeEntry(ENTRY_KIND.markerUffdWp), true);
  yield release(lock);
  return result;
}

function isUffdWpMarker(m: Machine, table: TableId, slot: number): boolean {
  return entryKind(m.pte.pfn[pteCell(m, table, slot)]) === ENTRY_KIND.markerUffdWp;
}
