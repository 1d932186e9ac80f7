import {
  addNewAnonRmap,
  deferredSplitFolio,
  directoryOf,
  FOLIO,
  folioAddLru,
  folioGet,
  installHuge,
  type Machine,
  type Pfn,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  setFrameFlags,
  setPtePage,
  VM,
} from '@thplab/mm-model';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { CollapseAttempt } from '../collapse-attempt.js';
import type { CollapseContext } from '../collapse-context.js';
import type { CollapseControl } from '../collapse-control.js';
import type { Generation } from '../generations/generation.js';
import { attachTable, requireEmptyPmd } from './table-in-pmd.js';

/**
 * Maps the new folio (khugepaged spec 10 step 16, 11.6): by a huge PMD with the old table as its deposit, or by 2^order
 * entries of the old table, which goes back into the PMD. The folio belongs to the mapping afterwards. mmap_lock is held
 * for writing; below the PMD order so is the anon_vma, unless the generation has the defect B7.
 */
export function* installFolio(ctx: CollapseContext, cc: CollapseControl): Procedure<void> {
  const { m } = ctx;
  const a = cc.attempt;
  const pmdLock = m.locks.pmdLock.ref(directoryOf(m, a.pmd));
  // The VMA-aware way onto the LRU makes new folios of a locked VMA locked at once.
  if ((m.vma.flags[a.vma] & VM.LOCKED) !== 0) setFrameFlags(m, a.folio, FOLIO.MLOCKED);
  yield acquire(pmdLock);
  requireEmptyPmd(m, a);
  if (a.order === m.pmdOrder) {
    installHuge(m, a.vma, a.pmd, a.tableStart, a.folio, a.table);
    yield spend(m.costs.setPte);
  } else {
    yield* installPtes(ctx, a);
  }
  yield release(pmdLock);
  a.folio = 0 as Pfn;
}

/** The PMD lock is held. The PTE lock nests in it once the table can be reached again. */
function* installPtes(ctx: CollapseContext, a: CollapseAttempt): Procedure<void> {
  const { m, generation } = ctx;
  const pteLock = m.locks.pteLock.ref(a.table);
  if (generation.pmdReinstallBeforePtes) attachTable(m, a);
  yield acquire(pteLock);
  mapPtes(m, generation, a);
  yield spend(a.pages * m.costs.setPte);
  yield release(pteLock);
  // v12 to v18: the entries were written while the PMD was still empty (the defect B8).
  if (!generation.pmdReinstallBeforePtes) attachTable(m, a);
}

function mapPtes(m: Machine, generation: Generation, a: CollapseAttempt): void {
  // The folio starts with one reference; each of its entries needs one (khugepaged spec 24).
  folioGet(m, a.folio, a.pages - 1);
  addNewAnonRmap(m, a.folio, a.vma, a.page);
  folioAddLru(m, a.folio);
  if (generation.deferredQueueMthp) deferredSplitFolio(m, a.folio, false);
  const attributes = newPteAttributes(generation, m.vma.flags[a.vma]);
  for (let i = 0; i < a.pages; i++) setPtePage(m, a.table, a.slot + i, a.folio + i, attributes);
  m.mm.rssAnon[a.mm] += a.pages;
}

/** Dirty and writable if the VMA is writable; v12 and before: always dirty (khugepaged spec 23.1). */
function newPteAttributes(generation: Generation, vmFlags: number): number {
  const writable = (vmFlags & VM.WRITE) !== 0;
  const dirty = writable || generation.installWriteDirtyRule === 'alwaysDirty';
  return PTE_YOUNG | (writable ? PTE_WRITE : 0) | (dirty ? PTE_DIRTY : 0);
}
