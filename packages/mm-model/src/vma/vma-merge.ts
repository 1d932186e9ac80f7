/**
 * Merging and splitting by the change of a range's properties (`vma_modify`, `vma_merge_existing_range`,
 * `vma_merge_new_range`). mmap_lock is held for writing.
 */
import { asBrand } from '@thplab/arena';
import type { Procedure } from '@thplab/sync';
import type { MmId, VmaId } from '../brands.js';
import { ERRNO } from '../errno.js';
import type { Machine } from '../machine.js';
import { MAX_MAP_COUNT } from '../mm.js';
import { vmaStartWrite } from '../vma-locks.js';
import { findVma, insertVma, nextVma, prevVma, vmaBelow } from '../vma-tree.js';
import { dupAnonVma, expandVma, moveBoundary, splitVma } from './adjust.js';
import { anonVmasOfBothAgree, canTakeAbove, canTakeBelow, type RangeFacts, rangeOf } from './compatible.js';
import { type VmaFacts, vmaAlloc } from './vma-rows.js';

/**
 * Gives the part [start, end) of a VMA other flags. It becomes part of a neighbour that now is of the same sort, or a VMA
 * of its own. Returns the VMA that has the range then (it may be larger), or -ENOMEM if a split would exceed the limit of
 * VMAs; a split that had to come first stays, as in the kernel.
 */
export function* vmaModifyFlags(
  m: Machine,
  vma: VmaId,
  start: number,
  end: number,
  flags: number,
): Procedure<VmaId | number> {
  if (m.vma.flags[vma] === flags) return vma;
  const merged = yield* mergeExisting(m, vma, { ...rangeOf(m, vma, start, end), flags });
  if (merged !== 0) return merged;
  if (m.vma.start[vma] < start) {
    if (mapCountIsFull(m, vma)) return -ERRNO.ENOMEM;
    yield* splitVma(m, vma, start, true);
  }
  if (m.vma.end[vma] > end) {
    if (mapCountIsFull(m, vma)) return -ERRNO.ENOMEM;
    yield* splitVma(m, vma, end, false);
  }
  yield* vmaStartWrite(m, vma);
  m.vma.flags[vma] = flags;
  return vma;
}

/**
 * Adds a range that is mapped newly: a neighbour of the same sort grows over it, both neighbours become one with it, or
 * it becomes a VMA of its own. The range must be unmapped. Gives the VMA and whether it existed before.
 */
export function* mapNewRange(m: Machine, mm: MmId, facts: VmaFacts): Procedure<{ vma: VmaId; merged: boolean }> {
  const range: RangeFacts = {
    start: facts.start,
    end: facts.end,
    flags: facts.flags,
    kind: facts.kind ?? 0,
    file: facts.file ?? 0,
    pgoff: facts.pgoff ?? facts.start,
    anonVma: 0,
    forked: false,
  };
  const merged = yield* mergeNewRange(m, mm, range);
  if (merged !== 0) return { vma: merged, merged: true };
  const vma = vmaAlloc(m, mm, facts);
  m.vma.lockSeq[vma] = m.mm.lockSeq[mm];
  insertVma(m, vma);
  return { vma, merged: false };
}

/**
 * Lets neighbours grow over an unmapped range (`vma_merge_new_range`). `source`: the VMA whose pages will move there
 * (`vma_merge_copied_range`); the neighbour takes over its anon_vma if it has none. Gives the VMA that has the range then,
 * or 0.
 */
export function* mergeNewRange(m: Machine, mm: MmId, range: RangeFacts, source: VmaId | 0 = 0): Procedure<VmaId | 0> {
  const below = vmaBelow(m, mm, range.start);
  const above = findVma(m, mm, range.start);
  const lower = below !== 0 && canTakeAbove(m, below, range);
  const upper =
    above !== 0 && canTakeBelow(m, above, range) && (!lower || anonVmasOfBothAgree(m, asBrand<VmaId>(below), above));
  if (lower) {
    if (source !== 0) yield* dupAnonVma(m, below, source);
    yield* expandVma(m, below, m.vma.start[below], upper ? m.vma.end[above] : range.end, upper ? [above] : []);
    yield* m.hooks.khugepagedEnterVma(below);
    return below;
  }
  if (!upper) return 0;
  if (source !== 0) yield* dupAnonVma(m, above, source);
  yield* expandVma(m, above, range.start, m.vma.end[above], []);
  yield* m.hooks.khugepagedEnterVma(above);
  return above;
}

/** True if the mm may have no further VMA (`vm.max_map_count`). */
export function mapCountIsFull(m: Machine, vma: VmaId): boolean {
  return m.mm.vmaCount[m.vma.mm[vma]] >= MAX_MAP_COUNT;
}

/**
 * A part of a VMA, with changed facts, joins its neighbours (`vma_merge_existing_range`). Only a part that touches the
 * VMA's start can join the VMA below, and the same above. Gives the VMA that has the range then, or 0.
 */
function* mergeExisting(m: Machine, vma: VmaId, range: RangeFacts): Procedure<VmaId | 0> {
  const { start, end } = m.vma;
  const atStart = range.start === start[vma];
  const atEnd = range.end === end[vma];
  const below = atStart ? prevVma(m, vma) : 0;
  const above = atEnd ? nextVma(m, vma) : 0;
  const lower = below !== 0 && canTakeAbove(m, below, range);
  const upper =
    above !== 0 && canTakeBelow(m, above, range) && (!lower || anonVmasOfBothAgree(m, asBrand<VmaId>(below), above));
  if (!lower && !upper) return 0;
  const target = lower ? below : above;
  if (target === 0) return 0;
  yield* vmaStartWrite(m, vma);
  if (atStart && atEnd) {
    const gone = lower && upper && above !== 0 ? [vma, above] : [vma];
    const from = lower ? start[target] : range.start;
    const to = lower && upper ? end[above] : lower ? range.end : end[target];
    yield* expandVma(m, target, from, to, gone);
  } else {
    yield* lower ? moveBoundary(m, target, vma, range.end) : moveBoundary(m, vma, target, range.start);
  }
  yield* m.hooks.khugepagedEnterVma(target);
  return target;
}
