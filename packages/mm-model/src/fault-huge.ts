/**
 * Faults that huge PMDs answer: the first touch of an empty 2M range (`do_huge_pmd_anonymous_page`) and writes to a
 * write-protected huge page (`do_huge_pmd_wp_page`).
 */
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import { anonVmaPrepare } from './anon-vma.js';
import type { MmId, Pfn, VmaId, Vpn } from './brands.js';
import { deferredSplitFolio } from './deferred-queue.js';
import { TVA, thpVmaAllowableOrders } from './eligibility.js';
import { vmaThpGfp } from './fault-gfp.js';
import { FAULT, type FaultResult } from './fault-result.js';
import { FOLIO, PAGE, VM, VMA_KIND } from './flags.js';
import { folioHas, setFrameFlags } from './folio.js';
import { folioPut } from './folio-lifetime.js';
import { setHugePmd, setHugeZeroPmd, splitHugePmd } from './huge-pmd.js';
import { folioAddLru } from './lru.js';
import { countMthpStat, countVmEvent, type Machine, nextStamp, setting } from './machine.js';
import { allocFolio, clearFolio } from './page-alloc.js';
import {
  directoryOf,
  freeTable,
  newTable,
  PMD,
  PMD_DIRTY,
  PMD_WRITE,
  PMD_YOUNG,
  PMD_ZERO,
  type PmdRef,
  pmdPfn,
  pmdType,
} from './page-table.js';
import { addNewAnonPmdRmap } from './rmap-change.js';

/** Maps a fresh huge page, or the huge zero page for a read, if the VMA allows it; else FAULT.fallback. */
export function* doHugePmdAnonymousPage(
  m: Machine,
  vma: VmaId,
  pmd: PmdRef,
  page: Vpn,
  write: boolean,
): Procedure<FaultResult> {
  const start = (page - (page % m.ptes)) as Vpn;
  const fits = start >= m.vma.start[vma] && start + m.ptes <= m.vma.end[vma];
  if (m.vma.kind[vma] !== VMA_KIND.anon || !fits) return FAULT.fallback;
  if (thpVmaAllowableOrders(m, vma, TVA.pagefault, 1 << m.pmdOrder) === 0) return FAULT.fallback;
  yield* anonVmaPrepare(m, vma);
  yield* m.hooks.khugepagedEnterVma(vma);
  if ((m.vma.flags[vma] & VM.UFFD_MISSING) !== 0) return FAULT.userfault;
  if (!write && setting(m, 'use_zero_page') !== 0) return yield* mapHugeZero(m, vma, pmd, start);
  return yield* mapFreshHuge(m, vma, pmd, page, write, PMD.none);
}

function* mapHugeZero(m: Machine, vma: VmaId, pmd: PmdRef, start: Vpn): Procedure<FaultResult> {
  const deposit = newTable(m, m.vma.mm[vma] as MmId, start);
  const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(lock);
  const free = m.directory.entry[pmd] === PMD.none;
  if (free) setHugeZeroPmd(m, pmd, deposit);
  yield release(lock);
  if (!free) freeTable(m, deposit);
  return FAULT.ok;
}

/**
 * Replaces the PMD entry that the caller saw, none or the huge zero page, by a fresh huge page. Does nothing if it is
 * another one by the time the page is ready: somebody else's page may be there.
 */
function* mapFreshHuge(
  m: Machine,
  vma: VmaId,
  pmd: PmdRef,
  page: Vpn,
  write: boolean,
  expected: number,
): Procedure<FaultResult> {
  const start = (page - (page % m.ptes)) as Vpn;
  const head = yield* allocFolio(m, m.pmdOrder, vmaThpGfp(m, vma), 0);
  if (head === 0) {
    countVmEvent(m, 'thp_fault_fallback');
    countMthpStat(m, m.pmdOrder, 'anon_fault_fallback');
    return FAULT.fallback;
  }
  clearFolio(m, head, m.ptes);
  yield spend(m.costs.zeroPage * m.ptes);
  const deposit = newTable(m, m.vma.mm[vma] as MmId, start);
  const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(lock);
  if (m.directory.entry[pmd] !== expected) {
    yield release(lock);
    freeTable(m, deposit);
    folioPut(m, head);
    return FAULT.ok;
  }
  if (pmdType(expected) === PMD.huge) freeTable(m, m.directory.deposit[pmd] as never);
  installHuge(m, vma, pmd, start, head, deposit);
  if (write) m.frame.stamp[head + (page - start)] = nextStamp(m);
  yield release(lock);
  countVmEvent(m, 'thp_fault_alloc');
  countMthpStat(m, m.pmdOrder, 'anon_fault_alloc');
  return FAULT.ok;
}

/** Maps a fresh folio by a huge PMD; also what a PMD-order collapse does at its end (khugepaged spec 11.6). */
export function installHuge(m: Machine, vma: VmaId, pmd: PmdRef, start: Vpn, head: Pfn, deposit: number): void {
  const mm = m.vma.mm[vma] as MmId;
  addNewAnonPmdRmap(m, head, vma, start);
  folioAddLru(m, head);
  const writable = (m.vma.flags[vma] & VM.WRITE) !== 0 ? PMD_WRITE : 0;
  setHugePmd(m, pmd, head, PMD_YOUNG | PMD_DIRTY | writable, deposit as never);
  m.mm.rssAnon[mm] = m.mm.rssAnon[mm] + m.ptes;
  deferredSplitFolio(m, head, false);
}

/** A write to a huge page that is not writable: take it over if nobody shares it, else split and copy one page. */
export function* doHugePmdWpPage(m: Machine, vma: VmaId, pmd: PmdRef, page: Vpn): Procedure<FaultResult> {
  const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  const entry = m.directory.entry[pmd];
  if ((entry & PMD_ZERO) !== 0) {
    const fresh = yield* mapFreshHuge(m, vma, pmd, page, true, entry);
    if (fresh !== FAULT.fallback) return fresh;
  }
  yield acquire(lock);
  const now = m.directory.entry[pmd];
  if (pmdType(now) !== PMD.huge) {
    yield release(lock);
    return FAULT.fallback;
  }
  if ((now & PMD_ZERO) === 0) {
    const head = pmdPfn(m, now);
    const exclusive = (m.frame.flags[head] & PAGE.ANON_EXCLUSIVE) !== 0;
    const alone = m.frame.refcount[head] === 1 && !folioHas(m, head, FOLIO.LOCKED);
    if (exclusive || alone) {
      setFrameFlags(m, head, PAGE.ANON_EXCLUSIVE);
      m.directory.entry[pmd] = (now | PMD_WRITE | PMD_DIRTY | PMD_YOUNG) >>> 0;
      m.frame.stamp[head + (page % m.ptes)] = nextStamp(m);
      yield release(lock);
      return FAULT.ok;
    }
  }
  splitHugePmd(m, vma, pmd, page);
  yield release(lock);
  yield spend(m.costs.pmdFlush + m.costs.setPte * m.ptes);
  return FAULT.fallback;
}
