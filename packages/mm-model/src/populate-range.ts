/**
 * Touching a range through page faults, on behalf of the process: MAP_POPULATE, mlock, MADV_POPULATE_READ and _WRITE.
 */
import { asBrand, getBit, setBit } from '@thplab/arena';
import { type Procedure, preempt } from '@thplab/sync';
import type { MmId, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { handleMmFault } from './fault.js';
import { FAULT, type FaultResult } from './fault-result.js';
import { VM } from './flags.js';
import type { Machine } from './machine.js';
import { findPmd, NO_PMD, PMD, PMD_WRITE, pmdTable, pmdType, pteBit, slotOf } from './page-table.js';
import { mmapReadLock, mmapReadUnlock } from './vma-locks.js';
import { vmaAt, vmaIntersecting } from './vma-tree.js';

/**
 * Touches all pages that are mapped to a VMA in the range, writing where the VMA is private and writable
 * (`__mm_populate`). Holes are passed over; memory without any rights is -EFAULT. Gives 0, or the errno of the first page
 * that could not be had. No lock is held at entry and exit.
 */
export function* mmPopulate(m: Machine, mm: MmId, start: number, end: number): Procedure<number> {
  for (let at = start; at < end; ) {
    yield* mmapReadLock(m, mm);
    const vma = vmaIntersecting(m, mm, at, end);
    const from = vma === 0 ? end : Math.max(at, m.vma.start[vma]);
    const to = vma === 0 ? end : Math.min(end, m.vma.end[vma]);
    const flags = vma === 0 ? 0 : m.vma.flags[vma];
    yield* mmapReadUnlock(m, mm);
    at = to;
    if (vma === 0 || (flags & (VM.IO | VM.PFNMAP)) !== 0) continue;
    if ((flags & (VM.READ | VM.WRITE | VM.EXEC)) === 0) return -ERRNO.EFAULT;
    const write = (flags & (VM.WRITE | VM.SHARED)) === VM.WRITE;
    const failed = yield* faultInPages(m, mm, from, to, write);
    if (failed !== 0) return failed;
  }
  return 0;
}

/**
 * MADV_POPULATE_READ and MADV_POPULATE_WRITE (`faultin_page_range`). Gives 0; -ENOMEM for a hole or without memory;
 * -EINVAL for a VMA that does not permit the access; -EFAULT for a page that gives a signal. What came before stays.
 */
export function* madvisePopulate(m: Machine, mm: MmId, start: number, end: number, write: boolean): Procedure<number> {
  for (let at = start; at < end; ) {
    yield* mmapReadLock(m, mm);
    const vma = vmaAt(m, mm, at);
    const to = vma === 0 ? at : Math.min(end, m.vma.end[vma]);
    const flags = vma === 0 ? 0 : m.vma.flags[vma];
    yield* mmapReadUnlock(m, mm);
    if (vma === 0) return -ERRNO.ENOMEM;
    if ((flags & (VM.IO | VM.PFNMAP)) !== 0 || (flags & (write ? VM.WRITE : VM.READ)) === 0) return -ERRNO.EINVAL;
    const failed = yield* faultInPages(m, mm, at, to, write);
    if (failed !== 0) return failed;
    at = to;
  }
  return 0;
}

/** Faults in the pages of one VMA that are not mapped for the access yet. */
function* faultInPages(m: Machine, mm: MmId, start: number, end: number, write: boolean): Procedure<number> {
  for (let at = start; at < end; ) {
    // As `follow_page_mask`: mmap_lock keeps the tables while they are looked at.
    yield* mmapReadLock(m, mm);
    const ready = readyUntil(m, mm, at, end, write);
    yield* mmapReadUnlock(m, mm);
    if (ready > at) {
      at = ready;
      continue;
    }
    const result = yield* handleMmFault(m, mm, asBrand<Vpn>(at), { write });
    if (result !== FAULT.ok) return faultErrno(result);
    at++;
    if (at % m.ptes === 0) yield preempt();
  }
  return 0;
}

/**
 * First page from `at` on that needs a fault, at most the end of its PMD range; those before it become young. mmap_lock is
 * held.
 */
function readyUntil(m: Machine, mm: MmId, at: number, end: number, write: boolean): number {
  const pmd = findPmd(m, mm, asBrand<Vpn>(at));
  if (pmd === NO_PMD) return at;
  const blockEnd = Math.min(end, at - (at % m.ptes) + m.ptes);
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) return !write || (entry & PMD_WRITE) !== 0 ? blockEnd : at;
  if (pmdType(entry) !== PMD.table) return at;
  const table = pmdTable(entry);
  let page = at;
  for (; page < blockEnd; page++) {
    const bit = pteBit(m, table, slotOf(m, asBrand<Vpn>(page)));
    if (!getBit(m.pte.present, bit) || (write && !getBit(m.pte.write, bit))) break;
    setBit(m.pte.young, bit);
  }
  return page;
}

/** What a system call returns for a fault that failed. */
function faultErrno(result: FaultResult): number {
  if (result === FAULT.oom) return -ERRNO.ENOMEM;
  // A userfaultfd handler would be waited for; without one the caller may come again.
  return result === FAULT.userfault ? -ERRNO.EAGAIN : -ERRNO.EFAULT;
}
