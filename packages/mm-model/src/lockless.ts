/**
 * Accesses that are right without the lock that guards a column. Each has a name here, with what makes it right; at the
 * access itself `lockless(m, LOCKLESS.x)` is the machine to use. So the check of guards (guards.ts) stays on everywhere
 * else, and a reader finds all exceptions in one place.
 */
import type { Machine } from './machine.js';

/** What makes each of them right. */
export const LOCKLESS = {
  vmaLookup:
    'a lookup under RCU (lock_vma_under_rcu): what it found is looked at again with the vma_lock held, and left if it changed',
  gupFast: 'GUP-fast: interrupts are off, so no table is freed; entries are read again after the reference was taken',
  freeTables: 'free_pgtables: the VMAs are gone from the tree, so nobody can find the PMDs that are cleared',
  freeDirectories: 'the last reference on the address space has gone: nobody else knows it',
  oldExit: 'before Linux 5.18 exit_mmap took no lock: the last user has gone, and khugepaged was waited for (case B15)',
  mirrors:
    'no access of the kernel: the mirror planes of page tables follow the facts of a folio within the step (folio-mirror.ts)',
  mlockCount:
    'no access of the kernel, which counts the locked mappings of a folio in the folio (mlock_count, which may be too low as well): the model counts them by the reverse map within the step (mlocked.ts)',
  processor: 'a processor reads page tables and memory, and sets accessed and dirty bits, without any lock',
  hintFlags:
    'a hint looks at the VMA as it is, or was: a wrong guess costs a useless hint, or one that is not made (khugepaged spec 17.2)',
  listEmpty: 'list_empty of the list of slots: who sees it wrong is woken, or looks again, when the list changes',
  passBegins: 'a pass begins before any scanner takes part in it; the kernel keeps this count in a local variable',
} as const;

/** One of them. */
export type LocklessAccess = (typeof LOCKLESS)[keyof typeof LOCKLESS];

/** The machine for an access without locks; the same machine, except where guards are checked. */
export function lockless(m: Machine, _why: LocklessAccess): Machine {
  return m.unguarded ?? m;
}
