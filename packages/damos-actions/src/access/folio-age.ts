/**
 * Signs of use of a folio, as access monitoring reads and clears them (DAMON spec 1.10). Clearing the accessed bit of an
 * entry must not hide the access from others: the folio is marked young for them, and idle for the next check. No TLB is
 * flushed.
 */
import { clearBitAtomic, getBit } from '@thplab/arena';
import {
  clearFrameFlags,
  FOLIO,
  folioHas,
  folioHead,
  type Machine,
  NO_FRAME,
  PAGE,
  type Pfn,
  PMD_YOUNG,
  PMD_ZERO,
  type PmdRef,
  pmdPfn,
  pteBit,
  ptePfn,
  setFrameFlags,
  type TableId,
  updateMirrors,
  ZERO_FRAME,
} from '@thplab/mm-model';

/** The folio that a frame is part of if DAMON may look at it: allocated and on the LRU (`damon_get_folio`); else 0. */
export function damonGetFolio(m: Machine, pfn: number): Pfn | 0 {
  if (pfn <= ZERO_FRAME || pfn === NO_FRAME || pfn >= m.frame.capacity) return 0;
  if ((m.frame.flags[pfn] & PAGE.ALLOCATED) === 0) return 0;
  const head = folioHead(m, pfn);
  return folioHas(m, head, FOLIO.LRU) ? head : 0;
}

/** The folio behind a slot of a PTE table, or 0. */
export function folioOfPte(m: Machine, table: TableId, slot: number): Pfn | 0 {
  return damonGetFolio(m, ptePfn(m, table, slot));
}

/** The folio behind a huge PMD entry, or 0 for the huge zero page. */
export function folioOfPmd(m: Machine, entry: number): Pfn | 0 {
  return (entry & PMD_ZERO) !== 0 ? 0 : damonGetFolio(m, pmdPfn(m, entry));
}

/** Clears the accessed bit of a PTE (`damon_ptep_mkold`). */
export function ptepMkold(m: Machine, table: TableId, slot: number): void {
  const head = folioOfPte(m, table, slot);
  if (head !== 0) markOld(m, head, clearBitAtomic(m.pte.young, pteBit(m, table, slot)));
}

/** Clears the accessed bit of a huge PMD (`damon_pmdp_mkold`). The PMD lock is the caller's. */
export function pmdpMkold(m: Machine, pmd: PmdRef): void {
  const entry = m.directory.entry[pmd];
  const head = folioOfPmd(m, entry);
  if (head === 0) return;
  m.directory.entry[pmd] = (entry & ~PMD_YOUNG) >>> 0;
  markOld(m, head, (entry & PMD_YOUNG) !== 0);
}

/** Marks a folio idle, and young if its entry was. */
export function markOld(m: Machine, head: Pfn, wasYoung: boolean): void {
  setFrameFlags(m, head, wasYoung ? FOLIO.IDLE | FOLIO.YOUNG : FOLIO.IDLE);
  if (wasYoung) updateMirrors(m, head);
}

/** True if a PTE or its folio shows an access since it was made old. */
export function isPteYoung(m: Machine, table: TableId, slot: number, head: Pfn): boolean {
  return getBit(m.pte.young, pteBit(m, table, slot)) || !folioHas(m, head, FOLIO.IDLE);
}

/** True if a huge PMD or its folio shows an access since it was made old. */
export function isPmdYoung(m: Machine, entry: number, head: Pfn): boolean {
  return (entry & PMD_YOUNG) !== 0 || !folioHas(m, head, FOLIO.IDLE);
}

/** Forgets that the folio was used, for reclaim (`folio_clear_referenced`, `folio_test_clear_young`). */
export function forgetUse(m: Machine, head: Pfn): void {
  clearFrameFlags(m, head, FOLIO.REFERENCED | FOLIO.YOUNG);
  updateMirrors(m, head);
}
