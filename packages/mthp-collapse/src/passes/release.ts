/**
 * Giving back what isolate took, with the page table unchanged (`release_pte_pages`, khugepaged spec 11.4 and 11.5).
 */
import { getBit } from '@thplab/arena';
import {
  countVmEvent,
  FOLIO,
  folioPages,
  folioPutbackLru,
  type Machine,
  ORDER_MASK,
  type Pfn,
  pteBit,
  pteCell,
} from '@thplab/mm-model';
import type { CollapseAttempt } from '../collapse-attempt.js';

/**
 * Unlocks and puts back the small folios of the entries that isolate has passed, last one first, then each large one. The
 * entry that isolate stopped at is not among them.
 */
export function releaseIsolated(m: Machine, a: CollapseAttempt): void {
  for (let i = a.isolated - 1; i >= 0; i--) {
    const bit = pteBit(m, a.table, a.slot + i);
    if (!getBit(m.pte.present, bit) || getBit(m.pte.zero, bit)) continue;
    const pfn = m.pte.pfn[pteCell(m, a.table, a.slot + i)] as Pfn;
    if ((m.frame.flags[pfn] & ORDER_MASK) === 0) releaseFolio(m, pfn);
  }
  for (let i = 0; i < a.largeCount; i++) releaseFolio(m, a.large[i] as Pfn);
  a.isolated = 0;
  a.largeCount = 0;
}

/** One folio back to the LRU, unlocked, uncounted; its mirrors follow. */
export function releaseFolio(m: Machine, head: Pfn): void {
  const lazyfree = (m.frame.flags[head] & FOLIO.SWAPBACKED) === 0;
  countVmEvent(m, lazyfree ? 'nr_isolated_file' : 'nr_isolated_anon', -folioPages(m, head));
  m.locks.folioLock.unlock(head);
  folioPutbackLru(m, head);
}
