/**
 * The three basic changes of VMAs: cut one in two, let one grow over its neighbours, move a boundary. Callers hold
 * mmap_lock for writing. Walkers of the reverse map compute addresses from a VMA's start and pgoff, so both change under
 * the anon_vma lock (`vma_prepare`, `vma_complete`).
 */
import { asBrand } from '@thplab/arena';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import { anonVmaClone, anonVmaLock, unlinkAnonVmas } from '../anon-vma.js';
import type { AnonVmaId, MmId, VmaId, Vpn } from '../brands.js';
import { fileMapWriteLock, fileMapWriteUnlock, removeFromFileMap } from '../file-map.js';
import { splitHugePmd } from '../huge-pmd.js';
import type { Machine } from '../machine.js';
import { directoryOf, findPmd, NO_PMD, PMD, pmdType } from '../page-table.js';
import { vmaStartWrite } from '../vma-locks.js';
import { insertVma, removeVma } from '../vma-tree.js';
import { vmaDup, vmaFree } from './vma-rows.js';

/**
 * Cuts a VMA at `at` (`__split_vma`). The given row keeps the lower part, or the upper one if `newBelow`; the other part
 * is returned. A huge PMD across the cut becomes a table.
 */
export function* splitVma(m: Machine, vma: VmaId, at: number, newBelow: boolean): Procedure<VmaId> {
  yield* vmaStartWrite(m, vma);
  const other = vmaDup(m, vma, asBrand<MmId>(m.vma.mm[vma]));
  if (newBelow) setRange(m, other, m.vma.start[vma], at);
  else setRange(m, other, at, m.vma.end[vma]);
  m.vma.lockSeq[other] = m.vma.lockSeq[vma];
  yield* anonVmaClone(m, other, vma);
  yield* splitHugePmdAt(m, vma, at);
  const fileMap = yield* fileMapWriteLock(m, vma);
  yield* setRangeLocked(m, vma, newBelow ? at : m.vma.start[vma], newBelow ? m.vma.end[vma] : at);
  insertVma(m, other);
  yield* fileMapWriteUnlock(fileMap);
  yield spend(m.costs.vmaChange);
  return other;
}

/** Lets `vma` cover [start, end) in place of `gone`, the VMAs that lie wholly in what it gains (`commit_merge`). */
export function* expandVma(
  m: Machine,
  vma: VmaId,
  start: number,
  end: number,
  gone: readonly VmaId[],
): Procedure<void> {
  yield* vmaStartWrite(m, vma);
  for (const other of gone) yield* vmaStartWrite(m, other);
  yield* splitHugePmdAt(m, vma, start);
  yield* splitHugePmdAt(m, vma, end);
  for (const other of gone) yield* dupAnonVma(m, vma, other);
  for (const other of gone) removeVma(m, other);
  const fileMap = yield* fileMapWriteLock(m, vma);
  // A file's list never shows the same pages twice.
  for (const other of gone) removeFromFileMap(m, other);
  yield* setRangeLocked(m, vma, start, end);
  yield* fileMapWriteUnlock(fileMap);
  for (const other of gone) {
    yield* unlinkAnonVmas(m, other);
    vmaFree(m, other);
  }
  yield spend(m.costs.vmaChange);
}

/**
 * Moves the boundary between two neighbours to `at`: one of them takes a part of the other. Both change under one hold of
 * the reverse map's lock, so that no walker misses the pages in between. The one that shrinks must not vanish.
 */
export function* moveBoundary(m: Machine, below: VmaId, above: VmaId, at: number): Procedure<void> {
  const shrinks = at < m.vma.end[below] ? below : above;
  const grows = shrinks === below ? above : below;
  yield* vmaStartWrite(m, below);
  yield* vmaStartWrite(m, above);
  yield* dupAnonVma(m, grows, shrinks);
  yield* splitHugePmdAt(m, shrinks, at);
  const fileMap = yield* fileMapWriteLock(m, grows);
  const anonVma = m.vma.anonVma[grows];
  const lock = anonVma === 0 ? undefined : anonVmaLock(m, asBrand<AnonVmaId>(anonVma));
  if (lock !== undefined) yield acquire(lock);
  setRange(m, below, m.vma.start[below], at);
  setRange(m, above, at, m.vma.end[above]);
  if (lock !== undefined) yield release(lock);
  yield* fileMapWriteUnlock(fileMap);
  yield spend(m.costs.vmaChange);
}

/** Makes the anon_vma of a neighbour `dst`'s own, if `dst` has none (`dup_anon_vma`). */
export function* dupAnonVma(m: Machine, dst: VmaId, src: VmaId): Procedure<void> {
  if (m.vma.anonVma[src] === 0 || m.vma.anonVma[dst] !== 0) return;
  m.vma.anonVma[dst] = m.vma.anonVma[src];
  yield* anonVmaClone(m, dst, src);
}

/** Turns a huge PMD across a boundary at `page` into a table (`split_huge_pmd_if_needed`). */
export function* splitHugePmdAt(m: Machine, vma: VmaId, page: number): Procedure<void> {
  if (page % m.ptes === 0) return;
  const block = page - (page % m.ptes);
  if (block < m.vma.start[vma] || block + m.ptes > m.vma.end[vma]) return;
  yield* splitHugePmdOf(m, vma, page as Vpn);
}

/** Turns the huge PMD that maps `page`, if there is one, into a table (`split_huge_pmd_address`). */
export function* splitHugePmdOf(m: Machine, vma: VmaId, page: Vpn): Procedure<void> {
  const pmd = findPmd(m, asBrand<MmId>(m.vma.mm[vma]), page);
  if (pmd === NO_PMD || pmdType(m.directory.entry[pmd]) !== PMD.huge) return;
  const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(lock);
  const split = pmdType(m.directory.entry[pmd]) === PMD.huge;
  if (split) splitHugePmd(m, vma, pmd, page);
  yield release(lock);
  if (split) yield spend(m.costs.pmdFlush + m.ptes * m.costs.setPte);
}

/** Moves a VMA's bounds under the lock of the reverse map; pgoff follows its start. */
function* setRangeLocked(m: Machine, vma: VmaId, start: number, end: number): Procedure<void> {
  const anonVma = m.vma.anonVma[vma];
  if (anonVma === 0) {
    setRange(m, vma, start, end);
    return;
  }
  const lock = anonVmaLock(m, asBrand<AnonVmaId>(anonVma));
  yield acquire(lock);
  setRange(m, vma, start, end);
  yield release(lock);
}

function setRange(m: Machine, vma: VmaId, start: number, end: number): void {
  m.vma.pgoff[vma] += start - m.vma.start[vma];
  m.vma.start[vma] = start;
  m.vma.end[vma] = end;
}
