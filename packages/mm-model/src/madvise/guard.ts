/**
 * Guard regions: entries that give SIGSEGV without a VMA of their own (MADV_GUARD_INSTALL, MADV_GUARD_REMOVE).
 */
import { asBrand, findBit } from '@thplab/arena';
import type { Procedure } from '@thplab/sync';
import { anonVmaPrepare } from '../anon-vma.js';
import type { MmId, TableId, VmaId, Vpn } from '../brands.js';
import { ERRNO } from '../errno.js';
import { pteAlloc } from '../fault.js';
import { ENTRY_KIND, entryKind, makeEntry, VM } from '../flags.js';
import type { Machine } from '../machine.js';
import { allocPmd, clearPte, isPteNone, pteBit, pteCell, setPteEntry, slotOf } from '../page-table.js';
import { slotsOf, walkBlocks, withPteLock } from '../pte-range.js';
import { VM_SPECIAL } from '../vma/compatible.js';
import { zapRange } from '../zap.js';

/** Rounds of zapping and installing before the caller is sent away (MAX_MADVISE_GUARD_RETRIES). */
const MAX_ROUNDS = 5;

/**
 * Makes every page of the range a guard; pages that are there are lost. mmap_lock or the VMA's lock is the caller's. Gives
 * 0, -EINVAL for a special or locked VMA, -EAGAIN if others keep touching pages of the range.
 */
export function* madviseGuardInstall(m: Machine, vma: VmaId, start: number, end: number): Procedure<number> {
  if (!isValidGuardVma(m, vma, false)) return -ERRNO.EINVAL;
  // fork copies page tables only of VMAs that have an anon_vma, and guards are to be inherited.
  yield* anonVmaPrepare(m, vma);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (yield* installGuards(m, vma, start, end)) return 0;
    yield* zapRange(m, vma, asBrand<Vpn>(start), asBrand<Vpn>(end), { keepGuards: true });
  }
  return -ERRNO.EAGAIN;
}

/** Makes guards of the range none again; other entries stay. Gives 0 or -EINVAL. */
export function* madviseGuardRemove(m: Machine, vma: VmaId, start: number, end: number): Procedure<number> {
  if (!isValidGuardVma(m, vma, true)) return -ERRNO.EINVAL;
  yield* walkBlocks(m, vma, start, end, {
    skipHuge: true,
    *table(visit, table) {
      const { from, to } = slotsOf(m, visit);
      yield* withPteLock(m, visit.mm, visit.start, table, () => removeGuards(m, table, from, to));
    },
  });
  return 0;
}

function isValidGuardVma(m: Machine, vma: VmaId, allowLocked: boolean): boolean {
  const disallowed = VM_SPECIAL | VM.HUGETLB | (allowLocked ? 0 : VM.LOCKED);
  return (m.vma.flags[vma] & disallowed) === 0;
}

/** Installs guards in all tables of the range until something else is in the way; true if all are guards. */
function* installGuards(m: Machine, vma: VmaId, start: number, end: number): Procedure<boolean> {
  const mm = asBrand<MmId>(m.vma.mm[vma]);
  for (let at = start; at < end; ) {
    const page = asBrand<Vpn>(at);
    const to = Math.min(end, at - (at % m.ptes) + m.ptes);
    const table = yield* pteAlloc(m, mm, allocPmd(m, mm, page), page);
    if (table === 0) return false;
    const from = slotOf(m, page);
    let clean = false;
    yield* withPteLock(m, mm, page, table, () => {
      const installed = fillWithGuards(m, table, from, from + (to - at));
      clean = installed >= 0;
      return Math.max(0, installed);
    });
    if (!clean) return false;
    at = to;
  }
  return true;
}

/** Number of guards installed, or -1 at the first entry that is neither none nor a guard. */
function fillWithGuards(m: Machine, table: TableId, from: number, to: number): number {
  let installed = 0;
  for (let slot = from; slot < to; slot++) {
    if (isGuard(m, table, slot)) continue;
    if (!isPteNone(m, table, slot)) return -1;
    setPteEntry(m, table, slot, makeEntry(ENTRY_KIND.markerGuard));
    installed++;
  }
  return installed;
}

function removeGuards(m: Machine, table: TableId, from: number, to: number): number {
  const base = pteBit(m, table, 0);
  let removed = 0;
  for (let bit = findBit(m.pte.nonPresent, base + from, base + to); bit >= 0; ) {
    if (isGuard(m, table, bit - base)) {
      clearPte(m, table, bit - base);
      removed++;
    }
    bit = findBit(m.pte.nonPresent, bit + 1, base + to);
  }
  return removed;
}

function isGuard(m: Machine, table: TableId, slot: number): boolean {
  const bit = pteBit(m, table, slot);
  const value = m.pte.pfn[pteCell(m, table, slot)];
  return findBit(m.pte.nonPresent, bit, bit + 1) >= 0 && entryKind(value) === ENTRY_KIND.markerGuard;
}
