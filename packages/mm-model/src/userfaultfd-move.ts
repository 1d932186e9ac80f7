/**
 * UFFDIO_MOVE (`userfaultfd_move`, `move_pages`; `mm/userfaultfd.c` since Linux 6.8): moves anonymous pages from one range of
 * an address space into the holes of another, without copying them. Neither mmap_lock for writing nor the write locks of the
 * VMAs are taken: both VMAs are locked for reading, as a fault locks one. So whoever changes the same entries under
 * mmap_lock for reading meets this (case B13 of khugepaged spec 19).
 *
 * Locks, in their order: both vma_locks (or mmap_lock) for reading, the folio lock, the anon_vma of the source folio for
 * writing, both PTE locks. Where the kernel sleeps until a folio is unlocked, or its anon_vma free, this gives everything
 * back, waits, and tries the page again.
 */
import { getBit } from '@thplab/arena';
import { acquire, acquireNested, type LockRef, type Procedure, release, spend, WRITE } from '@thplab/sync';
import { anonVmaPrepare, folioLockAnonVma, folioUnlockAnonVma } from './anon-vma.js';
import type { AnonVmaId, MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { pteAlloc } from './fault.js';
import { ENTRY_KIND, entryKind, entryValue, FOLIO, NO_FRAME, PAGE, VM, VM_UFFD, VMA_KIND } from './flags.js';
import { folioHas, folioHead, folioOrder, linearIndex, setFolioMapping } from './folio.js';
import { folioDrop, folioTrylock, folioUnlock, waitOnFolioLock } from './folio-hold.js';
import { folioGet } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { folioMaybeDmaPinned } from './folio-pins.js';
import { splitHugePmd } from './huge-pmd.js';
import type { Machine } from './machine.js';
import {
  allocPmd,
  clearPte,
  directoryOf,
  findPmd,
  findTable,
  isPteNone,
  NO_PMD,
  PMD,
  PMD_ZERO,
  type PmdRef,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  pmdPfn,
  pmdType,
  pteBit,
  pteCell,
  setPteEntry,
  setPtePage,
  setPteZero,
  slotOf,
} from './page-table.js';
import { splitFolioToOrder } from './split.js';
import { mmapReadLock, mmapReadUnlock, vmaEndRead, vmaStartRead } from './vma-locks.js';
import { vmaAt } from './vma-tree.js';

/** Options of `userfaultfdMove`. */
export interface UffdMoveOptions {
  /** UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES: a hole of the source is no error; what it would fill stays a hole. */
  readonly allowSourceHoles?: boolean;
}

/** Outcome of one page beside 0 and errors: everything was given back, try again. */
const AGAIN = 1;

/**
 * Moves `pages` pages from `source` to `target`. Gives how many were moved (holes that were allowed count); or, if none was,
 * -EINVAL for ranges or VMAs that cannot take part, -ENOENT for a hole in the source or where there is no VMA, -EEXIST
 * for a target that is not empty, -EBUSY for a page that is shared or pinned, -EFAULT for an entry that is no page,
 * -EAGAIN if a large folio cannot be split because somebody holds it. A page in the swap cache is -EBUSY here; the kernel
 * takes it along.
 */
export function* userfaultfdMove(
  m: Machine,
  mm: MmId,
  target: Vpn,
  source: Vpn,
  pages: number,
  options: UffdMoveOptions = {},
): Procedure<number> {
  yield spend(m.costs.syscall);
  if (badRange(m, target, pages) || badRange(m, source, pages)) return -ERRNO.EINVAL;
  for (let moved = 0; moved < pages; ) {
    const locked = yield* lockBothVmas(m, mm, target, source);
    if (typeof locked === 'number') return moved > 0 ? moved : locked;
    let result = movable(m, locked, target, source, pages);
    while (result === 0 && moved < pages) {
      result = yield* movePage(m, locked, (target + moved) as Vpn, (source + moved) as Vpn, options);
      if (result === 0) moved++;
    }
    yield* unlockBothVmas(m, mm, locked);
    if (result < 0) return moved > 0 ? moved : result;
  }
  return pages;
}

/** Both VMAs with what keeps them: their own locks, or mmap_lock. */
interface LockedVmas {
  readonly target: VmaId;
  readonly source: VmaId;
  readonly underMmapLock: boolean;
}

/** `uffd_move_lock`. The target gets its anon_vma here, for which mmap_lock is needed. */
function* lockBothVmas(m: Machine, mm: MmId, to: Vpn, from: Vpn): Procedure<LockedVmas | number> {
  const target = yield* vmaStartRead(m, mm, to);
  if (target !== 0 && m.vma.anonVma[target] !== 0) {
    if (m.vma.start[target] <= from && from < m.vma.end[target])
      return { target, source: target, underMmapLock: false };
    const source = yield* vmaStartRead(m, mm, from);
    if (source !== 0) return { target, source, underMmapLock: false };
  }
  if (target !== 0) yield* vmaEndRead(m, target);
  yield* mmapReadLock(m, mm);
  const found = vmaAt(m, mm, to);
  const source = vmaAt(m, mm, from);
  if (found === 0 || source === 0) {
    yield* mmapReadUnlock(m, mm);
    return -ERRNO.ENOENT;
  }
  if (m.vma.kind[found] === VMA_KIND.anon) yield* anonVmaPrepare(m, found);
  return { target: found, source, underMmapLock: true };
}

function* unlockBothVmas(m: Machine, mm: MmId, { target, source, underMmapLock }: LockedVmas): Procedure<void> {
  if (underMmapLock) {
    yield* mmapReadUnlock(m, mm);
    return;
  }
  if (source !== target) yield* vmaEndRead(m, source);
  yield* vmaEndRead(m, target);
}

/** `validate_move_areas`: 0 or -EINVAL. */
function movable(m: Machine, { target, source }: LockedVmas, to: number, from: number, pages: number): number {
  const flags = m.vma.flags[source];
  const others = m.vma.flags[target];
  const access = VM.READ | VM.WRITE | VM.EXEC;
  const fine =
    m.vma.kind[source] === VMA_KIND.anon &&
    m.vma.kind[target] === VMA_KIND.anon &&
    ((flags ^ others) & (access | VM.LOCKED)) === 0 &&
    (flags & VM.WRITE) !== 0 &&
    ((flags | others) & (VM.SHARED | VM.PFNMAP | VM.IO | VM.HUGETLB)) === 0 &&
    (others & VM_UFFD) !== 0 &&
    from + pages <= m.vma.end[source] &&
    to + pages <= m.vma.end[target];
  return fine ? 0 : -ERRNO.EINVAL;
}

/** Moves one page; huge PMDs on the way become tables. 0, AGAIN, or a negative errno. */
function* movePage(
  m: Machine,
  { target, source }: LockedVmas,
  to: Vpn,
  from: Vpn,
  options: UffdMoveOptions,
): Procedure<number> {
  const mm = m.vma.mm[target] as MmId;
  const hole = options.allowSourceHoles === true ? 0 : -ERRNO.ENOENT;
  const toPmd = allocPmd(m, mm, to);
  if (pmdType(m.directory.entry[toPmd]) === PMD.huge) return -ERRNO.EEXIST;
  const fromPmd = findPmd(m, mm, from);
  if (fromPmd === NO_PMD || pmdType(m.directory.entry[fromPmd]) === PMD.none) return hole;
  if (pmdType(m.directory.entry[fromPmd]) === PMD.huge) return yield* splitSourcePmd(m, source, fromPmd, from);
  const toTable = yield* pteAlloc(m, mm, toPmd, to);
  const fromTable = findTable(m, mm, from);
  if (toTable === 0 || fromTable === 0) return AGAIN;
  const places = { mm, target, to, toTable, from, fromTable };
  yield* lockBothTables(m, places);
  const seen = entryAt(m, places);
  yield* unlockBothTables(m, places);
  if (seen === 'retry') return AGAIN;
  if (seen === 'taken') return -ERRNO.EEXIST;
  if (seen === 'hole') return hole;
  return seen.present && !seen.zero ? yield* moveFolio(m, places, seen.value) : yield* moveEntry(m, places, seen);
}

/** A huge PMD whose page is not the process's alone stays (`move_pages`). */
function* splitSourcePmd(m: Machine, source: VmaId, pmd: PmdRef, from: Vpn): Procedure<number> {
  const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(lock);
  const entry = m.directory.entry[pmd];
  const huge = pmdType(entry) === PMD.huge;
  const shared = (entry & PMD_ZERO) === 0 && huge && (m.frame.flags[pmdPfn(m, entry)] & PAGE.ANON_EXCLUSIVE) === 0;
  if (huge && !shared) splitHugePmd(m, source, pmd, from);
  yield release(lock);
  yield spend(m.costs.pmdFlush);
  return shared ? -ERRNO.EBUSY : AGAIN;
}

interface Places {
  readonly mm: MmId;
  readonly target: VmaId;
  readonly to: Vpn;
  readonly toTable: TableId;
  readonly from: Vpn;
  readonly fromTable: TableId;
}

interface SourceEntry {
  readonly value: number;
  readonly present: boolean;
  readonly zero: boolean;
}

/** What stands in the two places, both locked. */
function entryAt(m: Machine, { mm, to, toTable, from, fromTable }: Places): SourceEntry | 'retry' | 'taken' | 'hole' {
  if (findTable(m, mm, to) !== toTable || findTable(m, mm, from) !== fromTable) return 'retry';
  if (!isPteNone(m, toTable, slotOf(m, to))) return 'taken';
  if (isPteNone(m, fromTable, slotOf(m, from))) return 'hole';
  const bit = pteBit(m, fromTable, slotOf(m, from));
  const value = m.pte.pfn[pteCell(m, fromTable, slotOf(m, from))];
  return { value, present: getBit(m.pte.present, bit), zero: getBit(m.pte.zero, bit) };
}

/** A present page: locked and held, with its anon_vma for writing, so that no walker looks for it meanwhile. */
function* moveFolio(m: Machine, places: Places, pfn: number): Procedure<number> {
  if (pfn === NO_FRAME) return -ERRNO.EBUSY;
  const head = folioHead(m, pfn);
  if (!isExclusive(m, pfn)) return -ERRNO.EBUSY;
  folioGet(m, head);
  updateMirrors(m, head);
  let result = AGAIN;
  if (!folioTrylock(m, head)) yield* waitOnFolioLock(m, head);
  else {
    if (folioOrder(m, head) > 0) result = (yield* splitFolioToOrder(m, head, 0)) || AGAIN;
    else result = yield* moveLockedFolio(m, places, head);
    folioUnlock(m, head);
  }
  folioDrop(m, head);
  return result;
}

function isExclusive(m: Machine, pfn: number): boolean {
  return folioHas(m, folioHead(m, pfn), FOLIO.ANON) && (m.frame.flags[pfn] & PAGE.ANON_EXCLUSIVE) !== 0;
}

/** `move_present_pte`. */
function* moveLockedFolio(m: Machine, places: Places, head: Pfn): Procedure<number> {
  const anonVma = yield* folioLockAnonVma(m, head, WRITE);
  if (anonVma === 0) return AGAIN;
  yield* lockBothTables(m, places);
  const seen = entryAt(m, places);
  let result = AGAIN;
  if (seen === 'taken') result = -ERRNO.EEXIST;
  else if (typeof seen === 'object' && seen.present && seen.value === head) {
    result = isExclusive(m, head) && !folioMaybeDmaPinned(m, head) ? 0 : -ERRNO.EBUSY;
  }
  if (result === 0) {
    const { target, to, toTable, from, fromTable } = places;
    clearPte(m, fromTable, slotOf(m, from));
    m.hooks.flushTlb(places.mm, from, (from + 1) as Vpn);
    // `folio_move_anon_rmap`: from here on it is found through the target's own anon_vma.
    setFolioMapping(m, head, m.vma.anonVma[target] as AnonVmaId, linearIndex(m, target, to));
    setPtePage(m, toTable, slotOf(m, to), head, PTE_WRITE | PTE_DIRTY | PTE_YOUNG);
  }
  yield* unlockBothTables(m, places);
  yield* folioUnlockAnonVma(m, anonVma, WRITE);
  yield spend(2 * m.costs.setPte + m.costs.pmdFlush);
  return result;
}

/** A zero page or a swap entry: nothing but the entry moves (`move_zeropage_pte`, `move_swap_pte`). */
function* moveEntry(m: Machine, places: Places, was: SourceEntry): Procedure<number> {
  const { to, toTable, from, fromTable } = places;
  if (!was.zero) {
    if (entryKind(was.value) !== ENTRY_KIND.swap) return -ERRNO.EFAULT;
    // A slot that several entries refer to, or whose page is on its way in, is not the process's alone.
    const slot = entryValue(was.value);
    if (m.swap.count[slot] !== 1 || m.swap.cache[slot] !== 0) return -ERRNO.EBUSY;
  }
  yield* lockBothTables(m, places);
  const seen = entryAt(m, places);
  const same = typeof seen === 'object' && seen.value === was.value && seen.zero === was.zero;
  if (same) {
    clearPte(m, fromTable, slotOf(m, from));
    if (was.zero) {
      m.hooks.flushTlb(places.mm, from, (from + 1) as Vpn);
      setPteZero(m, toTable, slotOf(m, to), PTE_YOUNG);
    } else setPteEntry(m, toTable, slotOf(m, to), was.value);
  }
  yield* unlockBothTables(m, places);
  yield spend(2 * m.costs.setPte);
  return same ? 0 : AGAIN;
}

/** `double_pt_lock`: the lower one first. */
function* lockBothTables(m: Machine, { toTable, fromTable }: Places): Procedure<void> {
  const [first, second] = tableLocks(m, toTable, fromTable);
  yield acquire(first);
  if (second !== first) yield acquireNested(second);
}

function* unlockBothTables(m: Machine, { toTable, fromTable }: Places): Procedure<void> {
  const [first, second] = tableLocks(m, toTable, fromTable);
  if (second !== first) yield release(second);
  yield release(first);
}

function tableLocks(m: Machine, a: TableId, b: TableId): readonly [LockRef, LockRef] {
  return [m.locks.pteLock.ref(Math.min(a, b)), m.locks.pteLock.ref(Math.max(a, b))];
}

function badRange(m: Machine, start: number, pages: number): boolean {
  return pages <= 0 || start < 0 || start + pages > m.addressPages;
}
