/**
 * mremap: a mapping shrinks, grows where it is, or moves with its pages (`mremap_to`, `expand_vma`, `move_vma`).
 */
import { asBrand } from '@thplab/arena';
import { type Procedure, spend } from '@thplab/sync';
import { anonVmaClone, unlinkAnonVmas } from './anon-vma.js';
import type { MmId, VmaId, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { VM, VM_UFFD } from './flags.js';
import type { Machine } from './machine.js';
import { MAX_MAP_COUNT } from './mm.js';
import { movePageTables } from './move-page-tables.js';
import { unmapLocked } from './munmap.js';
import { mmPopulate } from './populate-range.js';
import { type RangeFacts, rangeOf } from './vma/compatible.js';
import { findUnmappedArea, lowestPage } from './vma/unmapped-area.js';
import { mergeNewRange } from './vma/vma-merge.js';
import { vmaDup, vmaIsAnonymous } from './vma/vma-rows.js';
import { mmapWriteLock, mmapWriteUnlock, vmaStartWrite } from './vma-locks.js';
import { insertVma, vmaAt, vmaIntersecting } from './vma-tree.js';

/** What mremap may do. */
export interface MremapOptions {
  /** MREMAP_MAYMOVE. */
  readonly mayMove?: boolean;
  /** MREMAP_FIXED: first page of the new place; what is there is unmapped. */
  readonly to?: Vpn;
  /** MREMAP_DONTUNMAP: the old range stays mapped, empty. */
  readonly dontUnmap?: boolean;
}

/** A move or growth, all checks done. */
interface Move {
  readonly vma: VmaId;
  readonly start: number;
  readonly oldPages: number;
  readonly newPages: number;
  readonly dontUnmap: boolean;
}

/**
 * Gives the range of `oldPages` from `start` the length `newPages`, or another place. Gives its first page, or -EINVAL,
 * -EFAULT (the range is not in one VMA; a range that only moves to `to` may be in several), -ENOMEM (no room, or too many
 * VMAs).
 */
export function* mremap(
  m: Machine,
  mm: MmId,
  start: Vpn,
  oldPages: number,
  newPages: number,
  options: MremapOptions = {},
): Procedure<number> {
  yield spend(m.costs.syscall);
  if (invalid(m, start, oldPages, newPages, options)) return -ERRNO.EINVAL;
  yield* mmapWriteLock(m, mm);
  const result = yield* remapLocked(m, mm, start, oldPages, newPages, options);
  const grownLocked = result > 0 && newPages > oldPages && (flagsAt(m, mm, result) & VM.LOCKED) !== 0;
  yield* mmapWriteUnlock(m, mm);
  if (grownLocked) yield* mmPopulate(m, mm, result + oldPages, result + newPages);
  return result;
}

function flagsAt(m: Machine, mm: MmId, page: number): number {
  const vma = vmaAt(m, mm, page);
  return vma === 0 ? 0 : m.vma.flags[vma];
}

function invalid(m: Machine, start: number, oldPages: number, newPages: number, options: MremapOptions): boolean {
  const { to } = options;
  if (oldPages <= 0 || newPages <= 0 || newPages > m.addressPages) return true;
  if (options.dontUnmap === true && (options.mayMove !== true || oldPages !== newPages)) return true;
  if (to === undefined) return false;
  const overlaps = to < start + oldPages && start < to + newPages;
  return options.mayMove !== true || to < lowestPage(m) || to + newPages > m.addressPages || overlaps;
}

function* remapLocked(
  m: Machine,
  mm: MmId,
  start: number,
  oldPages: number,
  newPages: number,
  options: MremapOptions,
): Procedure<number> {
  if (options.to !== undefined && oldPages === newPages) {
    const { to, dontUnmap = false } = options;
    return yield* moveRange(m, mm, { start, oldPages, newPages, dontUnmap }, to);
  }
  const vma = vmaAt(m, mm, start);
  if (vma === 0 || start + oldPages > m.vma.end[vma]) return -ERRNO.EFAULT;
  if (newPages > oldPages && (m.vma.flags[vma] & (VM.DONTEXPAND | VM.PFNMAP)) !== 0) return -ERRNO.EFAULT;
  const { to, dontUnmap = false } = options;
  if (to !== undefined) return yield* remapTo(m, mm, { start, oldPages, newPages, dontUnmap }, to);
  if (newPages < oldPages) {
    const failed = yield* unmapLocked(m, mm, start + newPages, start + oldPages);
    return failed < 0 ? failed : start;
  }
  if (newPages === oldPages && !dontUnmap) return start;
  if (!dontUnmap && (yield* growInPlace(m, mm, vma, start, oldPages, newPages))) return start;
  if (options.mayMove !== true) return -ERRNO.ENOMEM;
  const place = findUnmappedArea(m, mm, newPages, m.vma.kind[vma]);
  if (place === 0) return -ERRNO.ENOMEM;
  return yield* moveVma(m, mm, { vma, start, oldPages, newPages, dontUnmap }, place);
}

/**
 * Moving without a change of length, to a given place (`remap_move`): everything that is mapped in the range goes along,
 * VMA by VMA, and gaps between them stay gaps. Only where it begins there must be something, and a VMA of userfaultfd
 * must be the only one. What came before a failure has moved. Conformance with Linux 6.18; up to 6.16 the range had to lie
 * in one VMA.
 */
function* moveRange(m: Machine, mm: MmId, move: Omit<Move, 'vma'>, to: number): Procedure<number> {
  const end = move.start + move.oldPages;
  let vma = vmaAt(m, mm, move.start);
  if (vma === 0) return -ERRNO.EFAULT;
  for (let at = move.start; vma !== 0; ) {
    const from = Math.max(at, m.vma.start[vma]);
    const until = Math.min(end, m.vma.end[vma]);
    const others = from > move.start || m.vma.end[vma] < end;
    if (others && (m.vma.flags[vma] & VM_UFFD) !== 0) return -ERRNO.EFAULT;
    const pages = until - from;
    const place = to + (from - move.start);
    const moved = yield* remapTo(m, mm, { ...move, start: from, oldPages: pages, newPages: pages }, place);
    if (moved < 0) return moved;
    at = until;
    vma = at < end ? vmaIntersecting(m, mm, at, end) : 0;
  }
  return to;
}

/** MREMAP_FIXED for one VMA: makes room at the new place, cuts off what gets lost, moves the rest. */
function* remapTo(m: Machine, mm: MmId, move: Omit<Move, 'vma'>, to: number): Procedure<number> {
  // Room for the splits at both places and the copy.
  if (m.mm.vmaCount[mm] + 2 >= MAX_MAP_COUNT - 3) return -ERRNO.ENOMEM;
  const cleared = yield* unmapLocked(m, mm, to, to + move.newPages);
  if (cleared < 0) return cleared;
  const oldPages = Math.min(move.oldPages, move.newPages);
  // Only a mapping that shrinks: unmapping nothing would still split the VMA at that place.
  if (oldPages < move.oldPages) {
    const cut = yield* unmapLocked(m, mm, move.start + oldPages, move.start + move.oldPages);
    if (cut < 0) return cut;
  }
  const vma = vmaAt(m, mm, move.start);
  return vma === 0 ? -ERRNO.EFAULT : yield* moveVma(m, mm, { ...move, oldPages, vma }, to);
}

/** Grows a VMA over free space above it (`vma_merge_extend`); false if that is not possible. */
function* growInPlace(
  m: Machine,
  mm: MmId,
  vma: VmaId,
  start: number,
  oldPages: number,
  newPages: number,
): Procedure<boolean> {
  const end = start + oldPages;
  const newEnd = start + newPages;
  if (m.vma.end[vma] !== end || newEnd > m.addressPages || vmaIntersecting(m, mm, end, newEnd) !== 0) return false;
  const grown = yield* mergeNewRange(m, mm, rangeOf(m, vma, end, newEnd), vma);
  if (grown === 0) return false;
  if ((m.vma.flags[grown] & VM.LOCKED) !== 0) m.mm.lockedVm[mm] += newPages - oldPages;
  return true;
}

function* moveVma(m: Machine, mm: MmId, move: Move, to: number): Procedure<number> {
  const { start, oldPages, newPages } = move;
  if (m.mm.vmaCount[mm] >= MAX_MAP_COUNT - 3) return -ERRNO.ENOMEM;
  yield* vmaStartWrite(m, move.vma);
  const flags = m.vma.flags[move.vma];
  const target = yield* copyVma(m, mm, move.vma, start, to, newPages);
  // The old range's VMA may have become one with the new one.
  const vma = vmaAt(m, mm, start);
  if (vma === 0) return -ERRNO.EFAULT;
  yield* movePageTables(m, { vma, from: start, to, pages: oldPages });
  const locked = (flags & VM.LOCKED) !== 0;
  if (locked) m.mm.lockedVm[mm] += newPages;
  yield spend(m.costs.vmaChange);
  if (!move.dontUnmap) {
    const failed = yield* unmapLocked(m, mm, start, start + oldPages);
    return failed < 0 ? failed : to;
  }
  if (locked) {
    m.vma.flags[vma] &= ~VM.LOCKED;
    m.mm.lockedVm[mm] -= oldPages;
  }
  const whole = m.vma.start[vma] === start && m.vma.end[vma] === start + oldPages;
  if (vma !== target && whole) yield* unlinkAnonVmas(m, vma);
  return to;
}

/**
 * The VMA at the new place (`copy_vma`): a neighbour there that fits, or a copy. Pages keep their place in the anon_vma, so
 * pgoff goes along; memory without pages gets the pgoff of a new mapping, which lets it merge. userfaultfd does not follow.
 */
function* copyVma(m: Machine, mm: MmId, vma: VmaId, start: number, to: number, pages: number): Procedure<VmaId> {
  const fresh = vmaIsAnonymous(m, vma) && m.vma.anonVma[vma] === 0;
  const pgoff = fresh ? to : m.vma.pgoff[vma] + (start - m.vma.start[vma]);
  const flags = m.vma.flags[vma] & ~VM_UFFD;
  const range: RangeFacts = { ...rangeOf(m, vma), start: to, end: to + pages, pgoff, flags };
  const merged = yield* mergeNewRange(m, mm, range, vma);
  if (merged !== 0) return merged;
  const copy = vmaDup(m, vma, asBrand<MmId>(m.vma.mm[vma]));
  m.vma.start[copy] = to;
  m.vma.end[copy] = to + pages;
  m.vma.pgoff[copy] = pgoff;
  m.vma.flags[copy] = flags;
  m.vma.lockSeq[copy] = m.mm.lockSeq[mm];
  yield* anonVmaClone(m, copy, vma);
  insertVma(m, copy);
  return copy;
}
