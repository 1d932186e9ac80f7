/**
 * Huge PMDs: mapping one, and turning one into a table of PTEs (`__split_huge_pmd`). The table comes from the PMD's
 * deposit, so a split cannot fail; those of files have no deposit and no table afterwards.
 */
import type { MmId, Pfn, TableId, VmaId, Vpn } from './brands.js';
import { FOLIO, PAGE } from './flags.js';
import { folioHas, setFrameFlags } from './folio.js';
import { folioDrop } from './folio-hold.js';
import { folioGet } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import { countVmEvent, type Machine } from './machine.js';
import {
  flushBlock,
  makePmdHuge,
  makePmdTable,
  newTable,
  PMD_DIRTY,
  PMD_UFFD_WP,
  PMD_WRITE,
  PMD_YOUNG,
  PMD_ZERO,
  type PmdRef,
  PTE_DIRTY,
  PTE_UFFD_WP,
  PTE_WRITE,
  PTE_YOUNG,
  pmdPfn,
  setPmd,
  setPtePage,
  setPteZero,
} from './page-table.js';
import { addAnonPteRmap, removeAnonPmdRmap, removePmdRmap, rssColumn } from './rmap-change.js';

/** Writes a huge PMD and deposits a table for its later split (`pgtable_trans_huge_deposit`). */
export function setHugePmd(m: Machine, pmd: PmdRef, pfn: Pfn, attributes: number, deposit: TableId): void {
  setPmd(m, pmd, makePmdHuge(m, pfn, attributes));
  m.directory.deposit[pmd] = deposit;
}

/** Maps the huge zero page; nothing is counted as resident. */
export function setHugeZeroPmd(m: Machine, pmd: PmdRef, deposit: TableId): void {
  setPmd(m, pmd, makePmdHuge(m, 0 as Pfn, PMD_ZERO | PMD_YOUNG));
  m.directory.deposit[pmd] = deposit;
}

/** Takes the deposited table of a PMD. */
export function withdrawDeposit(m: Machine, pmd: PmdRef): TableId {
  const table = m.directory.deposit[pmd] as TableId;
  m.directory.deposit[pmd] = 0;
  return table;
}

/**
 * Replaces a huge PMD by a table that maps the same pages (`__split_huge_pmd_locked`). One that maps a file just goes, and 0
 * is returned: its pages are in the page cache, where faults find them. The PMD lock is the caller's.
 */
export function splitHugePmd(m: Machine, vma: VmaId, pmd: PmdRef, page: Vpn): TableId | 0 {
  const mm = m.vma.mm[vma] as MmId;
  m.hooks.settleAccess(mm, page);
  const entry = m.directory.entry[pmd];
  if ((entry & PMD_ZERO) === 0 && !folioHas(m, pmdPfn(m, entry), FOLIO.ANON)) {
    dropFilePmd(m, mm, pmd, page);
    return 0;
  }
  const start = (page - (page % m.ptes)) as Vpn;
  const table = m.directory.deposit[pmd] === 0 ? newTable(m, mm, start) : withdrawDeposit(m, pmd);
  m.pte.mm[table] = mm;
  m.pte.block[table] = start / m.ptes;
  countVmEvent(m, 'thp_split_pmd');
  m.directory.entry[pmd] = makePmdTable(table);
  flushBlock(m, mm, page);
  const attributes = pteAttributesOf(entry);
  if ((entry & PMD_ZERO) !== 0) {
    for (let slot = 0; slot < m.ptes; slot++) setPteZero(m, table, slot, attributes & ~(PTE_WRITE | PTE_DIRTY));
    return table;
  }
  splitMapping(m, pmdPfn(m, entry), mm, table, attributes);
  return table;
}

/** Takes the huge PMD of a file away (`__split_huge_pmd_locked`, memory that is not anonymous). */
function dropFilePmd(m: Machine, mm: MmId, pmd: PmdRef, page: Vpn): void {
  const entry = m.directory.entry[pmd];
  const head = pmdPfn(m, entry);
  countVmEvent(m, 'thp_split_pmd');
  m.directory.entry[pmd] = 0;
  flushBlock(m, mm, page);
  if ((entry & PMD_DIRTY) !== 0) setFrameFlags(m, head, FOLIO.DIRTY);
  if ((entry & PMD_YOUNG) !== 0) setFrameFlags(m, head, FOLIO.REFERENCED);
  const rss = rssColumn(m, head);
  rss[mm] = rss[mm] - m.ptes;
  removePmdRmap(m, head, mm);
  folioDrop(m, head);
}

function splitMapping(m: Machine, head: Pfn, mm: MmId, table: TableId, attributes: number): void {
  const exclusive = (m.frame.flags[head] & PAGE.ANON_EXCLUSIVE) !== 0;
  // One reference of the PMD becomes one of each PTE.
  folioGet(m, head, m.ptes - 1);
  for (let slot = 0; slot < m.ptes; slot++) {
    addAnonPteRmap(m, (head + slot) as Pfn, mm);
    if (exclusive) setFrameFlags(m, head + slot, PAGE.ANON_EXCLUSIVE);
  }
  removeAnonPmdRmap(m, head, mm);
  updateMirrors(m, head);
  for (let slot = 0; slot < m.ptes; slot++) setPtePage(m, table, slot, head + slot, attributes);
}

function pteAttributesOf(entry: number): number {
  return (
    ((entry & PMD_YOUNG) !== 0 ? PTE_YOUNG : 0) |
    ((entry & PMD_DIRTY) !== 0 ? PTE_DIRTY : 0) |
    ((entry & PMD_WRITE) !== 0 ? PTE_WRITE : 0) |
    ((entry & PMD_UFFD_WP) !== 0 ? PTE_UFFD_WP : 0)
  );
}
