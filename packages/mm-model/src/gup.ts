/**
 * Getting hold of a process's pages (get_user_pages): pins for devices and direct I/O, and the lockless way (GUP-fast)
 * that a collapse has to notice by its reference (khugepaged spec 10, case B14 of 19).
 */
import { acquire, type Procedure, preempt, READ, release } from '@thplab/sync';
import type { MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { handleMmFault } from './fault.js';
import { FAULT } from './fault-result.js';
import { FOLIO, NO_FRAME, PAGE, VM, ZERO_FRAME } from './flags.js';
import { folioHas, folioHead } from './folio.js';
import { folioDrop } from './folio-hold.js';
import { folioGet } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { folioPin, folioUnpin } from './folio-pins.js';
import { LOCKLESS, lockless } from './lockless.js';
import type { Machine } from './machine.js';
import {
  directoryOf,
  findPmd,
  NO_PMD,
  PMD,
  PMD_WRITE,
  PMD_ZERO,
  PTE_WRITE,
  pmdPfn,
  pmdTable,
  pmdType,
  pteAttributes,
  ptePfn,
  slotOf,
} from './page-table.js';
import { unsharePage } from './unshare.js';
import { vmaAt } from './vma-tree.js';

export { folioMaybeDmaPinned, GUP_PIN_COUNTING_BIAS } from './folio-pins.js';

/** Labels of the preemption points of `gupFastGet`, for printed schedules. */
export const GUP_FAST_READ = 1;
/** See GUP_FAST_READ: the reference has been taken, the entry not yet looked at again. */
export const GUP_FAST_TAKEN = 2;

/** What a pin is for. */
export interface PinOptions {
  /** The holder writes to the pages (FOLL_WRITE). */
  readonly write: boolean;
  /** The pin lasts (FOLL_LONGTERM): then not even a zero page, which a later write would replace, may be pinned. */
  readonly longterm?: boolean;
}

/** Pinned pages: what `unpinPages` takes back, also when the mapping is gone by then. */
export interface Pins {
  /** Frames in the order of the pages; ZERO_FRAME for the zero page, which is never counted. */
  readonly frames: readonly Pfn[];
  /** 0, or why there are fewer frames than pages asked for: -EFAULT, -ENOMEM. */
  readonly error: number;
}

/**
 * Pins `pages` pages from `start` on (`pin_user_pages`), faulting in what is not there. No lock is held at entry and exit.
 * An anonymous page that other processes may share is replaced by a copy first, so that the pin and the process go on
 * seeing the same page (`gup_must_unshare`).
 */
export function* pinPages(m: Machine, mm: MmId, start: Vpn, pages: number, options: PinOptions): Procedure<Pins> {
  const frames: Pfn[] = [];
  for (let page = start as number; page < start + pages; page++) {
    const got = yield* pinPage(m, mm, page as Vpn, options);
    if (got < 0) return { frames, error: got };
    frames.push(got as Pfn);
  }
  return { frames, error: 0 };
}

/** Takes pins back (`unpin_user_pages`). */
export function unpinPages(m: Machine, frames: readonly Pfn[]): void {
  for (const pfn of frames) if (pfn !== ZERO_FRAME) folioUnpin(m, folioHead(m, pfn));
}

/** What following the page tables found: a frame that is pinned now, or what has to happen first. */
const NEEDS_FAULT = -1000;
const NEEDS_UNSHARE = -1001;

function* pinPage(m: Machine, mm: MmId, page: Vpn, options: PinOptions): Procedure<number> {
  const mmapLock = m.locks.mmapLock.ref(mm);
  for (;;) {
    yield acquire(mmapLock, READ);
    const vma = vmaAt(m, mm, page);
    if (vma === 0 || !mayPin(m, vma, options)) {
      yield release(mmapLock, READ);
      return -ERRNO.EFAULT;
    }
    const found = yield* followPage(m, mm, page, options);
    const copied = found === NEEDS_UNSHARE ? yield* unsharePage(m, vma, page) : true;
    yield release(mmapLock, READ);
    if (!copied) return -ERRNO.ENOMEM;
    if (found === NEEDS_UNSHARE) continue;
    if (found !== NEEDS_FAULT) return found;
    const fault = yield* handleMmFault(m, mm, page, { write: options.write });
    if (fault !== FAULT.ok) return fault === FAULT.oom ? -ERRNO.ENOMEM : -ERRNO.EFAULT;
  }
}

function mayPin(m: Machine, vma: VmaId, options: PinOptions): boolean {
  const flags = m.vma.flags[vma];
  return (flags & (VM.IO | VM.PFNMAP)) === 0 && (flags & (options.write ? VM.WRITE : VM.READ)) !== 0;
}

/** Pins the page if it is mapped as needed (`follow_page_mask`). */
function* followPage(m: Machine, mm: MmId, page: Vpn, options: PinOptions): Procedure<number> {
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return NEEDS_FAULT;
  const type = pmdType(m.directory.entry[pmd]);
  if (type !== PMD.huge && type !== PMD.table) return NEEDS_FAULT;
  const seen = m.directory.entry[pmd];
  const lock = type === PMD.huge ? m.locks.pmdLock.ref(directoryOf(m, pmd)) : m.locks.pteLock.ref(pmdTable(seen));
  yield acquire(lock);
  const mapped = m.directory.entry[pmd] === seen ? mappedPage(m, seen, page) : undefined;
  const found = mapped === undefined ? NEEDS_FAULT : tryPin(m, mapped, options);
  yield release(lock);
  return found;
}

/** A page as a PMD or PTE maps it. `exclusiveAt`: the frame whose flag says whether it is the process's alone. */
interface Mapped {
  readonly pfn: number;
  readonly writable: boolean;
  readonly exclusiveAt: number;
}

function mappedPage(m: Machine, entry: number, page: Vpn): Mapped | undefined {
  const slot = slotOf(m, page);
  if (pmdType(entry) === PMD.huge) {
    const head = (entry & PMD_ZERO) !== 0 ? ZERO_FRAME : pmdPfn(m, entry);
    return { pfn: head === ZERO_FRAME ? head : head + slot, writable: (entry & PMD_WRITE) !== 0, exclusiveAt: head };
  }
  const table: TableId = pmdTable(entry);
  const pfn = ptePfn(m, table, slot);
  if (pfn < 0) return undefined;
  return { pfn, writable: (pteAttributes(m, table, slot) & PTE_WRITE) !== 0, exclusiveAt: pfn };
}

function tryPin(m: Machine, mapped: Mapped, options: PinOptions): number {
  if (mapped.pfn === NO_FRAME) return -ERRNO.EFAULT;
  if (options.write && !mapped.writable) return NEEDS_FAULT;
  if (mapped.pfn === ZERO_FRAME) return options.longterm === true ? NEEDS_UNSHARE : ZERO_FRAME;
  const head = folioHead(m, mapped.pfn);
  const anon = folioHas(m, head, FOLIO.ANON);
  const exclusive = (m.frame.flags[mapped.exclusiveAt] & PAGE.ANON_EXCLUSIVE) !== 0;
  if (!options.write && anon && !exclusive) return NEEDS_UNSHARE;
  folioPin(m, head);
  return mapped.pfn;
}

/**
 * Takes a reference on the page that is mapped for reading, without any lock (`gup_fast` with FOLL_GET): reads the PMD and
 * the PTE, takes the reference, reads both again, and drops it if they differ. Gives the frame, or 0 if there is none to
 * have this way. Between the steps others may run. `folioDrop` on the folio's head gives the reference back.
 */
export function* gupFastGet(m: Machine, mm: MmId, page: Vpn): Procedure<Pfn | 0> {
  const tables = lockless(m, LOCKLESS.gupFast);
  const pmd = findPmd(tables, mm, page);
  if (pmd === NO_PMD) return 0;
  const entry = tables.directory.entry[pmd];
  const seen = isWalkable(entry) ? mappedPage(tables, entry, page) : undefined;
  if (seen === undefined || seen.pfn === ZERO_FRAME || seen.pfn === NO_FRAME) return 0;
  yield preempt(GUP_FAST_READ);
  const head = folioHead(m, seen.pfn);
  // A free frame, or a folio frozen for splitting, has no references to add to.
  if (m.frame.refcount[head] <= 0) return 0;
  folioGet(m, head);
  updateMirrors(m, head);
  yield preempt(GUP_FAST_TAKEN);
  const again = tables.directory.entry[pmd] === entry ? mappedPage(tables, entry, page) : undefined;
  if (again?.pfn === seen.pfn) return seen.pfn as Pfn;
  folioDrop(m, head);
  return 0;
}

function isWalkable(entry: number): boolean {
  return pmdType(entry) === PMD.table || (pmdType(entry) === PMD.huge && (entry & PMD_ZERO) === 0);
}
