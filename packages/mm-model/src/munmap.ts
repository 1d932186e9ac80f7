/**
 * munmap: VMAs across the ends are cut, those in the range leave the address space, and their pages go after mmap_lock
 * has been turned down to reading (`do_vmi_align_munmap`).
 */
import { asBrand } from '@thplab/arena';
import { type Procedure, spend } from '@thplab/sync';
import { unlinkAnonVmas } from './anon-vma.js';
import type { MmId, VmaId, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { unlinkFileVma } from './file-map.js';
import { VM } from './flags.js';
import type { Machine } from './machine.js';
import { splitVma } from './vma/adjust.js';
import { mapCountIsFull } from './vma/vma-merge.js';
import { vmaFree, vmaPages } from './vma/vma-rows.js';
import { mmapReadUnlock, mmapWriteDowngrade, mmapWriteLock, mmapWriteUnlock, vmaStartWrite } from './vma-locks.js';
import { findVma, nextVma, removeVma, vmaBelow, vmaIntersecting } from './vma-tree.js';
import { freePageTables, zapRange } from './zap.js';

/**
 * Unmaps `pages` from `start`. Holes are no error. Gives 0, -EINVAL for a range that is empty or outside the address
 * space, or -ENOMEM if it cuts a VMA in two and there are too many already.
 */
export function* munmap(m: Machine, mm: MmId, start: Vpn, pages: number): Procedure<number> {
  yield spend(m.costs.syscall);
  if (pages <= 0 || start < 0 || start + pages > m.addressPages) return -ERRNO.EINVAL;
  yield* mmapWriteLock(m, mm);
  const detached = yield* detachRange(m, mm, start, start + pages);
  if (typeof detached === 'number') {
    yield* mmapWriteUnlock(m, mm);
    return detached;
  }
  yield* mmapWriteDowngrade(m, mm);
  yield* freeDetached(m, mm, detached);
  yield* mmapReadUnlock(m, mm);
  return 0;
}

/** As munmap, for callers that hold mmap_lock for writing and keep it. */
export function* unmapLocked(m: Machine, mm: MmId, start: number, end: number): Procedure<number> {
  const detached = yield* detachRange(m, mm, start, end);
  if (typeof detached === 'number') return detached;
  yield* freeDetached(m, mm, detached);
  return 0;
}

/** Cuts the VMAs at the ends of the range and takes those inside out of the tree (`vms_gather_munmap_vmas`). */
function* detachRange(m: Machine, mm: MmId, start: number, end: number): Procedure<VmaId[] | number> {
  let vma = vmaIntersecting(m, mm, start, end);
  if (vma === 0) return [];
  if (m.vma.start[vma] < start) {
    // One VMA becomes three pieces of which two stay: the only unmapping that needs room for another.
    if (m.vma.end[vma] > end && mapCountIsFull(m, vma)) return -ERRNO.ENOMEM;
    yield* splitVma(m, vma, start, true);
  }
  const detached: VmaId[] = [];
  while (vma !== 0 && m.vma.start[vma] < end) {
    if (m.vma.end[vma] > end) yield* splitVma(m, vma, end, false);
    yield* vmaStartWrite(m, vma);
    detached.push(vma);
    vma = nextVma(m, vma);
  }
  for (const gone of detached) {
    if ((m.vma.flags[gone] & VM.LOCKED) !== 0) m.mm.lockedVm[mm] -= vmaPages(m, gone);
    removeVma(m, gone);
  }
  yield spend(m.costs.vmaChange * detached.length);
  return detached;
}

/** Frees the pages, page tables and rows of VMAs that are out of the tree (`vms_complete_munmap_vmas`). */
function* freeDetached(m: Machine, mm: MmId, detached: readonly VmaId[]): Procedure<void> {
  for (const vma of detached) {
    yield* zapRange(m, vma, asBrand<Vpn>(m.vma.start[vma]), asBrand<Vpn>(m.vma.end[vma]));
  }
  for (const vma of detached) {
    yield* unlinkAnonVmas(m, vma);
    yield* unlinkFileVma(m, vma);
    const start = asBrand<Vpn>(m.vma.start[vma]);
    const below = vmaBelow(m, mm, start);
    const above = findVma(m, mm, start);
    const floor = below === 0 ? 0 : m.vma.end[below];
    const ceiling = above === 0 ? m.addressPages : m.vma.start[above];
    freePageTables(m, mm, start, asBrand<Vpn>(m.vma.end[vma]), floor, ceiling);
    vmaFree(m, vma);
  }
}
