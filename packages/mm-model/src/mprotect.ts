/**
 * mprotect: other access rights for a range (`mprotect_fixup`, `change_protection`). Rights that are taken away leave the
 * page tables at once; rights that are given come back there only for pages that belong to the process alone, and with
 * the next write fault for others.
 */
import { clearBits, countBits, findBit, getBit, setBit } from '@thplab/arena';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { MmId, TableId, VmaId, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { FOLIO, NO_FRAME, VM } from './flags.js';
import { folioHas, folioHead, isAnonExclusive } from './folio.js';
import type { Machine } from './machine.js';
import {
  directoryOf,
  flushBlock,
  flushPtes,
  PMD,
  PMD_DIRTY,
  PMD_UFFD_WP,
  PMD_WRITE,
  PMD_ZERO,
  pmdPfn,
  pmdType,
  pteBit,
  pteCell,
} from './page-table.js';
import { type BlockVisit, coversBlock, slotsOf, walkBlocks, withPteLock } from './pte-range.js';
import { vmaModifyFlags } from './vma/vma-merge.js';
import { vmaIsAnonymous } from './vma/vma-rows.js';
import { mmapWriteLock, mmapWriteUnlock } from './vma-locks.js';
import { nextVma, vmaAt } from './vma-tree.js';

const ACCESS = VM.READ | VM.WRITE | VM.EXEC;

/**
 * Gives the range the access rights `access` (READ, WRITE, EXEC bits of VM; 0 for none). Gives 0, -EINVAL for a range
 * outside the address space, -ENOMEM at the first hole (what lies below it has been changed) or if a VMA would have to be
 * split and there are too many.
 */
export function* mprotect(m: Machine, mm: MmId, start: Vpn, pages: number, access: number): Procedure<number> {
  yield spend(m.costs.syscall);
  if (pages === 0) return 0;
  if (pages < 0 || start + pages > m.addressPages || (access & ~ACCESS) !== 0) return -ERRNO.EINVAL;
  yield* mmapWriteLock(m, mm);
  const result = yield* protectRange(m, mm, start, start + pages, access);
  yield* mmapWriteUnlock(m, mm);
  return result;
}

function* protectRange(m: Machine, mm: MmId, start: number, end: number, access: number): Procedure<number> {
  let vma = vmaAt(m, mm, start);
  for (let at = start; at < end; ) {
    if (vma === 0 || m.vma.start[vma] > at) return -ERRNO.ENOMEM;
    const to = Math.min(end, m.vma.end[vma]);
    const flags = accounted(m, vma, (m.vma.flags[vma] & ~ACCESS) | access);
    if (m.vma.flags[vma] !== flags) {
      const changed = yield* vmaModifyFlags(m, vma, at, to, flags);
      if (changed < 0) return changed;
      vma = changed as VmaId;
      yield* changeProtection(m, vma, at, to);
    }
    at = to;
    if (m.vma.end[vma] <= at) vma = nextVma(m, vma);
  }
  return 0;
}

/**
 * Writable memory is charged from then on. Memory that was never written is charged no more when it cannot be any longer; by that
 * it does not merge with memory that was (`mprotect_fixup`; conformance with Linux 6.18).
 */
function accounted(m: Machine, vma: VmaId, flags: number): number {
  if ((flags & VM.WRITE) !== 0) return flags & ~VM.UNCHARGED;
  const untouched = vmaIsAnonymous(m, vma) && m.vma.anonVma[vma] === 0 && (flags & (VM.SHARED | VM.NORESERVE)) === 0;
  return untouched ? flags | VM.UNCHARGED : flags;
}

/** Brings the write bits of a range in line with its VMA's rights. */
function* changeProtection(m: Machine, vma: VmaId, start: number, end: number): Procedure<void> {
  const writable = (m.vma.flags[vma] & VM.WRITE) !== 0;
  yield* walkBlocks(m, vma, start, end, {
    *huge(visit) {
      if (!coversBlock(m, visit)) return false;
      yield* changeHugePmd(m, visit, writable);
      return true;
    },
    *table(visit, table) {
      const { from, to } = slotsOf(m, visit);
      yield* withPteLock(m, visit.mm, visit.start, table, () =>
        writable ? upgradeWrite(m, vma, table, from, to) : dropWrite(m, table, from, to),
      );
    },
  });
}

function* changeHugePmd(m: Machine, visit: BlockVisit, writable: boolean): Procedure<void> {
  const lock = m.locks.pmdLock.ref(directoryOf(m, visit.pmd));
  yield acquire(lock);
  const entry = m.directory.entry[visit.pmd];
  if (pmdType(entry) === PMD.huge) {
    const upgrade = writable && canChangePmdWritable(m, visit.vma, entry);
    m.directory.entry[visit.pmd] = (upgrade ? entry | PMD_WRITE : writable ? entry : entry & ~PMD_WRITE) >>> 0;
    if (!writable) flushBlock(m, visit.mm, visit.start as Vpn);
  }
  yield release(lock);
  yield spend(m.costs.setPte + m.costs.pmdFlush);
}

/** A huge PMD may become writable without a fault (`can_change_pmd_writable`). */
export function canChangePmdWritable(m: Machine, vma: VmaId, entry: number): boolean {
  if ((entry & (PMD_ZERO | PMD_UFFD_WP)) !== 0) return false;
  if ((m.vma.flags[vma] & VM.SHARED) !== 0) return (entry & PMD_DIRTY) !== 0;
  const head = pmdPfn(m, entry);
  return folioHas(m, head, FOLIO.ANON) && isAnonExclusive(m, head);
}

/** Takes write permission from entries; gives the number of present ones. */
function dropWrite(m: Machine, table: TableId, from: number, to: number): number {
  const base = pteBit(m, table, 0);
  const had = countBits(m.pte.present, base + from, base + to);
  clearBits(m.pte.write, base + from, base + to);
  flushPtes(m, table, from, to);
  return had;
}

/** Gives write permission to those present entries whose page allows it without a fault (`can_change_pte_writable`). */
export function upgradeWrite(m: Machine, vma: VmaId, table: TableId, from: number, to: number): number {
  const base = pteBit(m, table, 0);
  const shared = (m.vma.flags[vma] & VM.SHARED) !== 0;
  let seen = 0;
  for (let bit = findBit(m.pte.present, base + from, base + to); bit >= 0; seen++) {
    if (canChangePteWritable(m, table, bit, bit - base, shared)) setBit(m.pte.write, bit);
    bit = findBit(m.pte.present, bit + 1, base + to);
  }
  return seen;
}

function canChangePteWritable(m: Machine, table: TableId, bit: number, slot: number, shared: boolean): boolean {
  if (getBit(m.pte.uffdWp, bit) || getBit(m.pte.zero, bit)) return false;
  // A shared page that is dirty already needs no fault to tell the file about the write.
  if (shared) return getBit(m.pte.dirty, bit);
  const pfn = m.pte.pfn[pteCell(m, table, slot)];
  return pfn !== NO_FRAME && folioHas(m, folioHead(m, pfn), FOLIO.ANON) && isAnonExclusive(m, pfn);
}
