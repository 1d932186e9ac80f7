import { getBit } from '@thplab/arena';
import { type Machine, PAGE, pteBit, pteCell } from '@thplab/mm-model';
import type { CollapseAttempt } from '../collapse-attempt.js';

/**
 * Copies the window's contents into the new folio (`__collapse_huge_page_copy`, khugepaged spec 11.5): empty and zero-page
 * entries become zeroes, others their page's content. Gives the number of pages that went well: all of them, unless a
 * source is poisoned. Nothing but the new folio is changed.
 *
 * No PTE lock is needed: the table is out of the PMD, so nobody can reach the entries, and nobody else holds the sources.
 */
export function copyContents(m: Machine, a: CollapseAttempt): number {
  const { table, slot, pages, folio } = a;
  const { stamp, flags } = m.frame;
  const { present, zero, pfn } = m.pte;
  const bit = pteBit(m, table, slot);
  const cell = pteCell(m, table, slot);
  for (let i = 0; i < pages; i++) {
    if (!getBit(present, bit + i) || getBit(zero, bit + i)) {
      stamp[folio + i] = 0;
      continue;
    }
    const source = pfn[cell + i];
    if ((flags[source] & PAGE.HWPOISON) !== 0) return i;
    stamp[folio + i] = stamp[source];
  }
  return pages;
}

/** Processor time of a copy of so many pages, and of letting go of the sources and mapping the new folio. */
export function copyCost(m: Machine, a: CollapseAttempt, copied: number): number {
  const none = Math.min(a.none, copied);
  const { copyPage, zeroPage, setPte, isolatePage } = m.costs;
  const copying = (copied - none) * (copyPage + setPte) + none * zeroPage;
  return copying + a.folios * isolatePage + a.pages * setPte;
}
