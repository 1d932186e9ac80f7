import { getBit } from '@thplab/arena';
import { PAGE, pteBit, pteCell } from '@thplab/mm-model';
import { acquire, type Procedure, release, spend } from '@thplab/sync';
import type { CollapseContext } from '../collapse-context.js';
import type { CollapseControl } from '../collapse-control.js';
import { SCAN, type ScanResult } from '../results.js';
import { releaseIsolated } from './release.js';
import { reinstallPmd } from './table-in-pmd.js';
import { unmapSources } from './unmap-sources.js';

/**
 * Copies the window into the new folio (`__collapse_huge_page_copy`, khugepaged spec 11.5): empty and zero-page entries
 * become zeroes, others their page's content. On success the sources are unmapped and given back and the window's entries
 * are none; a poisoned source gives COPY_MC, with the table back in the PMD and every source as it was.
 *
 * mmap_lock is held for writing and the table is out of the PMD, so no PTE lock is needed while copying: nobody can reach
 * the entries, and nobody else holds the sources.
 */
export function* collapseHugePageCopy(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m } = ctx;
  const a = cc.attempt;
  const copied = copyContents(ctx, cc);
  const none = Math.min(a.none, copied);
  yield spend((copied - none) * m.costs.copyPage + none * m.costs.zeroPage);
  const lock = m.locks.pteLock.ref(a.table);
  if (copied < a.pages) {
    yield* reinstallPmd(m, a);
    yield acquire(lock);
    releaseIsolated(m, a);
    yield spend(a.pages * m.costs.isolatePage);
    yield release(lock);
    return SCAN.COPY_MC;
  }
  yield acquire(lock);
  unmapSources(m, a);
  yield spend((a.pages - a.none) * (m.costs.setPte + m.costs.isolatePage));
  yield release(lock);
  return SCAN.SUCCEED;
}

/** Copies page by page; gives how many went well, all of them unless one is poisoned. */
function copyContents(ctx: CollapseContext, cc: CollapseControl): number {
  const { m } = ctx;
  const { table, slot, pages, folio } = cc.attempt;
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
