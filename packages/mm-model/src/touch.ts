/** What the hardware does to an entry of the page table when it walks to it: accessed, dirty, new content. */
import { getBit, setBit } from '@thplab/arena';
import type { MmId, Vpn } from './brands.js';
import { NO_FRAME } from './flags.js';
import { type Machine, nextStamp } from './machine.js';
import {
  findPmd,
  NO_PMD,
  PMD,
  PMD_DIRTY,
  PMD_WRITE,
  PMD_YOUNG,
  PMD_ZERO,
  pmdPfn,
  pmdTable,
  pmdType,
  pteBit,
  pteCell,
  slotOf,
} from './page-table.js';

/** Marks the page as touched if its entry allows the access; false if a fault is needed. */
export function touchMapped(m: Machine, mm: MmId, page: Vpn, write: boolean): boolean {
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return false;
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) {
    if (write && (entry & PMD_WRITE) === 0) return false;
    m.directory.entry[pmd] = (entry | PMD_YOUNG | (write ? PMD_DIRTY : 0)) >>> 0;
    if (write && (entry & PMD_ZERO) === 0) m.frame.stamp[pmdPfn(m, entry) + slotOf(m, page)] = nextStamp(m);
    return true;
  }
  if (pmdType(entry) !== PMD.table) return false;
  const table = pmdTable(entry);
  const bit = pteBit(m, table, slotOf(m, page));
  if (!getBit(m.pte.present, bit) || (write && !getBit(m.pte.write, bit))) return false;
  setBit(m.pte.young, bit);
  if (!write) return true;
  setBit(m.pte.dirty, bit);
  const pfn = m.pte.pfn[pteCell(m, table, slotOf(m, page))];
  if (pfn !== NO_FRAME) m.frame.stamp[pfn] = nextStamp(m);
  return true;
}
