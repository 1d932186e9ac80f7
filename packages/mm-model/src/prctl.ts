/** prctl: switching huge pages off for a process. */
import { type Procedure, spend } from '@thplab/sync';
import type { MmId } from './brands.js';
import { ERRNO } from './errno.js';
import { MMF } from './flags.js';
import type { Machine } from './machine.js';
import { mmapWriteLock, mmapWriteUnlock } from './vma-locks.js';

/** Flag of PR_SET_THP_DISABLE: huge pages stay on where MADV_HUGEPAGE or MADV_COLLAPSE asked for them (6.18). */
export const PR_THP_DISABLE_EXCEPT_ADVISED = 2;

/**
 * PR_SET_THP_DISABLE. `disable` false switches huge pages on again. Gives 0, or -EINVAL for flags that do not exist, or
 * any with `disable` false.
 */
export function* prctlSetThpDisable(m: Machine, mm: MmId, disable: boolean, flags = 0): Procedure<number> {
  yield spend(m.costs.syscall);
  if ((flags & ~PR_THP_DISABLE_EXCEPT_ADVISED) !== 0 || (!disable && flags !== 0)) return -ERRNO.EINVAL;
  yield* mmapWriteLock(m, mm);
  m.mm.flags[mm] &= ~(MMF.DISABLE_THP_COMPLETELY | MMF.DISABLE_THP_EXCEPT_ADVISED);
  if (disable) {
    m.mm.flags[mm] |= flags === 0 ? MMF.DISABLE_THP_COMPLETELY : MMF.DISABLE_THP_EXCEPT_ADVISED;
  }
  yield* mmapWriteUnlock(m, mm);
  return 0;
}

/** PR_GET_THP_DISABLE: 0 on, 1 off, 3 off except where advised. */
export function prctlGetThpDisable(m: Machine, mm: MmId): number {
  const flags = m.mm.flags[mm];
  if ((flags & MMF.DISABLE_THP_COMPLETELY) !== 0) return 1;
  return (flags & MMF.DISABLE_THP_EXCEPT_ADVISED) !== 0 ? 1 | PR_THP_DISABLE_EXCEPT_ADVISED : 0;
}
