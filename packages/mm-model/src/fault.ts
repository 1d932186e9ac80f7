/**
 * Page faults: finding and locking the VMA, and sending the fault to the handler of what is there
 * (`handle_mm_fault`). Handlers lie in fault-anon.ts, fault-huge.ts, fault-cow.ts, fault-file.ts and swap-in.ts.
 */
import { clearBit, getBit, setBit } from '@thplab/arena';
import { acquire, type Procedure, READ, release, spend, tryAcquire } from '@thplab/sync';
import type { MmId, TableId, VmaId, Vpn } from './brands.js';
import { doAnonymousPage } from './fault-anon.js';
import { doWpPage } from './fault-cow.js';
import { doFilePage } from './fault-file.js';
import { doHugePmdAnonymousPage, doHugePmdWpPage } from './fault-huge.js';
import { FAULT, type FaultResult } from './fault-result.js';
import { ENTRY_KIND, entryKind, VM, VM_UFFD, VMA_KIND } from './flags.js';
import { countVmEvent, type Machine } from './machine.js';
import {
  allocPmd,
  directoryOf,
  makePmdTable,
  newTable,
  PMD,
  PMD_DIRTY,
  PMD_WRITE,
  PMD_YOUNG,
  type PmdRef,
  pmdTable,
  pmdType,
  pteBit,
  pteCell,
  slotOf,
} from './page-table.js';
import { doSwapPage } from './swap-in.js';
import { vmaAt } from './vma-tree.js';

/** How a page is touched. */
export interface FaultAccess {
  readonly write: boolean;
}

/**
 * Touches a page of an address space. Does nothing but set the accessed (and dirty) bit if the entry allows the access;
 * otherwise takes the fault. Gives FAULT.ok, or why the access failed.
 */
export function* handleMmFault(m: Machine, mm: MmId, page: Vpn, access: FaultAccess): Procedure<FaultResult> {
  yield spend(m.costs.faultBase);
  countVmEvent(m, 'pgfault');
  for (;;) {
    const locked = yield* lockVmaForFault(m, mm, page);
    if (locked.vma === 0) return FAULT.sigsegv;
    const result = yield* faultInVma(m, locked.vma, page, access);
    // A handler that had to drop the lock says so by `retry`, and holds nothing.
    if (result === FAULT.retry) continue;
    if (locked.perVma) yield release(m.locks.vmaLock.ref(locked.vma), READ);
    else yield release(m.locks.mmapLock.ref(mm), READ);
    if (result === FAULT.needMmapLock) {
      const again = yield* faultUnderMmapLock(m, mm, page, access);
      if (again !== FAULT.retry) return again;
      continue;
    }
    return result;
  }
}

/** The VMA of the page, read-locked by itself, or under mmap_lock if that is not possible. `vma` 0: none, nothing held. */
function* lockVmaForFault(m: Machine, mm: MmId, page: Vpn): Procedure<{ vma: VmaId | 0; perVma: boolean }> {
  const vma = vmaAt(m, mm, page);
  if (vma !== 0 && (yield* lockVmaUnderRcu(m, mm, vma, page))) return { vma, perVma: true };
  yield acquire(m.locks.mmapLock.ref(mm), READ);
  const found = vmaAt(m, mm, page);
  if (found === 0) yield release(m.locks.mmapLock.ref(mm), READ);
  return { vma: found, perVma: false };
}

/** Per-VMA lock of the fault path (`lock_vma_under_rcu`): only tried, and given up if the VMA changed meanwhile. */
function* lockVmaUnderRcu(m: Machine, mm: MmId, vma: VmaId, page: Vpn): Procedure<boolean> {
  // The first fault of an anonymous VMA makes its anon_vma, for which mmap_lock is needed; userfaultfd too.
  if (m.vma.kind[vma] === VMA_KIND.anon && m.vma.anonVma[vma] === 0) return false;
  if (((m.vma.flags[vma] as number) & VM_UFFD) !== 0) return false;
  if (isVmaWriteLocked(m, vma)) return false;
  if ((yield tryAcquire(m.locks.vmaLock.ref(vma), READ)) === 0) return false;
  const stillGood =
    m.vma.mm[vma] === mm && !isVmaWriteLocked(m, vma) && (m.vma.start[vma] as number) <= page && page < (m.vma.end[vma] as number);
  if (!stillGood) yield release(m.locks.vmaLock.ref(vma), READ);
  return stillGood;
}

/** True while somebody who holds mmap_lock for writing has marked the VMA (`vma_start_write`). */
function isVmaWriteLocked(m: Machine, vma: VmaId): boolean {
  const mm = m.vma.mm[vma] as number;
  return m.vma.lockSeq[vma] === (m.mm.lockSeq[mm] as number) + 1;
}

function* faultUnderMmapLock(m: Machine, mm: MmId, page: Vpn, access: FaultAccess): Procedure<FaultResult> {
  yield acquire(m.locks.mmapLock.ref(mm), READ);
  const vma = vmaAt(m, mm, page);
  const result = vma === 0 ? FAULT.sigsegv : yield* faultInVma(m, vma, page, access);
  if (result !== FAULT.retry) yield release(m.locks.mmapLock.ref(mm), READ);
  return result;
}

/** The fault with the VMA locked one way or the other. */
export function* faultInVma(m: Machine, vma: VmaId, page: Vpn, access: FaultAccess): Procedure<FaultResult> {
  const flags = m.vma.flags[vma] as number;
  if ((flags & (access.write ? VM.WRITE : VM.READ)) === 0) return FAULT.sigsegv;
  const mm = m.vma.mm[vma] as MmId;
  const pmd = allocPmd(m, mm, page);
  const type = pmdType(m.directory.entry[pmd] as number);
  if (type === PMD.none) {
    const huge = yield* doHugePmdAnonymousPage(m, vma, pmd, page, access.write);
    if (huge !== FAULT.fallback) return huge;
  } else if (type === PMD.huge) {
    const huge = yield* touchHugePmd(m, vma, pmd, page, access.write);
    if (huge !== FAULT.fallback) return huge;
  }
  const table = yield* pteAlloc(m, mm, pmd, page);
  return table === 0 ? FAULT.ok : yield* handlePteFault(m, vma, table, page, access.write);
}

function* touchHugePmd(m: Machine, vma: VmaId, pmd: PmdRef, page: Vpn, write: boolean): Procedure<FaultResult> {
  const entry = m.directory.entry[pmd] as number;
  if (write && (entry & PMD_WRITE) === 0) return yield* doHugePmdWpPage(m, vma, pmd, page);
  m.directory.entry[pmd] = (entry | PMD_YOUNG | (write ? PMD_DIRTY : 0)) >>> 0;
  return FAULT.ok;
}

/** The PTE table under a PMD, made if there is none (`pte_alloc`); 0 if the PMD became huge meanwhile. */
export function* pteAlloc(m: Machine, mm: MmId, pmd: PmdRef, page: Vpn): Procedure<TableId | 0> {
  const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  const seen = m.directory.entry[pmd] as number;
  if (pmdType(seen) === PMD.table) return pmdTable(seen);
  yield acquire(lock);
  if (pmdType(m.directory.entry[pmd] as number) === PMD.none) {
    m.directory.entry[pmd] = makePmdTable(newTable(m, mm, page));
  }
  const entry = m.directory.entry[pmd] as number;
  yield release(lock);
  return pmdType(entry) === PMD.table ? pmdTable(entry) : 0;
}

function* handlePteFault(m: Machine, vma: VmaId, table: TableId, page: Vpn, write: boolean): Procedure<FaultResult> {
  const slot = slotOf(m, page);
  const bit = pteBit(m, table, slot);
  if (getBit(m.pte.nonPresent, bit)) return yield* entryFault(m, vma, table, page, write);
  if (!getBit(m.pte.present, bit)) {
    return (m.vma.kind[vma] as number) === VMA_KIND.anon
      ? yield* doAnonymousPage(m, vma, table, page, write)
      : yield* doFilePage(m, vma, table, page, write);
  }
  if (write && getBit(m.pte.uffdWp, bit)) return FAULT.userfault;
  if (write && !getBit(m.pte.write, bit)) return yield* doWpPage(m, vma, table, page);
  setBit(m.pte.young, bit);
  if (write) setBit(m.pte.dirty, bit);
  return FAULT.ok;
}

/** A fault on a swap-type entry (khugepaged spec 2.1). */
function* entryFault(m: Machine, vma: VmaId, table: TableId, page: Vpn, write: boolean): Procedure<FaultResult> {
  const slot = slotOf(m, page);
  switch (entryKind(m.pte.pfn[pteCell(m, table, slot)] as number)) {
    case ENTRY_KIND.swap:
      return yield* doSwapPage(m, vma, table, page, write);
    case ENTRY_KIND.markerUffdWp:
      if (write) return FAULT.userfault;
      clearBit(m.pte.nonPresent, pteBit(m, table, slot));
      return yield* doAnonymousPage(m, vma, table, page, write);
    case ENTRY_KIND.markerGuard:
      return FAULT.sigsegv;
    case ENTRY_KIND.markerPoison:
    case ENTRY_KIND.hwpoison:
      return FAULT.sigbus;
    default:
      return FAULT.retry;
  }
}
