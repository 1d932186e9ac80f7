/**
 * madvise: which lock each advice needs, and the walk over the VMAs of its range. The advice itself is in madvise/.
 */
import { type Procedure, READ, release, spend } from '@thplab/sync';
import type { MmId, VmaId, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { VM, VM_UFFD } from './flags.js';
import type { Machine } from './machine.js';
import { type Advice, MADV } from './madvise/advice.js';
import { madviseVmaBehavior } from './madvise/behavior.js';
import { madviseCold, madvisePageout } from './madvise/cold.js';
import { madviseFree } from './madvise/free.js';
import { madviseGuardInstall, madviseGuardRemove } from './madvise/guard.js';
import { madviseWalkVmas } from './madvise/walk-vmas.js';
import { madvisePopulate } from './populate-range.js';
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock, vmaEndRead, vmaStartRead } from './vma-locks.js';
import { zapRange } from './zap.js';

const KNOWN: ReadonlySet<number> = new Set(Object.values(MADV));

/** Advice that needs the lock of one VMA only, if the range lies in one. */
const VMA_LOCKED: ReadonlySet<Advice> = new Set([
  MADV.DONTNEED,
  MADV.DONTNEED_LOCKED,
  MADV.FREE,
  MADV.GUARD_INSTALL,
  MADV.GUARD_REMOVE,
]);

/** Advice that needs mmap_lock for reading. */
const READ_LOCKED: ReadonlySet<Advice> = new Set([
  MADV.WILLNEED,
  MADV.COLD,
  MADV.PAGEOUT,
  MADV.COLLAPSE,
  ...VMA_LOCKED,
]);

/**
 * Gives advice on `pages` from `start` (`do_madvise`). No lock is held at entry and exit. Gives 0 or a negative errno:
 *
 * - EINVAL: unknown advice, a range outside the address space, or a VMA that the advice does not fit; the walk ends there
 * - ENOMEM: the range has holes; the advice was given to all that is mapped
 * - EAGAIN: a VMA would have to be split and there are too many; or what MADV_COLLAPSE says
 *
 * An empty range gives 0. MADV_COLLAPSE: see khugepaged spec 13.2.
 */
export function* madvise(m: Machine, mm: MmId, start: Vpn, pages: number, advice: Advice): Procedure<number> {
  yield spend(m.costs.syscall);
  if (!KNOWN.has(advice) || pages < 0 || start < 0 || start + pages > m.addressPages) return -ERRNO.EINVAL;
  if (pages === 0) return 0;
  const end = start + pages;
  if (advice === MADV.POPULATE_READ || advice === MADV.POPULATE_WRITE) {
    return yield* madvisePopulate(m, mm, start, end, advice === MADV.POPULATE_WRITE);
  }
  if (VMA_LOCKED.has(advice)) {
    const vma = yield* lockSingleVma(m, mm, start, end, advice);
    if (vma !== 0) {
      const result = yield* adviseVma(m, mm, vma, start, end, advice);
      yield* vmaEndRead(m, vma);
      return result;
    }
  }
  const reading = READ_LOCKED.has(advice);
  yield* reading ? mmapReadLock(m, mm) : mmapWriteLock(m, mm);
  const result = yield* madviseWalkVmas(m, mm, start, end, (vma, from, to) => adviseVma(m, mm, vma, from, to, advice));
  yield* reading ? mmapReadUnlock(m, mm) : mmapWriteUnlock(m, mm);
  return result;
}

/** The VMA that the whole range lies in, read-locked by itself; 0 if mmap_lock is needed (`try_vma_read_lock`). */
function* lockSingleVma(m: Machine, mm: MmId, start: Vpn, end: number, advice: Advice): Procedure<VmaId | 0> {
  const vma = yield* vmaStartRead(m, mm, start);
  if (vma === 0) return 0;
  const armed = (m.vma.flags[vma] & VM_UFFD) !== 0;
  const makesAnonVma = advice === MADV.GUARD_INSTALL && m.vma.anonVma[vma] === 0;
  if (end <= m.vma.end[vma] && !armed && !makesAnonVma) return vma;
  yield release(m.locks.vmaLock.ref(vma), READ);
  return 0;
}

function adviseVma(m: Machine, mm: MmId, vma: VmaId, start: number, end: number, advice: Advice): Procedure<number> {
  switch (advice) {
    case MADV.DONTNEED:
    case MADV.DONTNEED_LOCKED:
      return dontneed(m, vma, start, end, advice === MADV.DONTNEED_LOCKED);
    case MADV.FREE:
      return free(m, vma, start, end);
    case MADV.COLD:
      return madviseCold(m, vma, start, end);
    case MADV.PAGEOUT:
      return madvisePageout(m, vma, start, end);
    case MADV.COLLAPSE:
      return m.hooks.madviseCollapse(mm, start as Vpn, end as Vpn);
    case MADV.GUARD_INSTALL:
      return madviseGuardInstall(m, vma, start, end);
    case MADV.GUARD_REMOVE:
      return madviseGuardRemove(m, vma, start, end);
    case MADV.WILLNEED:
      return willneed();
    default:
      return madviseVmaBehavior(m, vma, start, end, advice);
  }
}

/** MADV_DONTNEED: the pages are gone at once; a table that the range covers wholly goes with them. */
function* dontneed(m: Machine, vma: VmaId, start: number, end: number, lockedToo: boolean): Procedure<number> {
  const forbidden = VM.PFNMAP | (lockedToo ? 0 : VM.LOCKED);
  if ((m.vma.flags[vma] & forbidden) !== 0) return -ERRNO.EINVAL;
  yield* zapRange(m, vma, start as Vpn, end as Vpn, { freeEmptyTables: true, keepGuards: true });
  return 0;
}

function* free(m: Machine, vma: VmaId, start: number, end: number): Procedure<number> {
  if ((m.vma.flags[vma] & (VM.PFNMAP | VM.LOCKED)) !== 0) return -ERRNO.EINVAL;
  return yield* madviseFree(m, vma, start, end);
}

// biome-ignore lint/correctness/useYield: read-ahead is not modelled; the advice is accepted.
function* willneed(): Procedure<number> {
  return 0;
}
