/**
 * MADV_COLD: pages look unused, so that reclaim takes them first. MADV_PAGEOUT: reclaim takes them now
 * (`madvise_cold_or_pageout_pte_range`). Pages that another process maps too are left alone.
 */
import { clearBits } from '@thplab/arena';
import type { Procedure } from '@thplab/sync';
import type { Pfn, VmaId } from '../brands.js';
import { ERRNO } from '../errno.js';
import { FOLIO, VM } from '../flags.js';
import { clearFrameFlags, folioHas, folioMapcount, folioPages } from '../folio.js';
import { updateMirrors } from '../folio-mirror.js';
import { folioIsolateLru, folioPutbackLru, lruAddDrainCpu } from '../lru.js';
import { countVmEvent, type Machine } from '../machine.js';
import { PMD_YOUNG, pteBit } from '../page-table.js';
import { walkBlocks } from '../pte-range.js';
import { swapOutIsolated } from '../swap-out.js';
import { adviseHugePmd, adviseTable, type FolioAdvice } from './large-folio.js';

/** Makes the pages of a VMA's range cold. mmap_lock is the caller's. Gives 0, or -EINVAL for locked or special memory. */
export function* madviseCold(m: Machine, vma: VmaId, start: number, end: number): Procedure<number> {
  return yield* coldOrPageout(m, vma, start, end, undefined);
}

/** Reclaims the pages of a VMA's range. mmap_lock is the caller's. Gives 0, or -EINVAL for locked or special memory. */
export function* madvisePageout(m: Machine, vma: VmaId, start: number, end: number): Procedure<number> {
  const taken: Pfn[] = [];
  const result = yield* coldOrPageout(m, vma, start, end, taken);
  for (const head of taken) yield* reclaimTaken(m, head);
  return result;
}

function* coldOrPageout(
  m: Machine,
  vma: VmaId,
  start: number,
  end: number,
  taken: Pfn[] | undefined,
): Procedure<number> {
  if ((m.vma.flags[vma] & (VM.LOCKED | VM.PFNMAP | VM.HUGETLB)) !== 0) return -ERRNO.EINVAL;
  lruAddDrainCpu(m, m.current.cpu);
  const advice = coldAdvice(m, taken);
  yield* walkBlocks(m, vma, start, end, {
    huge: (visit) => adviseHugePmd(m, visit, advice),
    table: (visit, table) => adviseTable(m, visit, table, advice),
  });
  return 0;
}

function coldAdvice(m: Machine, taken: Pfn[] | undefined): FolioAdvice {
  return {
    huge(visit, head) {
      if (taken === undefined) m.directory.entry[visit.pmd] = (m.directory.entry[visit.pmd] & ~PMD_YOUNG) >>> 0;
      coolFolio(m, head, taken);
      return 1;
    },
    mapped(table, slot, count, head) {
      if (!folioHas(m, head, FOLIO.LRU) || folioMapcount(m, head) !== count) return 0;
      const bit = pteBit(m, table, slot);
      if (taken === undefined) clearBits(m.pte.young, bit, bit + count);
      coolFolio(m, head, taken);
      return count;
    },
  };
}

/** The folio forgets that it was used, and moves to the inactive list or into our hands. */
function coolFolio(m: Machine, head: Pfn, taken: Pfn[] | undefined): void {
  clearFrameFlags(m, head, FOLIO.REFERENCED | FOLIO.YOUNG);
  if (taken === undefined) {
    if (folioHas(m, head, FOLIO.ACTIVE)) countVmEvent(m, 'pgdeactivate', folioPages(m, head));
    clearFrameFlags(m, head, FOLIO.ACTIVE);
  } else if (folioIsolateLru(m, head)) {
    taken.push(head);
  }
  updateMirrors(m, head);
}

/** `reclaim_pages`: what cannot go is put back. */
function* reclaimTaken(m: Machine, head: Pfn): Procedure<void> {
  if (folioHas(m, head, FOLIO.ANON)) yield* swapOutIsolated(m, head);
  else folioPutbackLru(m, head);
}
