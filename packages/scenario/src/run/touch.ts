/**
 * Touching memory as a program does: an access that the page tables allow only leaves its marks (accessed, dirty, new
 * content); any other takes a page fault, whose time is what the thread loses.
 */
import { asBrand, getBit, setBit } from '@thplab/arena';
import {
  FAULT,
  type FaultResult,
  faultName,
  findPmd,
  handleMmFault,
  type Machine,
  type MmId,
  mmget,
  mmput,
  NO_FRAME,
  NO_PMD,
  nextStamp,
  PMD,
  PMD_DIRTY,
  PMD_WRITE,
  PMD_YOUNG,
  PMD_ZERO,
  pmdPfn,
  pmdTable,
  pmdType,
  pteBit,
  pteCell,
  slotOf,
  type Vpn,
} from '@thplab/mm-model';
import { now, type Procedure } from '@thplab/sync';
import type { Process } from './process-table.js';

/** Marks the page as touched if its entry allows the access; false if a fault is needed. */
export function touchMapped(m: Machine, mm: MmId, page: Vpn, write: boolean): boolean {
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return false;
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) {
    if (write && (entry & PMD_WRITE) === 0) return false;
    m.directory.entry[pmd] = (entry | PMD_YOUNG | (write ? PMD_DIRTY : 0)) >>> 0;
    if (write && (entry & PMD_ZERO) === 0) m.frame.stamp[pmdPfn(m, entry) + slotOf(m, page)] = nextStamp(m);
    return true;
  }
  if (pmdType(entry) !== PMD.table) return false;
  const table = pmdTable(entry);
  const bit = pteBit(m, table, slotOf(m, page));
  if (!getBit(m.pte.present, bit) || (write && !getBit(m.pte.write, bit))) return false;
  setBit(m.pte.young, bit);
  if (!write) return true;
  setBit(m.pte.dirty, bit);
  const pfn = m.pte.pfn[pteCell(m, table, slotOf(m, page))];
  if (pfn !== NO_FRAME) m.frame.stamp[pfn] = nextStamp(m);
  return true;
}

/** Touches a page of a process, and books the time of the fault if there is one. */
export function* touchPage(m: Machine, process: Process, page: number, write: boolean): Procedure<FaultResult> {
  const at = asBrand<Vpn>(page);
  if (process.exitNs !== null) return FAULT.sigsegv;
  if (touchMapped(m, process.mm, at, write)) return FAULT.ok;
  const started = yield now();
  mmget(m, process.mm);
  const result = yield* handleMmFault(m, process.mm, at, { write });
  yield* mmput(m, process.mm);
  const ended = yield now();
  process.faultNs.record(ended - started);
  if (result === FAULT.ok) return result;
  const name = faultName(result);
  process.failures.set(name, (process.failures.get(name) ?? 0) + 1);
  return result;
}
