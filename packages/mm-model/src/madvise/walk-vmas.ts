/** The VMAs of a range, one after the other (`madvise_walk_vmas`). */
import type { Procedure } from '@thplab/sync';
import type { MmId, VmaId } from '../brands.js';
import { ERRNO } from '../errno.js';
import type { Machine } from '../machine.js';
import { vmaIntersecting } from '../vma-tree.js';

/** Handles one VMA's part of the range; 0 or a negative errno, which ends the walk. */
export type VmaVisitor = (vma: VmaId, start: number, end: number) => Procedure<number>;

/**
 * Visits the VMAs ascending. A visitor's error ends the walk. A hole does not: the rest is visited, and the result is
 * -ENOMEM at the end. mmap_lock is the caller's; the visitor may change VMAs, the walk looks the next one up by address.
 */
export function* madviseWalkVmas(
  m: Machine,
  mm: MmId,
  start: number,
  end: number,
  visit: VmaVisitor,
): Procedure<number> {
  let unmapped = 0;
  for (let at = start; at < end; ) {
    const vma = vmaIntersecting(m, mm, at, end);
    if (vma === 0) return -ERRNO.ENOMEM;
    if (m.vma.start[vma] > at) {
      unmapped = -ERRNO.ENOMEM;
      at = m.vma.start[vma];
    }
    const to = Math.min(end, m.vma.end[vma]);
    const failed = yield* visit(vma, at, to);
    if (failed < 0) return failed;
    at = to;
  }
  return unmapped;
}
