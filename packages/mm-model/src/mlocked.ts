/**
 * The mark of folios that are locked in memory. It stays as long as a locked VMA maps the folio; a large folio is marked
 * only where it lies wholly in the locked VMA, so that reclaim can still split it elsewhere.
 */
import { asBrand } from '@thplab/arena';
import type { Pfn, VmaId, Vpn } from './brands.js';
import { FOLIO, VM } from './flags.js';
import { clearFrameFlags, folioHas, folioPages, linearIndex, setFrameFlags } from './folio.js';
import { LOCKLESS, lockless } from './lockless.js';
import { countVmEvent, type Machine } from './machine.js';
import { tableStart } from './page-table.js';
import { rmapWalk } from './rmap.js';

/** All pages of the folio would be mapped in the VMA (`folio_within_vma`); `page` maps its frame `pfn`. */
export function folioWithinVma(m: Machine, vma: VmaId, head: Pfn, pfn: number, page: Vpn): boolean {
  const first = linearIndex(m, vma, page) - (pfn - head);
  const start = m.vma.pgoff[vma];
  return first >= start && first + folioPages(m, head) <= start + (m.vma.end[vma] - m.vma.start[vma]);
}

/** Marks a folio as mlocked; or unmarks it, unless another VMA that maps it is locked. */
export function setMlocked(m: Machine, head: Pfn, lock: boolean): void {
  const is = folioHas(m, head, FOLIO.MLOCKED);
  if (is === lock || (!lock && isMappedLocked(m, head))) return;
  if (lock) setFrameFlags(m, head, FOLIO.MLOCKED);
  else clearFrameFlags(m, head, FOLIO.MLOCKED);
  countVmEvent(m, 'nr_mlock', lock ? folioPages(m, head) : -folioPages(m, head));
}

/**
 * True if a locked VMA maps the folio; one that holds only a part of a large folio does not count (`folioWithinVma`). The
 * kernel walks no reverse map here, and takes no lock for one: `__munlock_folio` looks at the folio's mlock_count. It takes
 * the mark off if it cannot tell, as this does while the table of another mapping is out of its PMD; reclaim leaves pages
 * of a locked VMA alone in any case.
 */
function isMappedLocked(machine: Machine, head: Pfn, except: VmaId | 0 = 0): boolean {
  const m = lockless(machine, LOCKLESS.mlockCount);
  let locked = false;
  rmapWalk(m, head, {
    pte(table, slot, pfn, vma) {
      if (locked || vma === except || (m.vma.flags[vma] & VM.LOCKED) === 0) return;
      locked = folioWithinVma(m, vma, head, pfn, asBrand<Vpn>(tableStart(m, table) + slot));
    },
    pmd(_pmd, vma) {
      locked ||= vma !== except && (m.vma.flags[vma] & VM.LOCKED) !== 0;
    },
  });
  return locked;
}

/**
 * The VMA has just stopped mapping a page of the folio: a locked one takes its mark along, also if it still maps other pages
 * of a large folio (`munlock_vma_folio`).
 */
export function munlockVmaFolio(m: Machine, vma: VmaId, head: Pfn): void {
  if ((m.vma.flags[vma] & VM.LOCKED) === 0 || !folioHas(m, head, FOLIO.MLOCKED)) return;
  if (!isMappedLocked(m, head, vma)) clearMlocked(m, head);
}

function clearMlocked(m: Machine, head: Pfn): void {
  clearFrameFlags(m, head, FOLIO.MLOCKED);
  countVmEvent(m, 'nr_mlock', -folioPages(m, head));
}
