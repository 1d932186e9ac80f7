/**
 * Address spaces and their two counts: `users` keeps the memory, `count` keeps the row (khugepaged spec 2.5, 5.2, 6).
 *
 * The last user takes everything apart. khugepaged, which only holds a `count`, must be out of the page tables by then:
 * its exit hook waits for it (case B15 of khugepaged spec 19).
 */
import { asBrand } from '@thplab/arena';
import { type Procedure, preempt } from '@thplab/sync';
import { unlinkAnonVmas } from './anon-vma.js';
import type { MmId, Vpn } from './brands.js';
import { unlinkFileVma } from './file-map.js';
import { LOCKLESS, lockless } from './lockless.js';
import { lruAddDrainCpu } from './lru.js';
import type { Machine } from './machine.js';
import { ROOT_MEMCG } from './memcg.js';
import { vmaFree } from './vma/vma-rows.js';
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock, vmaStartWrite } from './vma-locks.js';
import { removeVma, vmasOf } from './vma-tree.js';
import { freeDirectories, freePageTables, zapRange } from './zap.js';

/** Default of `vm.max_map_count`: VMAs that an address space may have. */
export const MAX_MAP_COUNT = 65_530;

/** A new, empty address space with one user (`mm_alloc`). Errors: TableFullError for 'mm'. */
export function mmAlloc(m: Machine): MmId {
  const mm = m.mm.pool.alloc();
  m.mm.users[mm] = 1;
  m.mm.count[mm] = 1;
  m.mm.pid[mm] = Atomics.add(m.machine.nextPid, 0, 1) + 1;
  m.mm.family[mm] = mm;
  m.mm.memcg[mm] = ROOT_MEMCG;
  // VMAs start at 0: a new one is not write-locked.
  m.mm.lockSeq[mm] = 1;
  return asBrand<MmId>(mm);
}

/** One more user of the memory. The caller is one already. */
export function mmget(m: Machine, mm: MmId): void {
  Atomics.add(m.mm.users, mm, 1);
}

/** One more user, unless the last one has left (`mmget_not_zero`). */
export function mmgetNotZero(m: Machine, mm: MmId): boolean {
  for (let users = Atomics.load(m.mm.users, mm); users > 0; ) {
    const seen = Atomics.compareExchange(m.mm.users, mm, users, users + 1);
    if (seen === users) return true;
    users = seen;
  }
  return false;
}

/** One user less; the last one frees all memory (`mmput`). Called with no lock held. */
export function* mmput(m: Machine, mm: MmId): Procedure<void> {
  const left = Atomics.sub(m.mm.users, mm, 1) - 1;
  if (left > 0) return;
  if (left < 0) throw new RangeError(`mm ${mm}: mmput without a user`);
  yield* m.hooks.khugepagedExit(mm);
  yield* exitMmap(m, mm);
  mmdrop(m, mm);
}

/** One more reference on the row. */
export function mmgrab(m: Machine, mm: MmId): void {
  Atomics.add(m.mm.count, mm, 1);
}

/** One reference on the row less; the last one frees it (`mmdrop`). */
export function mmdrop(m: Machine, mm: MmId): void {
  const left = Atomics.sub(m.mm.count, mm, 1) - 1;
  if (left > 0) return;
  if (left < 0) throw new RangeError(`mm ${mm}: mmdrop without a reference`);
  freeDirectories(m, mm);
  m.mm.pool.free(mm);
}

/** The address space is going away (`hpage_collapse_test_exit`). */
export function mmIsExiting(m: Machine, mm: MmId): boolean {
  return Atomics.load(m.mm.users, mm) === 0;
}

/**
 * Takes an address space apart (`exit_mmap`): pages are unmapped under mmap_lock for reading, so that others who only
 * look may go on; tables and VMAs go under mmap_lock for writing.
 */
function* exitMmap(m: Machine, mm: MmId): Procedure<void> {
  if (m.hooks.exitIsUnlocked) return yield* exitMmapUnlocked(lockless(m, LOCKLESS.oldExit), mm);
  yield* mmapReadLock(m, mm);
  lruAddDrainCpu(m, m.current.cpu);
  for (const vma of vmasOf(m, mm)) {
    yield* zapRange(m, vma, m.vma.start[vma] as Vpn, m.vma.end[vma] as Vpn);
    yield preempt();
  }
  yield* mmapReadUnlock(m, mm);
  yield* mmapWriteLock(m, mm);
  for (const vma of vmasOf(m, mm)) {
    yield* vmaStartWrite(m, vma);
    yield* unlinkAnonVmas(m, vma);
    yield* unlinkFileVma(m, vma);
    freePageTables(m, mm, m.vma.start[vma] as Vpn, m.vma.end[vma] as Vpn, 0, m.addressPages);
    removeVma(m, vma);
    vmaFree(m, vma);
  }
  yield* mmapWriteUnlock(m, mm);
}

/**
 * The same as kernels before 5.18 did it: no mmap_lock, because nobody but khugepaged can still be in the address space, and
 * its exit hook has waited for that one.
 */
function* exitMmapUnlocked(m: Machine, mm: MmId): Procedure<void> {
  lruAddDrainCpu(m, m.current.cpu);
  for (const vma of vmasOf(m, mm)) {
    yield* zapRange(m, vma, m.vma.start[vma] as Vpn, m.vma.end[vma] as Vpn);
    yield preempt();
  }
  for (const vma of vmasOf(m, mm)) {
    yield* unlinkAnonVmas(m, vma);
    yield* unlinkFileVma(m, vma);
    freePageTables(m, mm, m.vma.start[vma] as Vpn, m.vma.end[vma] as Vpn, 0, m.addressPages);
    removeVma(m, vma);
    vmaFree(m, vma);
    yield preempt();
  }
}
