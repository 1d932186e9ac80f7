/**
 * mlock and munlock: a locked VMA's pages are brought in and their folios marked, which keeps reclaim away. A large
 * folio is marked only where it lies wholly in the locked VMA, so that reclaim can still split it elsewhere.
 */
import { asBrand, findBit } from '@thplab/arena';
import { type Procedure, spend } from '@thplab/sync';
import type { MmId, TableId, VmaId, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { NO_FRAME, VM, ZERO_FRAME } from './flags.js';
import { folioHead } from './folio.js';
import type { Machine } from './machine.js';
import { folioWithinVma, setMlocked } from './mlocked.js';
import { PMD, PMD_ZERO, pmdPfn, pmdType, pteBit, pteCell, tableStart } from './page-table.js';
import { mmPopulate } from './populate-range.js';
import { coversBlock, slotsOf, walkBlocks, withPteLock } from './pte-range.js';
import { VM_SPECIAL } from './vma/compatible.js';
import { vmaModifyFlags } from './vma/vma-merge.js';
import { mmapWriteLock, mmapWriteUnlock } from './vma-locks.js';
import { nextVma, vmaAt } from './vma-tree.js';

export { folioWithinVma, munlockVmaFolio, setMlocked } from './mlocked.js';

/**
 * mlock: locks the range and brings all of it in. Gives 0, -EINVAL, -ENOMEM for a hole (what lies below it is locked) or
 * a page that gives a signal, -EAGAIN without memory or if a VMA would have to be split and there are too many.
 */
export function* mlock(m: Machine, mm: MmId, start: Vpn, pages: number): Procedure<number> {
  const locked = yield* applyVmaLockFlags(m, mm, start, pages, true);
  if (locked < 0) return locked;
  const failed = yield* mmPopulate(m, mm, start, start + pages);
  if (failed === -ERRNO.EFAULT) return -ERRNO.ENOMEM;
  return failed === -ERRNO.ENOMEM ? -ERRNO.EAGAIN : failed;
}

/** munlock: pages stay, and reclaim may take them again. Errors as mlock's. */
export function* munlock(m: Machine, mm: MmId, start: Vpn, pages: number): Procedure<number> {
  return yield* applyVmaLockFlags(m, mm, start, pages, false);
}

function* applyVmaLockFlags(m: Machine, mm: MmId, start: number, pages: number, lock: boolean): Procedure<number> {
  yield spend(m.costs.syscall);
  if (pages === 0) return 0;
  if (pages < 0 || start + pages > m.addressPages) return -ERRNO.EINVAL;
  yield* mmapWriteLock(m, mm);
  const result = yield* lockRange(m, mm, start, start + pages, lock);
  yield* mmapWriteUnlock(m, mm);
  return result;
}

function* lockRange(m: Machine, mm: MmId, start: number, end: number, lock: boolean): Procedure<number> {
  let vma = vmaAt(m, mm, start);
  for (let at = start; at < end; ) {
    if (vma === 0 || m.vma.start[vma] > at) return -ERRNO.ENOMEM;
    const to = Math.min(end, m.vma.end[vma]);
    const flags = lock ? m.vma.flags[vma] | VM.LOCKED : m.vma.flags[vma] & ~VM.LOCKED;
    // Mappings without pages of their own have nothing to lock, and that is no error.
    if (flags !== m.vma.flags[vma] && (flags & VM_SPECIAL) === 0) {
      const changed = yield* vmaModifyFlags(m, vma, at, to, flags);
      if (changed < 0) return changed === -ERRNO.ENOMEM ? -ERRNO.EAGAIN : changed;
      vma = changed as VmaId;
      m.mm.lockedVm[mm] += lock ? to - at : at - to;
      yield* mlockPagesRange(m, vma, at, to, lock);
    }
    at = to;
    if (m.vma.end[vma] <= at) vma = nextVma(m, vma);
  }
  return 0;
}

/** Marks or unmarks the folios that are mapped in the range (`mlock_vma_pages_range`). */
function* mlockPagesRange(m: Machine, vma: VmaId, start: number, end: number, lock: boolean): Procedure<void> {
  yield* walkBlocks(m, vma, start, end, {
    *huge(visit) {
      if (!coversBlock(m, visit)) return false;
      const entry = m.directory.entry[visit.pmd];
      if (pmdType(entry) === PMD.huge && (entry & PMD_ZERO) === 0) setMlocked(m, pmdPfn(m, entry), lock);
      yield spend(m.costs.setPte);
      return true;
    },
    *table(visit, table) {
      const { from, to } = slotsOf(m, visit);
      yield* withPteLock(m, visit.mm, visit.start, table, () => mlockPtes(m, vma, table, from, to, lock));
    },
  });
}

function mlockPtes(m: Machine, vma: VmaId, table: TableId, from: number, to: number, lock: boolean): number {
  const base = pteBit(m, table, 0);
  let seen = 0;
  for (let bit = findBit(m.pte.present, base + from, base + to); bit >= 0; seen++) {
    const slot = bit - base;
    const pfn = m.pte.pfn[pteCell(m, table, slot)];
    if (pfn !== ZERO_FRAME && pfn !== NO_FRAME) {
      const head = folioHead(m, pfn);
      const page = asBrand<Vpn>(tableStart(m, table) + slot);
      if (!lock || folioWithinVma(m, vma, head, pfn, page)) setMlocked(m, head, lock);
    }
    bit = findBit(m.pte.present, bit + 1, base + to);
  }
  return seen;
}
