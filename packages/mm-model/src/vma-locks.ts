/**
 * mmap_lock and the per-VMA lock.
 *
 * A writer of mmap_lock marks each VMA that it changes as write-locked: it takes the VMA's own lock for a moment, which
 * waits for the readers to leave, and copies the mm's sequence number into the VMA. From then on readers turn away. Giving
 * mmap_lock back advances the number, which ends all these write locks at once (khugepaged spec 10, step 6 and OUT1).
 */
import { acquire, downgrade, type Procedure, READ, release, tryAcquire, WRITE } from '@thplab/sync';
import type { MmId, VmaId, Vpn } from './brands.js';
import { LOCKLESS, lockless } from './lockless.js';
import type { Machine } from './machine.js';
import { VMA_DETACHED, vmaAt } from './vma-tree.js';

/** Takes mmap_lock for reading. */
export function* mmapReadLock(m: Machine, mm: MmId): Procedure<void> {
  yield acquire(m.locks.mmapLock.ref(mm), READ);
}

/** Takes mmap_lock for reading if that is possible at once. */
export function* mmapReadTrylock(m: Machine, mm: MmId): Procedure<boolean> {
  return (yield tryAcquire(m.locks.mmapLock.ref(mm), READ)) === 1;
}

/** Gives mmap_lock back after reading. */
export function* mmapReadUnlock(m: Machine, mm: MmId): Procedure<void> {
  yield release(m.locks.mmapLock.ref(mm), READ);
}

/** Takes mmap_lock for writing. */
export function* mmapWriteLock(m: Machine, mm: MmId): Procedure<void> {
  yield acquire(m.locks.mmapLock.ref(mm), WRITE);
}

/** Gives mmap_lock back after writing; all VMAs locked for writing are unlocked by it. */
export function* mmapWriteUnlock(m: Machine, mm: MmId): Procedure<void> {
  vmaEndWriteAll(m, mm);
  yield release(m.locks.mmapLock.ref(mm), WRITE);
}

/** Turns mmap_lock held for writing into reading; all VMAs locked for writing are unlocked by it. */
export function* mmapWriteDowngrade(m: Machine, mm: MmId): Procedure<void> {
  vmaEndWriteAll(m, mm);
  yield downgrade(m.locks.mmapLock.ref(mm));
}

/** True if the VMA is write-locked by the present writer of mmap_lock (`__is_vma_write_locked`). */
export function vmaIsWriteLocked(m: Machine, vma: VmaId): boolean {
  return m.vma.lockSeq[vma] === m.mm.lockSeq[m.vma.mm[vma]];
}

/**
 * Locks a VMA for writing until mmap_lock, which the caller holds for writing, is given back (`vma_start_write`). Waits
 * for the readers of the VMA to leave.
 */
export function* vmaStartWrite(m: Machine, vma: VmaId): Procedure<void> {
  if (vmaIsWriteLocked(m, vma)) return;
  const lock = m.locks.vmaLock.ref(vma);
  yield acquire(lock, WRITE);
  Atomics.store(m.vma.lockSeq, vma, m.mm.lockSeq[m.vma.mm[vma]]);
  yield release(lock, WRITE);
}

/**
 * Finds the VMA of a page and locks it for reading, without mmap_lock (`lock_vma_under_rcu`). Gives 0 if there is none, if
 * it is being changed, or if it changed between lookup and lock: the caller then takes mmap_lock.
 */
export function* vmaStartRead(m: Machine, mm: MmId, page: Vpn): Procedure<VmaId | 0> {
  const vma = vmaAt(lockless(m, LOCKLESS.vmaLookup), mm, page);
  if (vma === 0 || vmaIsWriteLocked(m, vma)) return 0;
  const lock = m.locks.vmaLock.ref(vma);
  if ((yield tryAcquire(lock, READ)) === 0) return 0;
  const same = m.vma.mm[vma] === mm && m.vma.start[vma] <= page && page < m.vma.end[vma];
  const seq = Atomics.load(m.vma.lockSeq, vma);
  if (same && seq !== VMA_DETACHED && seq !== m.mm.lockSeq[mm]) return vma;
  yield release(lock, READ);
  return 0;
}

/** Gives a VMA locked by `vmaStartRead` back (`vma_end_read`). */
export function* vmaEndRead(m: Machine, vma: VmaId): Procedure<void> {
  yield release(m.locks.vmaLock.ref(vma), READ);
}

function vmaEndWriteAll(m: Machine, mm: MmId): void {
  Atomics.add(m.mm.lockSeq, mm, 1);
}
