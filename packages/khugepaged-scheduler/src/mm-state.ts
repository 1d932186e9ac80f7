/** What khugepaged asks of an address space again and again. */
import { MMF, type MmId, mmIsExiting } from '@thplab/mm-model';
import type { Khugepaged } from './khugepaged.js';

/** `hpage_collapse_test_exit_or_disable` (khugepaged spec 2.5). */
export function exitOrDisabled(k: Khugepaged, mm: MmId): boolean {
  return mmIsExiting(k.m, mm) || (k.m.mm.flags[mm] & MMF.DISABLE_THP_COMPLETELY) !== 0;
}
