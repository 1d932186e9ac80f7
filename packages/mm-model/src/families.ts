/**
 * Families of address spaces: which of them may share folios. Where several threads work on a machine, a step that works on
 * an address space is whole among those of its family (docs/locking.md); on one thread nobody asks.
 *
 * Relatives by fork are one family. All address spaces that map a file or shared memory are one family too, whoever their
 * parents are: they meet in the page cache.
 */
import { OPEN_GATE } from '@thplab/sync';
import type { MmId } from './brands.js';
import { lruAddDrainCpu } from './lru.js';
import type { Machine } from './machine.js';

/** Number of the family that maps files: one that no address space has for itself. */
export function fileFamily(m: Machine): number {
  return m.mm.pool.capacity + 1;
}

/** Keys that a step gate needs for a machine with so many address spaces. */
export function familyKeys(mms = 256): number {
  return mms + 2;
}

/** The address space and its relatives are about to map a file. Called where a yield could be. */
export function joinFileFamily(m: Machine, mm: MmId): void {
  const to = fileFamily(m);
  if (m.mm.family[mm] === to) return;
  m.gate.alone();
  const from = m.mm.family[mm];
  for (const other of m.mm.pool.rows()) if (m.mm.family[other] === from) m.mm.family[other] = to;
  m.gate.together();
}

/**
 * Says which address space the steps to come work on, 0 for none. Called where a yield could be. A thread's batch holds
 * folios of one family only, so it is drained before.
 */
export function useMm(m: Machine, mm: MmId | 0): void {
  if (m.gate === OPEN_GATE) return;
  lruAddDrainCpu(m, m.current.cpu);
  m.gate.use(mm);
}
