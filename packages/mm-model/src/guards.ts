/**
 * What a task must hold to use a column. The columns of tables.ts name their guard; here each guard says which locks of
 * which rows it means (khugepaged spec 10; in the kernel the comments in `mm_types.h`, `rmap.c` and `mm/memory.c`).
 *
 * Reading asks for less than writing: whoever keeps the thing from going away may look at it. Accesses that are right
 * without any of these locks say so where they are (lockless.ts). The explore executor checks every access of a searched
 * machine; docs/locking.md shows this table.
 */
import { asBrand, type RowPool, type Tables } from '@thplab/arena';
import { type HeldLocks, instanceOf, type LockClass, type LockRef, READ, WRITE } from '@thplab/sync';
import type { TableId } from './brands.js';
import type { Machine } from './machine.js';
import { makePmdTable } from './page-table.js';
import type { MmTables } from './tables.js';
import { VMA_DETACHED } from './vma-tree.js';

/** A use of a guarded column, for its guard to judge. */
export interface GuardedUse {
  /** The machine as it is now: at the use for a read, at the end of the step for a write. */
  readonly m: Machine;
  /** Its tables as they were when the step began. */
  readonly before: Tables<MmTables>;
  readonly table: string;
  readonly row: number;
  readonly held: HeldLocks;
}

/** One guard. */
export interface ColumnGuard {
  /** Classes of the locks that writers usually hold, for the picture of docs/locking.md. */
  readonly locks: readonly string[];
  /** Who may read, in words that name lock classes. */
  readonly reads: string;
  /** Who may write. */
  readonly writes: string;
  mayRead(use: GuardedUse): boolean;
  mayWrite(use: GuardedUse): boolean;
}

/** True if the lock is held, for reading or writing. */
export function holdsAny(held: HeldLocks, lock: LockRef): boolean {
  return held.find(lock, READ) >= 0 || held.find(lock, WRITE) >= 0;
}

/** Names of the guards, as the declarations of columns give them. */
export type MmGuardName =
  | 'mmap_lock'
  | 'vma_tree'
  | 'vma'
  | 'vma_range'
  | 'vma_anon'
  | 'anon_vma'
  | 'pmd_lock'
  | 'pte_lock';

const KEEPS_TABLES =
  'any lock that keeps the page tables of the process: mmap_lock, a vma_lock, a reverse map, pmd_lock, a pte_lock';

/** The guards that columns of the model name. */
export const MM_GUARDS: Readonly<Record<MmGuardName, ColumnGuard>> = {
  mmap_lock: {
    locks: ['mmap_lock'],
    reads: 'mmap_lock',
    writes: 'mmap_lock for writing',
    mayRead: (use) => holdsMmap(use, use.row, false),
    mayWrite: (use) => holdsMmap(use, use.row, true) || isNewOrFreed(use.m.mm.pool, use.before.mm.count, use.row),
  },
  vma_tree: {
    locks: ['mmap_lock'],
    reads: 'mmap_lock',
    writes: 'mmap_lock for writing',
    mayRead: (use) => holdsMmap(use, ownerOfVma(use), false) || isPrivateVma(use),
    mayWrite: (use) => holdsMmap(use, ownerOfVma(use), true) || isPrivateVma(use) || wasVmaFreed(use),
  },
  vma: {
    locks: ['mmap_lock', 'vma_lock'],
    reads: 'mmap_lock, or the vma_lock of the VMA; walkers of the reverse map live with a stale bit',
    writes: 'mmap_lock and vma_lock for writing',
    mayRead: (use) => holdsVma(use) || isPrivateVma(use) || holdsRmap(use, false),
    mayWrite: (use) => isVmaWriter(use) || isPrivateVma(use) || wasVmaFreed(use),
  },
  vma_range: {
    locks: ['mmap_lock', 'vma_lock', 'i_mmap_rwsem', 'anon_vma'],
    reads: 'mmap_lock, the vma_lock of the VMA, or its reverse map: the anon_vma, or i_mmap_rwsem of its file',
    writes: 'mmap_lock and vma_lock for writing, and its reverse maps for writing',
    mayRead: (use) => holdsVma(use) || isPrivateVma(use) || holdsRmap(use, false),
    mayWrite: (use) => (isVmaWriter(use) && holdsRmap(use, true)) || isPrivateVma(use) || wasVmaFreed(use),
  },
  vma_anon: {
    locks: ['mmap_lock', 'anon_vma'],
    reads: 'mmap_lock, the vma_lock of the VMA, or the anon_vma of its family',
    writes: 'mmap_lock and vma_lock for writing; or either of them for reading, and the anon_vma for writing',
    mayRead: (use) => holdsVma(use) || isPrivateVma(use) || holdsRmap(use, false),
    mayWrite: (use) =>
      isVmaWriter(use) ||
      (holdsVma(use) && holdsAnonVma(use, anonVmaOf(use), true)) ||
      isPrivateVma(use) ||
      wasVmaFreed(use),
  },
  anon_vma: {
    locks: ['anon_vma'],
    reads: 'the anon_vma of the family',
    writes: 'the anon_vma of the family for writing',
    mayRead: (use) => holdsAnonVma(use, use.row, false),
    mayWrite: (use) =>
      holdsAnonVma(use, use.row, true) || isNewOrFreed(use.m.anonVma.pool, use.before.anonVma.root, use.row),
  },
  pmd_lock: {
    locks: ['pmd_lock'],
    reads: KEEPS_TABLES,
    writes: 'pmd_lock of the directory',
    mayRead: (use) => keepsTables(use, use.m.directory.mm[use.row]),
    mayWrite: (use) => holdsAny(use.held, use.m.locks.pmdLock.ref(use.row)) || !isPmdLevel(use),
  },
  pte_lock: {
    locks: ['pte_lock'],
    reads: KEEPS_TABLES,
    writes: 'pte_lock of the table; for a table that no PMD leads to, pmd_lock will do',
    mayRead: (use) => keepsTables(use, use.m.pte.mm[use.row]),
    mayWrite: (use) =>
      holdsAny(use.held, use.m.locks.pteLock.ref(use.row)) ||
      isNewOrFreed(use.m.pte.pool, use.before.pte.mm, use.row) ||
      (isOutOfReach(use) && holdsPmdLockOf(use, use.m.pte.mm[use.row])),
  },
};

function holdsMmap({ m, held }: GuardedUse, mm: number, write: boolean): boolean {
  const lock = m.locks.mmapLock.ref(mm);
  return write ? held.find(lock, WRITE) >= 0 : holdsAny(held, lock);
}

/** A row that the step itself has made or given back: nobody else knows it. `marks` is not 0 in rows in use. */
function isNewOrFreed(pool: RowPool, marks: ArrayLike<number>, row: number): boolean {
  return marks[row] === 0 || !pool.isLive(row);
}

function ownerOfVma({ m, before, row }: GuardedUse): number {
  return before.vma.mm[row] === 0 ? m.vma.mm[row] : before.vma.mm[row];
}

function holdsVma(use: GuardedUse): boolean {
  return holdsMmap(use, ownerOfVma(use), false) || holdsAny(use.held, use.m.locks.vmaLock.ref(use.row));
}

/** The write lock of a VMA lasts until mmap_lock is given back: it is a number, not a lock that is held. */
function isVmaWriter(use: GuardedUse): boolean {
  const { m, before, row } = use;
  const mm = ownerOfVma(use);
  if (!holdsMmap(use, mm, true)) return false;
  const seq = before.vma.lockSeq[row];
  return seq === before.mm.lockSeq[mm] || seq === VMA_DETACHED || m.vma.lockSeq[row] === m.mm.lockSeq[mm];
}

/** Being made: not in the tree of its address space yet. One that has left the tree was known to others. */
function isPrivateVma({ m, before, row }: GuardedUse): boolean {
  const mm = m.vma.mm[row];
  if (mm === 0 || !m.vma.pool.isLive(row)) return false;
  // Made by this step, perhaps in the row of one that the step has freed.
  if (m.vma.births[row] !== before.vma.births[row]) return true;
  if (before.vma.lockSeq[row] === VMA_DETACHED) return false;
  return before.vma.mm[row] === 0 || (before.vma.prev[row] === 0 && before.mm.vmaFirst[mm] !== row);
}

function wasVmaFreed({ m, row }: GuardedUse): boolean {
  return !m.vma.pool.isLive(row);
}

/** The anon_vma through which others find the VMA, 0 if there is none. */
function anonVmaOf({ m, before, row }: GuardedUse): number {
  const own = m.vma.anonVma[row] === 0 ? before.vma.anonVma[row] : m.vma.anonVma[row];
  if (own !== 0) return own;
  const chain = m.vma.avcFirst[row] === 0 ? before.vma.avcFirst[row] : m.vma.avcFirst[row];
  return chain === 0 ? 0 : m.avc.anonVma[chain] === 0 ? before.avc.anonVma[chain] : m.avc.anonVma[chain];
}

/** Reading: one of the reverse maps that lead to the VMA; writing: all of them. */
function holdsRmap(use: GuardedUse, write: boolean): boolean {
  const { m, row, held } = use;
  const anonVma = anonVmaOf(use);
  const file = m.vma.file[row];
  const lock = m.locks.fileMap.ref(file);
  if (write) return holdsAnonVma(use, anonVma, true) && (file === 0 || held.find(lock, WRITE) >= 0);
  return (anonVma !== 0 && holdsAnonVma(use, anonVma, false)) || (file !== 0 && holdsAny(held, lock));
}

function holdsAnonVma({ m, before, held }: GuardedUse, anonVma: number, write: boolean): boolean {
  if (anonVma === 0) return true;
  const root = m.anonVma.root[anonVma] === 0 ? before.anonVma.root[anonVma] : m.anonVma.root[anonVma];
  const lock = m.locks.anonVma.ref(root);
  return write ? held.find(lock, WRITE) >= 0 : holdsAny(held, lock);
}

/** True if nobody can take the page tables of the process away while a task holds these locks. */
export function keepsTables({ m, held }: Pick<GuardedUse, 'm' | 'held'>, mm: number): boolean {
  if (mm === 0) return false;
  const { mmapLock, vmaLock, anonVma, fileMap, pmdLock, pteLock } = m.locks;
  const mmOf = (lockClass: LockClass, row: number): number => {
    if (lockClass === mmapLock) return row;
    if (lockClass === vmaLock) return m.vma.mm[row];
    if (lockClass === pmdLock) return m.directory.mm[row];
    // Whoever holds a reverse map looks at address spaces that have VMAs on its list, and those cannot leave it.
    if (lockClass === anonVma || lockClass === fileMap) return mm;
    return lockClass === pteLock ? m.pte.mm[row] : 0;
  };
  return held.locks.some((lock) => mmOf(m.domain.classOf(lock), instanceOf(lock)) === mm);
}

function isPmdLevel({ m, before, row }: GuardedUse): boolean {
  return m.directory.level[row] === 1 && before.directory.level[row] === 1;
}

/** No PMD led to the table when the step began. */
function isOutOfReach({ before, row }: GuardedUse): boolean {
  return !before.directory.entry.includes(makePmdTable(asBrand<TableId>(row)));
}

function holdsPmdLockOf({ m, held }: GuardedUse, mm: number): boolean {
  return held.locks.some(
    (lock) => m.domain.classOf(lock) === m.locks.pmdLock && m.directory.mm[instanceOf(lock)] === mm,
  );
}
