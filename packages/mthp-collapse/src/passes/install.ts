import {
  addNewAnonRmap,
  deferredSplitFolio,
  folioAddLru,
  folioGet,
  installHuge,
  type Machine,
  type Pfn,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  setPtePage,
  VM,
} from '@thplab/mm-model';
import type { CollapseAttempt } from '../collapse-attempt.js';
import type { Generation } from '../generations/generation.js';
import { requireEmptyPmd } from './table-in-pmd.js';

/**
 * Maps the new folio by a huge PMD, with the old table as its deposit (khugepaged spec 11.6). The folio belongs to the
 * mapping afterwards. The PMD lock is held.
 */
export function installPmd(m: Machine, a: CollapseAttempt): void {
  requireEmptyPmd(m, a);
  installHuge(m, a.vma, a.pmd, a.tableStart, a.folio, a.table);
  a.folio = 0 as Pfn;
}

/**
 * Maps the new folio by 2^order entries of the old table (khugepaged spec 11.6). The folio belongs to the mapping
 * afterwards. The PTE lock is held.
 */
export function installPtes(m: Machine, generation: Generation, a: CollapseAttempt): void {
  // The folio starts with one reference; each of its entries needs one (khugepaged spec 24).
  folioGet(m, a.folio, a.pages - 1);
  addNewAnonRmap(m, a.folio, a.vma, a.page);
  folioAddLru(m, a.folio);
  if (generation.deferredQueueMthp) deferredSplitFolio(m, a.folio, false);
  const attributes = newPteAttributes(generation, m.vma.flags[a.vma]);
  for (let i = 0; i < a.pages; i++) setPtePage(m, a.table, a.slot + i, a.folio + i, attributes);
  m.mm.rssAnon[a.mm] += a.pages;
  a.folio = 0 as Pfn;
}

/** Dirty and writable if the VMA is writable; v12 and before: always dirty (khugepaged spec 23.1). */
function newPteAttributes(generation: Generation, vmFlags: number): number {
  const writable = (vmFlags & VM.WRITE) !== 0;
  const dirty = writable || generation.installWriteDirtyRule === 'alwaysDirty';
  return PTE_YOUNG | (writable ? PTE_WRITE : 0) | (dirty ? PTE_DIRTY : 0);
}
