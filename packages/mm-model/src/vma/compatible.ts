/**
 * Whether two neighbouring VMAs could be one (`is_mergeable_vma`, `is_mergeable_anon_vma`).
 */
import { asBrand } from '@thplab/arena';
import type { AnonVmaId, VmaId } from '../brands.js';
import { VM } from '../flags.js';
import type { Machine } from '../machine.js';
import { nextVma, prevVma } from '../vma-tree.js';
import { vmaIsAnonymous } from './vma-rows.js';

/** VMAs with any of these are never merged (VM_SPECIAL). */
export const VM_SPECIAL: number = VM.IO | VM.DONTEXPAND | VM.PFNMAP | VM.MIXEDMAP;

/** What a range of memory is, for the question whether a neighbour may take it in. */
export interface RangeFacts {
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly kind: number;
  readonly file: number;
  readonly pgoff: number;
  /** anon_vma of the range, 0 if it has none. */
  readonly anonVma: number;
  /** The range has pages of a parent process that were never copied (more than one chain). */
  readonly forked: boolean;
}

/** The facts of a VMA's range, or a part of it. */
export function rangeOf(
  m: Machine,
  vma: VmaId,
  start: number = m.vma.start[vma],
  end: number = m.vma.end[vma],
): RangeFacts {
  return {
    start,
    end,
    flags: m.vma.flags[vma],
    kind: m.vma.kind[vma],
    file: m.vma.file[vma],
    pgoff: m.vma.pgoff[vma] + (start - m.vma.start[vma]),
    anonVma: m.vma.anonVma[vma],
    forked: forked(m, vma),
  };
}

/** True if the VMA below may grow over the range (`can_vma_merge_after`). */
export function canTakeAbove(m: Machine, below: VmaId, range: RangeFacts): boolean {
  return (
    m.vma.end[below] === range.start &&
    m.vma.pgoff[below] + (m.vma.end[below] - m.vma.start[below]) === range.pgoff &&
    sameSort(m, below, range) &&
    anonVmasAgree(m, below, range)
  );
}

/** True if the VMA above may grow over the range (`can_vma_merge_before`). */
export function canTakeBelow(m: Machine, above: VmaId, range: RangeFacts): boolean {
  return (
    m.vma.start[above] === range.end &&
    range.pgoff + (range.end - range.start) === m.vma.pgoff[above] &&
    sameSort(m, above, range) &&
    anonVmasAgree(m, above, range)
  );
}

/** True if two VMAs, both fit to take in what is between them, also fit each other. */
export function anonVmasOfBothAgree(m: Machine, below: VmaId, above: VmaId): boolean {
  const a = m.vma.anonVma[below];
  const b = m.vma.anonVma[above];
  return a === 0 || b === 0 || a === b;
}

/**
 * The anon_vma of a neighbour that could be the VMA's own (`find_mergeable_anon_vma`): the two differ in access rights at
 * most, so that one mprotect can make them one VMA; and the neighbour has no pages of a parent's. The upper neighbour is
 * asked first.
 */
export function findMergeableAnonVma(m: Machine, vma: VmaId): AnonVmaId | 0 {
  const above = nextVma(m, vma);
  if (above !== 0 && reusable(m, above) && almostOne(m, vma, above)) return asBrand<AnonVmaId>(m.vma.anonVma[above]);
  const below = prevVma(m, vma);
  if (below !== 0 && reusable(m, below) && almostOne(m, below, vma)) return asBrand<AnonVmaId>(m.vma.anonVma[below]);
  return 0;
}

/** Pages of a parent process may be mapped (`vma_had_uncowed_parents`): the VMA has more than one chain. */
function forked(m: Machine, vma: VmaId): boolean {
  return m.vma.anonVma[vma] !== 0 && m.vma.avcFirst[vma] !== m.vma.avcLast[vma];
}

function sameSort(m: Machine, vma: VmaId, range: RangeFacts): boolean {
  return (
    ((m.vma.flags[vma] | range.flags) & VM_SPECIAL) === 0 &&
    m.vma.flags[vma] === range.flags &&
    m.vma.kind[vma] === range.kind &&
    m.vma.file[vma] === range.file
  );
}

function anonVmasAgree(m: Machine, vma: VmaId, range: RangeFacts): boolean {
  const own = m.vma.anonVma[vma];
  if (own === 0 && range.anonVma !== 0) return !range.forked;
  if (own !== 0 && range.anonVma === 0) return !forked(m, vma);
  return own === range.anonVma;
}

function reusable(m: Machine, vma: VmaId): boolean {
  return m.vma.anonVma[vma] !== 0 && m.vma.avcFirst[vma] === m.vma.avcLast[vma] && vmaIsAnonymous(m, vma);
}

function almostOne(m: Machine, below: VmaId, above: VmaId): boolean {
  const access = VM.READ | VM.WRITE | VM.EXEC;
  return (
    m.vma.end[below] === m.vma.start[above] &&
    m.vma.kind[below] === m.vma.kind[above] &&
    m.vma.file[below] === m.vma.file[above] &&
    ((m.vma.flags[below] ^ m.vma.flags[above]) & ~access) === 0 &&
    m.vma.pgoff[above] === m.vma.pgoff[below] + (m.vma.end[below] - m.vma.start[below])
  );
}
