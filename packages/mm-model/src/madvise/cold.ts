/**
 * MADV_COLD: pages look unused, so that reclaim takes them first. MADV_PAGEOUT: reclaim takes them now. Pages that another
 * process maps too are left alone (`madvise_cold_or_pageout_pte_range`).
 */
import { clearBits } from '@thplab/arena';
import type { Procedure } from '@thplab/sync';
import type { Pfn, VmaId, Vpn } from '../brands.js';
import { ERRNO } from '../errno.js';
import { FOLIO, VM } from '../flags.js';
import { clearFrameFlags, folioHas, folioMapcount, folioPages } from '../folio.js';
import { updateMirrors } from '../folio-mirror.js';
import { lruAddDrainCpu } from '../lru.js';
import { countVmEvent, type Machine } from '../machine.js';
import { flushBlock, flushPtes, PMD_YOUNG, pteBit, settlePtes } from '../page-table.js';
import { walkBlocks } from '../pte-range.js';
import { pageoutRange } from '../reclaim.js';
import { adviseHugePmd, adviseTable, type FolioAdvice } from './large-folio.js';

/** Makes the pages of a VMA's range cold. mmap_lock is the caller's. Gives 0, or -EINVAL for locked or special memory. */
export function* madviseCold(m: Machine, vma: VmaId, start: number, end: number): Procedure<number> {
  if (!canMadvLruVma(m, vma)) return -ERRNO.EINVAL;
  lruAddDrainCpu(m, m.current.cpu);
  const advice = coldAdvice(m);
  yield* walkBlocks(m, vma, start, end, {
    huge: (visit) => adviseHugePmd(m, visit, advice),
    table: (visit, table) => adviseTable(m, visit, table, advice),
  });
  return 0;
}

/** Reclaims the pages of a VMA's range. mmap_lock is the caller's. Gives 0, or -EINVAL for locked or special memory. */
export function* madvisePageout(m: Machine, vma: VmaId, start: number, end: number): Procedure<number> {
  if (!canMadvLruVma(m, vma)) return -ERRNO.EINVAL;
  yield* pageoutRange(m, vma, start as Vpn, end as Vpn);
  return 0;
}

function canMadvLruVma(m: Machine, vma: VmaId): boolean {
  return (m.vma.flags[vma] & (VM.LOCKED | VM.PFNMAP | VM.HUGETLB)) === 0;
}

function coldAdvice(m: Machine): FolioAdvice {
  return {
    huge(visit, head) {
      m.hooks.settleAccess(visit.mm, visit.start as Vpn);
      m.directory.entry[visit.pmd] = (m.directory.entry[visit.pmd] & ~PMD_YOUNG) >>> 0;
      flushBlock(m, visit.mm, visit.start as Vpn);
      coolFolio(m, head);
      return 1;
    },
    mapped(table, slot, count, head) {
      if (!folioHas(m, head, FOLIO.LRU) || folioMapcount(m, head) !== count) return 0;
      const bit = pteBit(m, table, slot);
      settlePtes(m, table, slot, slot + count);
      clearBits(m.pte.young, bit, bit + count);
      flushPtes(m, table, slot, slot + count);
      coolFolio(m, head);
      return count;
    },
  };
}

/** The folio forgets that it was used, and moves to the inactive list (`folio_deactivate`). */
function coolFolio(m: Machine, head: Pfn): void {
  if (folioHas(m, head, FOLIO.ACTIVE)) countVmEvent(m, 'pgdeactivate', folioPages(m, head));
  clearFrameFlags(m, head, FOLIO.REFERENCED | FOLIO.YOUNG | FOLIO.ACTIVE);
  updateMirrors(m, head);
}
