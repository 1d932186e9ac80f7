/**
 * The first touch of an anonymous page (`do_anonymous_page`): the zero page for reads, otherwise a folio of the largest
 * enabled order whose range is still empty, falling back order by order.
 */
import { countBits, getBit } from '@thplab/arena';
import { type Procedure, release, spend } from '@thplab/sync';
import { anonVmaPrepare } from './anon-vma.js';
import type { MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { TVA, thpVmaAllowableOrders } from './eligibility.js';
import { vmaThpGfp } from './fault-gfp.js';
import { FAULT, type FaultResult } from './fault-result.js';
import { VM, VM_UFFD } from './flags.js';
import { folioGet, folioPut } from './folio-lifetime.js';
import { folioAddLru } from './lru.js';
import { countMthpStat, type Machine, nextStamp } from './machine.js';
import { allocFolio, clearFolio, GFP } from './page-alloc.js';
import { PTE_DIRTY, PTE_WRITE, PTE_YOUNG, pteBit, setPtePage, setPteZero, slotOf } from './page-table.js';
import { pteOffsetMapLock } from './pte-lock.js';
import { addNewAnonRmap } from './rmap-change.js';

/** Handles a fault on a none PTE of an anonymous VMA. FAULT.retry: the table is gone. */
export function* doAnonymousPage(
  m: Machine,
  vma: VmaId,
  table: TableId,
  page: Vpn,
  write: boolean,
): Procedure<FaultResult> {
  if ((m.vma.flags[vma] & VM.UFFD_MISSING) !== 0) return FAULT.userfault;
  const lock = m.locks.pteLock.ref(table);
  const mm = m.vma.mm[vma] as MmId;
  if (!write) {
    if (!(yield* pteOffsetMapLock(m, mm, table, page))) return FAULT.retry;
    if (isNone(m, table, slotOf(m, page))) setPteZero(m, table, slotOf(m, page), PTE_YOUNG);
    yield release(lock);
    return FAULT.ok;
  }
  yield* anonVmaPrepare(m, vma);
  const folio = yield* allocAnonFolio(m, vma, table, page);
  if (folio.pfn === 0) return FAULT.oom;
  const pages = 1 << folio.order;
  clearFolio(m, folio.pfn, pages);
  yield spend(m.costs.zeroPage * pages + m.costs.setPte * pages);
  const first = (page - (page % pages)) as Vpn;
  if (!(yield* pteOffsetMapLock(m, mm, table, page))) {
    folioPut(m, folio.pfn);
    return FAULT.retry;
  }
  if (!rangeIsNone(m, table, slotOf(m, first), pages)) {
    yield release(lock);
    folioPut(m, folio.pfn);
    return FAULT.ok;
  }
  installAnonFolio(m, vma, table, first, folio.pfn, pages);
  m.frame.stamp[folio.pfn + (page - first)] = nextStamp(m);
  yield release(lock);
  return FAULT.ok;
}

/** Maps a fresh folio by one PTE per page from `first` on; the PTE lock is the caller's. */
function installAnonFolio(m: Machine, vma: VmaId, table: TableId, first: Vpn, head: Pfn, pages: number): void {
  const mm = m.vma.mm[vma] as MmId;
  folioGet(m, head, pages - 1);
  addNewAnonRmap(m, head, vma, first);
  folioAddLru(m, head);
  const writable = (m.vma.flags[vma] & VM.WRITE) !== 0 ? PTE_WRITE | PTE_DIRTY : 0;
  for (let i = 0; i < pages; i++) setPtePage(m, table, slotOf(m, first) + i, head + i, PTE_YOUNG | writable);
  m.mm.rssAnon[mm] += pages;
}

/**
 * `alloc_anon_folio`: the largest enabled order that fits, then lower ones, then a base page. Where userfaultfd watches the
 * VMA, in whatever mode, it is always a base page: whoever handles the faults expects one for each page.
 */
function* allocAnonFolio(
  m: Machine,
  vma: VmaId,
  table: TableId,
  page: Vpn,
): Procedure<{ pfn: Pfn | 0; order: number }> {
  const armed = (m.vma.flags[vma] & VM_UFFD) !== 0;
  let orders = armed ? 0 : thpVmaAllowableOrders(m, vma, TVA.pagefault, (1 << m.pmdOrder) - 1);
  const slot = slotOf(m, page);
  let fitting = 0;
  for (let order = m.pmdOrder - 1; order >= 2; order--) {
    if ((orders & (1 << order)) === 0) continue;
    const first = page - (page % (1 << order));
    const inVma = first >= m.vma.start[vma] && first + (1 << order) <= m.vma.end[vma];
    // Once a range is empty, the smaller ranges inside it are too.
    if (fitting !== 0 || (inVma && rangeIsNone(m, table, slot - (slot % (1 << order)), 1 << order)))
      fitting |= 1 << order;
  }
  orders = fitting;
  for (let order = m.pmdOrder - 1; order >= 2; order--) {
    if ((orders & (1 << order)) === 0) continue;
    const pfn = yield* allocFolio(m, order, vmaThpGfp(m, vma), 0);
    countMthpStat(m, order, pfn === 0 ? 'anon_fault_fallback' : 'anon_fault_alloc');
    if (pfn !== 0) return { pfn, order };
  }
  return { pfn: yield* allocFolio(m, 0, GFP.movable, 0), order: 0 };
}

function isNone(m: Machine, table: TableId, slot: number): boolean {
  const bit = pteBit(m, table, slot);
  return !getBit(m.pte.present, bit) && !getBit(m.pte.nonPresent, bit);
}

function rangeIsNone(m: Machine, table: TableId, slot: number, pages: number): boolean {
  const bit = pteBit(m, table, slot);
  return countBits(m.pte.present, bit, bit + pages) + countBits(m.pte.nonPresent, bit, bit + pages) === 0;
}
