/**
 * The way of folios onto the LRU lists. There are no lists: only the flag that says whether a folio is on one matters to
 * collapse. A new folio waits in its processor's batch (15 + 16 entries) with an extra reference and without the flag,
 * until the batch is full or somebody drains it; khugepaged and MADV_COLLAPSE drain all processors before they scan
 * (khugepaged spec 6, 13.2).
 */
import { type Procedure, spend } from '@thplab/sync';
import type { Pfn } from './brands.js';
import { FOLIO } from './flags.js';
import { clearFrameFlags, folioHas, folioOrder, setFrameFlags } from './folio.js';
import { folioGet, folioPut } from './folio-lifetime.js';
import { initMirrors, updateMirrors } from './folio-mirror.js';
import type { Machine } from './machine.js';

/** Folios in a batch before it is drained (PAGEVEC_SIZE). */
export const LRU_BATCH = 31;
const STRIDE = 32;

/**
 * Puts a fresh folio, which no entry maps yet, on its way to the LRU (`folio_add_lru`). A large folio drains the batch at
 * once, as in the kernel.
 */
export function folioAddLru(m: Machine, head: Pfn): void {
  const cpu = m.current.cpu;
  folioGet(m, head);
  const count = m.cpu.batchCount[cpu];
  m.cpu.batch[cpu * STRIDE + count] = head;
  m.cpu.batchCount[cpu] = count + 1;
  if (count + 1 >= LRU_BATCH || folioOrder(m, head) > 0) lruAddDrainCpu(m, cpu);
  else initMirrors(m, head);
}

/** Puts a folio straight on the LRU: for set-up, where no time passes. */
export function folioAddLruNow(m: Machine, head: Pfn): void {
  setFrameFlags(m, head, FOLIO.LRU);
  updateMirrors(m, head);
}

/** Empties one processor's batch (`lru_add_drain_cpu`). */
export function lruAddDrainCpu(m: Machine, cpu: number): void {
  const count = m.cpu.batchCount[cpu];
  m.cpu.batchCount[cpu] = 0;
  for (let i = 0; i < count; i++) {
    putOnLru(m, m.cpu.batch[cpu * STRIDE + i] as Pfn);
  }
}

/** Empties the batches of all processors (`lru_add_drain_all`). */
export function* lruAddDrainAll(m: Machine): Procedure<void> {
  // Other processors' batches hold folios of anyone.
  m.gate.alone();
  for (let cpu = 0; cpu < m.cpus; cpu++) {
    if (m.cpu.batchCount[cpu] !== 0) lruAddDrainCpu(m, cpu);
  }
  m.gate.together();
  yield spend(m.costs.lruDrainCpu * m.cpus);
}

/** Takes a folio off the LRU for the caller alone, with a reference (`folio_isolate_lru`). False if it was not on it. */
export function folioIsolateLru(m: Machine, head: Pfn): boolean {
  if (!folioHas(m, head, FOLIO.LRU)) return false;
  clearFrameFlags(m, head, FOLIO.LRU);
  folioGet(m, head);
  return true;
}

/** Gives an isolated folio back to the LRU and drops the reference (`folio_putback_lru`). */
export function folioPutbackLru(m: Machine, head: Pfn): void {
  putOnLru(m, head);
}

/** Moves the caller's reference to the LRU; a folio that only the caller still held is freed instead. */
function putOnLru(m: Machine, head: Pfn): void {
  const lastReference = m.frame.refcount[head] === 1;
  if (!lastReference) setFrameFlags(m, head, FOLIO.LRU);
  folioPut(m, head);
  if (!lastReference) updateMirrors(m, head);
}
