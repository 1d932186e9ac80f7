/**
 * MADV_FREE: pages keep their content until memory is short, and are then dropped instead of swapped out, unless they were
 * written again (`madvise_free_single_vma`). Such a page is clean, old and not swap-backed: "lazyfree".
 */
import { clearBits } from '@thplab/arena';
import type { Procedure } from '@thplab/sync';
import type { MmId, Pfn, TableId, VmaId, Vpn } from '../brands.js';
import { ERRNO } from '../errno.js';
import { ENTRY_KIND, entryKind, entryValue, FOLIO, VMA_KIND } from '../flags.js';
import { clearFrameFlags, folioHas, folioMapcount, folioPages } from '../folio.js';
import { folioTrylock, folioUnlock } from '../folio-hold.js';
import { updateMirrors } from '../folio-mirror.js';
import { lruAddDrainCpu } from '../lru.js';
import { countVmEvent, type Machine } from '../machine.js';
import {
  clearPte,
  flushBlock,
  flushPtes,
  isPteNone,
  PMD_DIRTY,
  PMD_YOUNG,
  pteBit,
  pteCell,
  settlePtes,
} from '../page-table.js';
import { walkBlocks } from '../pte-range.js';
import { folioSwapSlot, removeFromSwapCache, swapFree } from '../swap-slots.js';
import { adviseHugePmd, adviseTable, type FolioAdvice, isEvictable } from './large-folio.js';

/** Marks the pages of a VMA's range. mmap_lock or the VMA's lock is the caller's. Gives 0, -EINVAL if not anonymous. */
export function* madviseFree(m: Machine, vma: VmaId, start: number, end: number): Procedure<number> {
  if (m.vma.kind[vma] !== VMA_KIND.anon) return -ERRNO.EINVAL;
  lruAddDrainCpu(m, m.current.cpu);
  const advice = freeAdvice(m, vma);
  yield* walkBlocks(m, vma, start, end, {
    huge: (visit) => adviseHugePmd(m, visit, advice),
    table: (visit, table) => adviseTable(m, visit, table, advice),
  });
  return 0;
}

function freeAdvice(m: Machine, vma: VmaId): FolioAdvice {
  return {
    huge(visit, head) {
      if (!cleanFolio(m, head, 1)) return 0;
      m.hooks.settleAccess(visit.mm, visit.start as Vpn);
      m.directory.entry[visit.pmd] = (m.directory.entry[visit.pmd] & ~(PMD_YOUNG | PMD_DIRTY)) >>> 0;
      // A processor that remembers the entry as dirty would not mark the next write.
      flushBlock(m, visit.mm, visit.start as Vpn);
      folioMarkLazyfree(m, head);
      return 1;
    },
    mapped(table, slot, count, head) {
      if (!cleanFolio(m, head, count)) return 0;
      const bit = pteBit(m, table, slot);
      settlePtes(m, table, slot, slot + count);
      clearBits(m.pte.young, bit, bit + count);
      clearBits(m.pte.dirty, bit, bit + count);
      flushPtes(m, table, slot, slot + count);
      folioMarkLazyfree(m, head);
      return count;
    },
    entry: (table, slot) => freeEntry(m, m.vma.mm[vma] as MmId, table, slot),
  };
}

/** Makes a folio that only these mappings use clean, and takes it out of the swap cache; false if others use it. */
function cleanFolio(m: Machine, head: Pfn, mappings: number): boolean {
  if ((m.frame.flags[head] & (FOLIO.SWAPCACHE | FOLIO.DIRTY)) === 0) return true;
  if (!folioTrylock(m, head)) return false;
  const alone = folioMapcount(m, head) === mappings && folioFreeSwap(m, head);
  if (alone) clearFrameFlags(m, head, FOLIO.DIRTY);
  folioUnlock(m, head);
  return alone;
}

/** Takes a folio out of the swap cache if no swap entry refers to its slots (`folio_free_swap`). */
function folioFreeSwap(m: Machine, head: Pfn): boolean {
  if (!folioHas(m, head, FOLIO.SWAPCACHE)) return true;
  const first = folioSwapSlot(m, head);
  for (let i = 0; i < folioPages(m, head); i++) if (m.swap.count[first + i] !== 0) return false;
  removeFromSwapCache(m, first);
  return true;
}

/** `folio_mark_lazyfree`. The kernel does this a batch of folios later; here it is done at once. */
function folioMarkLazyfree(m: Machine, head: Pfn): void {
  const usual = FOLIO.ANON | FOLIO.SWAPBACKED;
  if (!folioHas(m, head, usual) || folioHas(m, head, FOLIO.SWAPCACHE) || !isEvictable(m, head)) return;
  clearFrameFlags(m, head, FOLIO.ACTIVE | FOLIO.REFERENCED | FOLIO.SWAPBACKED);
  countVmEvent(m, 'pglazyfree', folioPages(m, head));
  updateMirrors(m, head);
}

/** A swapped-out page is given up at once; poison goes too. */
function freeEntry(m: Machine, mm: MmId, table: TableId, slot: number): number {
  if (isPteNone(m, table, slot)) return 0;
  const entry = m.pte.pfn[pteCell(m, table, slot)];
  const kind = entryKind(entry);
  if (kind === ENTRY_KIND.swap) {
    swapFree(m, entryValue(entry));
    m.mm.swapEnts[mm]--;
  } else if (kind !== ENTRY_KIND.hwpoison && kind !== ENTRY_KIND.markerPoison) return 0;
  clearPte(m, table, slot);
  return 1;
}
