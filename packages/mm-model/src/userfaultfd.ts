/**
 * userfaultfd: arming ranges, and write-protecting them. One descriptor per process: who handles its events is the
 * scenario's business, so a fault that would wait for it gives FAULT.userfault.
 */
import { clearBits, countBits, findBit, getBit, setBit } from '@thplab/arena';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { MmId, TableId, VmaId, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { pteAlloc } from './fault.js';
import { ENTRY_KIND, entryKind, makeEntry, VM, VM_UFFD, VMA_KIND } from './flags.js';
import type { Machine } from './machine.js';
import { canChangePmdWritable, upgradeWrite } from './mprotect.js';
import {
  allocPmd,
  clearPte,
  directoryOf,
  flushBlock,
  flushPtes,
  isPteNone,
  PMD,
  PMD_UFFD_WP,
  PMD_WRITE,
  pmdType,
  pteBit,
  pteCell,
  setPteEntry,
} from './page-table.js';
import { type BlockVisit, coversBlock, slotsOf, walkBlocks, withPteLock } from './pte-range.js';
import { vmaModifyFlags } from './vma/vma-merge.js';
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from './vma-locks.js';
import { nextVma, vmaIntersecting } from './vma-tree.js';

/** What a userfaultfd is told about (UFFDIO_REGISTER_MODE_*): VM.UFFD_MISSING, VM.UFFD_WP, VM.UFFD_MINOR, or several. */
export type UffdMode = number;

/**
 * UFFDIO_REGISTER (`userfaultfd_register`). Holes are passed over. Gives 0; -EINVAL for a bad range or mode, a range
 * without any VMA, or with one that cannot be armed (a file other than shmem; minor mode outside shmem); -ENOMEM if a VMA
 * would have to be split and there are too many.
 */
export function* userfaultfdRegister(
  m: Machine,
  mm: MmId,
  start: Vpn,
  pages: number,
  mode: UffdMode,
): Procedure<number> {
  yield spend(m.costs.syscall);
  if (badRange(m, start, pages) || mode === 0 || (mode & ~VM_UFFD) !== 0) return -ERRNO.EINVAL;
  yield* mmapWriteLock(m, mm);
  const end = start + pages;
  let result = vmaIntersecting(m, mm, start, end) === 0 ? -ERRNO.EINVAL : 0;
  for (let vma = vmaIntersecting(m, mm, start, end); vma !== 0 && m.vma.start[vma] < end; vma = nextVma(m, vma)) {
    if (!vmaCanUserfault(m, vma, mode)) result = -ERRNO.EINVAL;
  }
  if (result === 0) result = yield* setUffdFlags(m, mm, start, end, mode);
  yield* mmapWriteUnlock(m, mm);
  return result;
}

/**
 * UFFDIO_UNREGISTER, or the descriptor's close over the whole address space (`userfaultfd_unregister`): write protection
 * that it had set is lifted. Gives 0, -EINVAL, -ENOMEM as registering does.
 */
export function* userfaultfdUnregister(m: Machine, mm: MmId, start: Vpn, pages: number): Procedure<number> {
  yield spend(m.costs.syscall);
  if (badRange(m, start, pages)) return -ERRNO.EINVAL;
  yield* mmapWriteLock(m, mm);
  const end = start + pages;
  const found = vmaIntersecting(m, mm, start, end);
  const result = found === 0 ? -ERRNO.EINVAL : yield* setUffdFlags(m, mm, start, end, 0);
  yield* mmapWriteUnlock(m, mm);
  return result;
}

/** Options of `userfaultfdWriteProtect`. */
export interface WriteProtectOptions {
  /** UFFD_FEATURE_WP_UNPOPULATED: none entries of anonymous memory get a marker. Default false. */
  readonly unpopulated?: boolean;
}

/**
 * UFFDIO_WRITEPROTECT (`mwriteprotect_range`): sets (`protect`) or lifts write protection of mapped pages and swap
 * entries. Gives 0, -EINVAL for a bad range, -ENOENT unless all of the range is registered in mode wp.
 */
export function* userfaultfdWriteProtect(
  m: Machine,
  mm: MmId,
  start: Vpn,
  pages: number,
  protect: boolean,
  options: WriteProtectOptions = {},
): Procedure<number> {
  yield spend(m.costs.syscall);
  if (badRange(m, start, pages)) return -ERRNO.EINVAL;
  yield* mmapReadLock(m, mm);
  const end = start + pages;
  let result: number = -ERRNO.ENOENT;
  for (let vma = vmaIntersecting(m, mm, start, end); vma !== 0 && m.vma.start[vma] < end; vma = nextVma(m, vma)) {
    result = (m.vma.flags[vma] & VM.UFFD_WP) === 0 ? -ERRNO.ENOENT : 0;
    if (result !== 0) break;
    const from = Math.max(start, m.vma.start[vma]);
    const to = Math.min(end, m.vma.end[vma]);
    yield* uffdWpRange(m, vma, from, to, protect, options.unpopulated === true);
  }
  yield* mmapReadUnlock(m, mm);
  return result;
}

/** True if the VMA can be armed in this mode (`vma_can_userfault`). */
export function vmaCanUserfault(m: Machine, vma: VmaId, mode: UffdMode): boolean {
  const kind = m.vma.kind[vma];
  if ((m.vma.flags[vma] & (VM.DROPPABLE | VM.IO | VM.PFNMAP)) !== 0) return false;
  if ((mode & VM.UFFD_MINOR) !== 0 && kind !== VMA_KIND.shmem) return false;
  return kind === VMA_KIND.anon || kind === VMA_KIND.shmem;
}

/** Sets the modes of all VMAs in the range (0: none); those that lose wp by that have their entries' protection lifted first. */
function* setUffdFlags(m: Machine, mm: MmId, start: number, end: number, mode: UffdMode): Procedure<number> {
  for (let at = start; at < end; ) {
    const vma = vmaIntersecting(m, mm, at, end);
    if (vma === 0) break;
    const from = Math.max(at, m.vma.start[vma]);
    const to = Math.min(end, m.vma.end[vma]);
    const flags = (m.vma.flags[vma] & ~VM_UFFD) | mode;
    // Registered for that and more already: it stays as it is.
    if (mode !== 0 && (m.vma.flags[vma] & mode) === mode) {
      at = to;
      continue;
    }
    // Registering again in another mode leaves the entries as they are; only who unregisters lifts their protection.
    const losesWp = (m.vma.flags[vma] & VM.UFFD_WP) !== 0 && mode === 0;
    if (losesWp) yield* uffdWpRange(m, vma, from, to, false, false);
    const changed = yield* vmaModifyFlags(m, vma, from, to, flags);
    if (changed < 0) return changed;
    at = to;
  }
  return 0;
}

/** Sets or lifts the write protection of a VMA's range (`uffd_wp_range`). */
function* uffdWpRange(
  m: Machine,
  vma: VmaId,
  start: number,
  end: number,
  protect: boolean,
  unpopulated: boolean,
): Procedure<void> {
  // Markers where nothing is mapped: shared memory always has them, anonymous memory if the feature is on.
  const markers = protect && (unpopulated || m.vma.kind[vma] !== VMA_KIND.anon);
  if (markers) yield* makeTables(m, vma, start, end);
  yield* walkBlocks(m, vma, start, end, {
    *huge(visit) {
      if (!coversBlock(m, visit)) return false;
      yield* protectHugePmd(m, visit, protect);
      return true;
    },
    *table(visit, table) {
      const { from, to } = slotsOf(m, visit);
      yield* withPteLock(m, visit.mm, visit.start, table, () =>
        protect ? protectPtes(m, table, from, to, markers) : unprotectPtes(m, vma, table, from, to),
      );
    },
  });
}

function* makeTables(m: Machine, vma: VmaId, start: number, end: number): Procedure<void> {
  const mm = m.vma.mm[vma] as MmId;
  for (let at = start; at < end; at += m.ptes - (at % m.ptes)) {
    yield* pteAlloc(m, mm, allocPmd(m, mm, at as Vpn), at as Vpn);
  }
}

function* protectHugePmd(m: Machine, visit: BlockVisit, protect: boolean): Procedure<void> {
  const lock = m.locks.pmdLock.ref(directoryOf(m, visit.pmd));
  yield acquire(lock);
  const entry = m.directory.entry[visit.pmd];
  if (pmdType(entry) === PMD.huge) {
    let changed = protect ? (entry | PMD_UFFD_WP) & ~PMD_WRITE : entry & ~PMD_UFFD_WP;
    const writable = (m.vma.flags[visit.vma] & VM.WRITE) !== 0;
    if (!protect && writable && canChangePmdWritable(m, visit.vma, changed)) changed |= PMD_WRITE;
    m.directory.entry[visit.pmd] = changed >>> 0;
    if (protect) flushBlock(m, visit.mm, visit.start as Vpn);
  }
  yield release(lock);
  yield spend(m.costs.setPte + m.costs.pmdFlush);
}

function protectPtes(m: Machine, table: TableId, from: number, to: number, markers: boolean): number {
  const base = pteBit(m, table, 0);
  let changed = 0;
  for (let slot = from; slot < to; slot++) {
    if (isPteNone(m, table, slot)) {
      if (!markers) continue;
      setPteEntry(m, table, slot, makeEntry(ENTRY_KIND.markerUffdWp), true);
    } else if (getBit(m.pte.nonPresent, base + slot) && !canCarryWp(m, table, slot)) continue;
    else setBit(m.pte.uffdWp, base + slot);
    changed++;
  }
  clearBits(m.pte.write, base + from, base + to);
  flushPtes(m, table, from, to);
  return changed;
}

function unprotectPtes(m: Machine, vma: VmaId, table: TableId, from: number, to: number): number {
  const base = pteBit(m, table, 0);
  const changed = countBits(m.pte.uffdWp, base + from, base + to);
  for (let bit = findBit(m.pte.nonPresent, base + from, base + to); bit >= 0; ) {
    const slot = bit - base;
    if (entryKind(m.pte.pfn[pteCell(m, table, slot)]) === ENTRY_KIND.markerUffdWp) clearPte(m, table, slot);
    bit = findBit(m.pte.nonPresent, bit + 1, base + to);
  }
  clearBits(m.pte.uffdWp, base + from, base + to);
  if ((m.vma.flags[vma] & VM.WRITE) !== 0) upgradeWrite(m, vma, table, from, to);
  return changed;
}

/** Swap-type entries of pages carry the bit; poison and guard markers do not. */
function canCarryWp(m: Machine, table: TableId, slot: number): boolean {
  const kind = entryKind(m.pte.pfn[pteCell(m, table, slot)]);
  return kind === ENTRY_KIND.swap || kind === ENTRY_KIND.migration || kind === ENTRY_KIND.devicePrivate;
}

function badRange(m: Machine, start: number, pages: number): boolean {
  return pages <= 0 || start < 0 || start + pages > m.addressPages;
}
