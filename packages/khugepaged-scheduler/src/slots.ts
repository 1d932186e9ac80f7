/**
 * Registration with khugepaged: enter, exit, fork, and the freeing of slots whose mm has gone (khugepaged spec 5).
 */
import { TableFullError } from '@thplab/arena';
import {
  MMF,
  type MmId,
  mmapWriteLock,
  mmapWriteUnlock,
  mmdrop,
  mmgrab,
  mmIsExiting,
  TVA,
  type VmaId,
} from '@thplab/mm-model';
import { collapsePossible, hugepageEnabled } from '@thplab/mthp-collapse';
import { acquire, type Procedure, release, wake } from '@thplab/sync';
import { detachHints, freeHints, linkRequests, unlinkRequests } from './hints/queue.js';
import type { Khugepaged } from './khugepaged.js';
import { forgetInRound, isBeingScanned } from './scanner.js';

/**
 * Registers the mm of a VMA that may be worth scanning (`khugepaged_enter_vma`). `flags`: as if the VMA had these, for
 * madvise, which is about to set them; default its own.
 */
export function* khugepagedEnterVma(k: Khugepaged, vma: VmaId, flags?: number): Procedure<void> {
  const mm = k.m.vma.mm[vma] as MmId;
  if ((k.m.mm.flags[mm] & MMF.VM_HUGEPAGE) !== 0 || !hugepageEnabled(k.collapse)) return;
  if (collapsePossible(k.collapse, vma, TVA.khugepaged, flags)) yield* khugepagedEnter(k, mm);
}

/** A child of a registered mm is registered whatever its VMAs are (`khugepaged_fork`). */
export function* khugepagedFork(k: Khugepaged, child: MmId, parent: MmId): Procedure<void> {
  if ((k.m.mm.flags[parent] & MMF.VM_HUGEPAGE) !== 0) yield* khugepagedEnter(k, child);
}

/**
 * Registers an mm (`__khugepaged_enter`); no lock is held. Without a free slot nothing happens, except that kernels with
 * `enterFlagFirst` leave the mm marked for good: it is never scanned (case B17 of khugepaged spec 19).
 */
export function* khugepagedEnter(k: Khugepaged, mm: MmId): Procedure<void> {
  const { m, t } = k;
  const flagFirst = k.generation.enterFlagFirst;
  if (flagFirst && testAndSetRegistered(k, mm)) return;
  const slot = allocSlot(k);
  if (slot === 0) return;
  if (!flagFirst && testAndSetRegistered(k, mm)) {
    t.mmSlot.pool.free(slot);
    return;
  }
  t.mmSlot.mm[slot] = mm;
  yield acquire(k.mmLock);
  const wasEmpty = k.slots.isEmpty(0);
  t.mmSlotIndex.slot[mm] = slot;
  k.slots.pushBack(0, slot);
  linkRequests(k, slot);
  yield release(k.mmLock);
  mmgrab(m, mm);
  if (wasEmpty) yield wake(k.waitQueue);
}

function testAndSetRegistered(k: Khugepaged, mm: MmId): boolean {
  return (Atomics.or(k.m.mm.flags, mm, MMF.VM_HUGEPAGE) & MMF.VM_HUGEPAGE) !== 0;
}

function allocSlot(k: Khugepaged): number {
  try {
    return k.t.mmSlot.pool.alloc();
  } catch (error) {
    if (error instanceof TableFullError) return 0;
    throw error;
  }
}

/**
 * Takes an exiting mm (mm_users is 0) off khugepaged's list (`__khugepaged_exit`). If it is the one being scanned, this
 * waits until khugepaged has left its page tables, and leaves the slot to it.
 */
export function* khugepagedExit(k: Khugepaged, mm: MmId): Procedure<void> {
  const { m, t } = k;
  if ((m.mm.flags[mm] & MMF.VM_HUGEPAGE) === 0) return;
  yield acquire(k.mmLock);
  const slot = t.mmSlotIndex.slot[mm];
  const free = slot !== 0 && !isBeingScanned(k, slot);
  const hints = free ? unlinkSlot(k, slot) : 0;
  yield release(k.mmLock);
  if (free) {
    yield* freeHints(k, mm, hints);
    Atomics.and(m.mm.flags, mm, ~MMF.VM_HUGEPAGE);
    t.mmSlot.pool.free(slot);
    mmdrop(m, mm);
  } else if (slot !== 0 && k.generation.exitSkipsScanWait !== true) {
    yield* mmapWriteLock(m, mm);
    yield* mmapWriteUnlock(m, mm);
  }
}

/**
 * Frees the slot of an mm that is exiting (`collect_mm_slot`); khugepaged_mm_lock is held. Its collapse hints are freed
 * under the lock, however many there are (khugepaged spec 17.4, H14), unless the policy gives it up for that.
 */
export function* collectMmSlot(k: Khugepaged, slot: number): Procedure<void> {
  const mm = k.t.mmSlot.mm[slot] as MmId;
  if (!mmIsExiting(k.m, mm)) return;
  const hints = unlinkSlot(k, slot);
  if (hints !== 0 && k.hints?.policy.freesUnderLock === false) {
    yield release(k.mmLock);
    yield* freeHints(k, mm, hints);
    yield acquire(k.mmLock);
  } else yield* freeHints(k, mm, hints);
  k.t.mmSlot.pool.free(slot);
  mmdrop(k.m, mm);
}

/** Gives the hints of the slot as a chain for `freeHints`. */
function unlinkSlot(k: Khugepaged, slot: number): number {
  forgetInRound(k, slot);
  k.slots.remove(0, slot);
  k.t.mmSlotIndex.slot[k.t.mmSlot.mm[slot]] = 0;
  unlinkRequests(k, slot);
  return detachHints(k, slot);
}
