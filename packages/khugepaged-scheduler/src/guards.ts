/** What a task must hold to use the columns of the scheduler's tables (mm-model's guards.ts says what a guard is). */
import type { Tables } from '@thplab/arena';
import { type ColumnGuard, type GuardedUse, holdsAny } from '@thplab/mm-model';
import { type KhugepagedTables, khugepagedTables } from './tables.js';

/** Names of the guards, as the declarations of columns give them. */
export type KhugepagedGuardName = 'khugepaged_mm_lock' | 'khugepaged_mutex';

/** The guards that columns of the scheduler name. */
export const KHUGEPAGED_GUARDS: Readonly<Record<KhugepagedGuardName, ColumnGuard>> = {
  khugepaged_mm_lock: {
    locks: ['khugepaged_mm_lock'],
    reads: 'khugepaged_mm_lock',
    writes: 'khugepaged_mm_lock; a slot that is on no list yet, or no more, is its owner’s',
    mayRead: (use) => holdsClass(use, 'khugepaged_mm_lock'),
    mayWrite: (use) => holdsClass(use, 'khugepaged_mm_lock') || isOwnSlot(use),
  },
  khugepaged_mutex: {
    locks: ['khugepaged_mutex'],
    reads: 'khugepaged_mutex',
    writes: 'khugepaged_mutex for writing',
    mayRead: (use) => holdsClass(use, 'khugepaged_mutex'),
    mayWrite: (use) => holdsClass(use, 'khugepaged_mutex'),
  },
};

/** Both locks exist once, and are only ever taken for writing. */
function holdsClass({ m, held }: GuardedUse, name: KhugepagedGuardName): boolean {
  const lockClass = m.domain.classes.find((one) => one.name === name);
  return lockClass !== undefined && holdsAny(held, lockClass.ref(0));
}

/** The slot was not in use when the step began, or is not any more at its end. */
function isOwnSlot({ m, before, table, row }: GuardedUse): boolean {
  const now = khugepagedTables(m).mmSlot;
  const then = (before as unknown as Tables<KhugepagedTables>).mmSlot;
  return table === 'mmSlot' && row !== 0 && (then.mm[row] === 0 || !now.pool.isLive(row));
}
