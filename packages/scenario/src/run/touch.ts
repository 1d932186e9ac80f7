/**
 * Touching memory as a program does: an access that the page tables allow only leaves its marks (accessed, dirty, new
 * content); any other takes a page fault, whose time is what the thread loses.
 */
import { asBrand } from '@thplab/arena';
import {
  FAULT,
  type FaultResult,
  faultName,
  handleMmFault,
  type Machine,
  mmget,
  mmput,
  TLB_ACCESS,
  type Tlb,
  tlbAccess,
  touchMapped,
  type Vpn,
} from '@thplab/mm-model';
import { now, type Procedure } from '@thplab/sync';
import type { Process } from './process-table.js';

/** Touches a page of a process, through the TLB if one is modelled, and books the time of the fault if there is one. */
export function* touchPage(
  m: Machine,
  process: Process,
  page: number,
  write: boolean,
  tlb?: Tlb,
): Procedure<FaultResult> {
  const at = asBrand<Vpn>(page);
  if (process.exitNs !== null) return FAULT.sigsegv;
  if (tlb === undefined) {
    if (touchMapped(m, process.mm, at, write)) return FAULT.ok;
  } else if (tlbAccess(tlb, process.cpu, process.mm, at, write) !== TLB_ACCESS.fault) return FAULT.ok;
  const started = yield now();
  mmget(m, process.mm);
  const result = yield* handleMmFault(m, process.mm, at, { write });
  yield* mmput(m, process.mm);
  const ended = yield now();
  process.faultNs.record(ended - started);
  if (result === FAULT.ok) {
    if (process.faulted !== null) yield* process.faulted(page, ended);
    return result;
  }
  const name = faultName(result);
  process.failures.set(name, (process.failures.get(name) ?? 0) + 1);
  return result;
}
