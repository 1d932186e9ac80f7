/**
 * anon_vmas: who may map a page of anonymous memory.
 *
 * A VMA that has anonymous pages has an anon_vma, and its pages name that anon_vma. A chain (anon_vma_chain) links a VMA
 * and an anon_vma whose pages it may map: its own, and those of the VMAs it was forked from. So the pages of a parent
 * are found in its children through the parent's anon_vma, and a child's own pages in the child (and its children) alone.
 * All anon_vmas of a family share the lock of the oldest, their root.
 *
 * An anon_vma lives as long as it has chains, or somebody holds a reference to use its lock (`refs`). A root also waits for
 * its descendants, whose lock it is.
 */
import { asBrand, IntrusiveList } from '@thplab/arena';
import { acquire, type LockMode, type LockRef, type Procedure, release, tryAcquire, WRITE } from '@thplab/sync';
import type { AnonVmaId, Pfn, VmaId } from './brands.js';
import { folioAnonVma, folioMapcount } from './folio.js';
import type { Machine } from './machine.js';
import { findMergeableAnonVma } from './vma/compatible.js';

/** The lock of an anon_vma: its root's rw-semaphore (`anon_vma_lock_write`, `anon_vma_lock_read`). */
export function anonVmaLock(m: Machine, anonVma: AnonVmaId): LockRef {
  return m.locks.anonVma.ref(m.anonVma.root[anonVma]);
}

/**
 * Gives a VMA its anon_vma before its first anonymous page (`__anon_vma_prepare`): a neighbour's, if the two could be one
 * VMA, so that they can still become one; else a new one. Called with mmap_lock held. Errors: TableFullError.
 */
export function* anonVmaPrepare(m: Machine, vma: VmaId): Procedure<void> {
  if (m.vma.anonVma[vma] !== 0) return;
  const shared = findMergeableAnonVma(m, vma);
  const anonVma = shared === 0 ? newRoot(m) : shared;
  const lock = anonVmaLock(m, anonVma);
  yield acquire(lock, WRITE);
  // Two faults may be here at once; the kernel decides under page_table_lock, one exchange does the same.
  const lost = Atomics.compareExchange(m.vma.anonVma, vma, 0, anonVma) !== 0;
  if (!lost) {
    m.anonVma.active[anonVma]++;
    linkChain(m, vma, anonVma);
  }
  yield release(lock, WRITE);
  if (lost && shared === 0) m.anonVma.pool.free(anonVma);
}

/** As `anonVmaPrepare`, without locks and without looking at neighbours: for set-up, where no time passes. */
export function anonVmaPrepareNow(m: Machine, vma: VmaId): void {
  if (m.vma.anonVma[vma] !== 0) return;
  const shared = findMergeableAnonVma(m, vma);
  const anonVma = shared === 0 ? newRoot(m) : shared;
  m.vma.anonVma[vma] = anonVma;
  m.anonVma.active[anonVma]++;
  linkChain(m, vma, anonVma);
}

/**
 * Links `dst` to every anon_vma that `src` is linked to (`anon_vma_clone`), for a copy of a VMA in the same mm, or for a
 * child. `dst.anonVma` is set already for a copy; for a child (0) an ancestor's anon_vma is taken over if nobody uses it
 * and it has at most one child, so that a process that forks again and again does not grow endless chains.
 */
export function* anonVmaClone(m: Machine, dst: VmaId, src: VmaId): Procedure<void> {
  if (m.vma.avcFirst[src] === 0) return;
  const lock = anonVmaLock(m, asBrand<AnonVmaId>(m.avc.anonVma[m.vma.avcFirst[src]]));
  yield acquire(lock, WRITE);
  for (let chain = m.vma.avcFirst[src]; chain !== 0; chain = m.avc.vmaNext[chain]) {
    const anonVma = asBrand<AnonVmaId>(m.avc.anonVma[chain]);
    linkChain(m, dst, anonVma);
    const idle = m.anonVma.children[anonVma] < 2 && m.anonVma.active[anonVma] === 0;
    if (m.vma.anonVma[dst] === 0 && m.vma.anonVma[src] !== 0 && idle) m.vma.anonVma[dst] = anonVma;
  }
  const own = m.vma.anonVma[dst];
  if (own !== 0) m.anonVma.active[own]++;
  yield release(lock, WRITE);
}

/**
 * Links a child's VMA to all anon_vmas of its parent's and gives it one of its own (`anon_vma_fork`). Nothing happens if
 * the parent's VMA has no anonymous pages.
 */
export function* anonVmaFork(m: Machine, childVma: VmaId, parentVma: VmaId): Procedure<void> {
  m.vma.anonVma[childVma] = 0;
  if (m.vma.anonVma[parentVma] === 0) return;
  yield* anonVmaClone(m, childVma, parentVma);
  if (m.vma.anonVma[childVma] !== 0) return;
  const parent = m.vma.anonVma[parentVma];
  const root = m.anonVma.root[parent];
  const anonVma = asBrand<AnonVmaId>(m.anonVma.pool.alloc());
  m.anonVma.root[anonVma] = root;
  m.anonVma.parent[anonVma] = parent;
  m.anonVma.refs[anonVma] = 1;
  m.anonVma.active[anonVma] = 1;
  m.vma.anonVma[childVma] = anonVma;
  const lock = anonVmaLock(m, anonVma);
  yield acquire(lock, WRITE);
  getAnonVma(m, asBrand<AnonVmaId>(root));
  m.anonVma.children[parent]++;
  linkChain(m, childVma, anonVma);
  yield release(lock, WRITE);
}

/** Unlinks a VMA from all its anon_vmas and frees those that nobody is linked to any more (`unlink_anon_vmas`). */
export function* unlinkAnonVmas(m: Machine, vma: VmaId): Procedure<void> {
  const first = m.vma.avcFirst[vma];
  if (first === 0) return;
  const empty: AnonVmaId[] = [];
  const lock = anonVmaLock(m, asBrand<AnonVmaId>(m.avc.anonVma[first]));
  yield acquire(lock, WRITE);
  for (let chain = first; chain !== 0; ) {
    const next = m.avc.vmaNext[chain];
    const anonVma = asBrand<AnonVmaId>(m.avc.anonVma[chain]);
    unlinkChain(m, chain);
    if (m.anonVma.avcFirst[anonVma] === 0) {
      m.anonVma.children[m.anonVma.parent[anonVma]]--;
      empty.push(anonVma);
    }
    chain = next;
  }
  const own = m.vma.anonVma[vma];
  if (own !== 0) m.anonVma.active[own]--;
  m.vma.anonVma[vma] = 0;
  yield release(lock, WRITE);
  // Outside the lock, because the last of them may be the root whose lock it is.
  for (const anonVma of empty) putAnonVma(m, anonVma);
}

/** One more reference that keeps an anon_vma (`get_anon_vma`). The caller has one, or holds the lock of a VMA that does. */
export function getAnonVma(m: Machine, anonVma: AnonVmaId): void {
  Atomics.add(m.anonVma.refs, anonVma, 1);
}

/** One reference less; with the last one the anon_vma goes, and its hold on its root (`put_anon_vma`). */
export function putAnonVma(m: Machine, anonVma: AnonVmaId): void {
  if (Atomics.sub(m.anonVma.refs, anonVma, 1) > 1) return;
  const root = asBrand<AnonVmaId>(m.anonVma.root[anonVma]);
  m.anonVma.pool.free(anonVma);
  if (root !== anonVma) putAnonVma(m, root);
}

/**
 * Locks the reverse map of an anonymous folio (`folio_lock_anon_vma_read` and `folio_get_anon_vma`): its anon_vma is kept
 * while the lock is waited for. Gives 0, and nothing is held, if nobody maps the folio. Give it back by
 * `folioUnlockAnonVma`.
 */
export function* folioLockAnonVma(m: Machine, head: Pfn, mode: LockMode): Procedure<AnonVmaId | 0> {
  // Only while it is mapped does a folio's anon_vma surely exist.
  if (folioMapcount(m, head) === 0) return 0;
  const anonVma = folioAnonVma(m, head);
  getAnonVma(m, anonVma);
  yield acquire(anonVmaLock(m, anonVma), mode);
  return yield* ifStillMapped(m, head, anonVma, mode);
}

/** As `folioLockAnonVma`, if the lock is free. */
export function* folioTrylockAnonVma(m: Machine, head: Pfn, mode: LockMode): Procedure<AnonVmaId | 0> {
  if (folioMapcount(m, head) === 0) return 0;
  const anonVma = folioAnonVma(m, head);
  getAnonVma(m, anonVma);
  if ((yield tryAcquire(anonVmaLock(m, anonVma), mode)) === 1) return yield* ifStillMapped(m, head, anonVma, mode);
  putAnonVma(m, anonVma);
  return 0;
}

/** Under the lock: the anon_vma, or 0 and nothing is held if the last mapping went while it was taken. */
function* ifStillMapped(m: Machine, head: Pfn, anonVma: AnonVmaId, mode: LockMode): Procedure<AnonVmaId | 0> {
  if (folioMapcount(m, head) > 0) return anonVma;
  yield* folioUnlockAnonVma(m, anonVma, mode);
  return 0;
}

/** Gives back what `folioLockAnonVma` gave. */
export function* folioUnlockAnonVma(m: Machine, anonVma: AnonVmaId, mode: LockMode): Procedure<void> {
  yield release(anonVmaLock(m, anonVma), mode);
  putAnonVma(m, anonVma);
}

/** True if the VMA is linked to one anon_vma at most: it has no pages of a parent's (`list_is_singular`). */
export function hasSingleChain(m: Machine, vma: VmaId): boolean {
  return m.vma.avcFirst[vma] === m.vma.avcLast[vma];
}

function newRoot(m: Machine): AnonVmaId {
  const anonVma = m.anonVma.pool.alloc();
  m.anonVma.root[anonVma] = anonVma;
  m.anonVma.parent[anonVma] = anonVma;
  m.anonVma.refs[anonVma] = 1;
  // A root is its own parent, and counts itself.
  m.anonVma.children[anonVma] = 1;
  return asBrand<AnonVmaId>(anonVma);
}

function linkChain(m: Machine, vma: VmaId, anonVma: AnonVmaId): void {
  const chain = m.avc.pool.alloc();
  m.avc.vma[chain] = vma;
  m.avc.anonVma[chain] = anonVma;
  vmaChains(m).pushBack(vma, chain);
  anonVmaChains(m).pushBack(anonVma, chain);
}

function unlinkChain(m: Machine, chain: number): void {
  vmaChains(m).remove(m.avc.vma[chain], chain);
  anonVmaChains(m).remove(m.avc.anonVma[chain], chain);
  m.avc.pool.free(chain);
}

function vmaChains(m: Machine): IntrusiveList {
  const { vmaNext: next, vmaPrev: prev } = m.avc;
  return new IntrusiveList({ first: m.vma.avcFirst, last: m.vma.avcLast, next, prev });
}

function anonVmaChains(m: Machine): IntrusiveList {
  const { anonNext: next, anonPrev: prev } = m.avc;
  return new IntrusiveList({ first: m.anonVma.avcFirst, last: m.anonVma.avcLast, next, prev });
}
