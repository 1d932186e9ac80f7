/**
 * UFFDIO_POISON (`mfill_atomic_poison`; `mm/userfaultfd.c` since Linux 6.6): entries whose touch gives SIGBUS, for a monitor
 * that restores memory of which a part was lost. Nothing that is there is overwritten, not even a marker.
 */
import { asBrand } from '@thplab/arena';
import { type Procedure, spend } from '@thplab/sync';
import { anonVmaPrepare } from './anon-vma.js';
import type { MmId, TableId, VmaId, Vpn } from './brands.js';
import { ERRNO } from './errno.js';
import { pteAlloc } from './fault.js';
import { ENTRY_KIND, makeEntry, VM_UFFD, VMA_KIND } from './flags.js';
import type { Machine } from './machine.js';
import { allocPmd, isPteNone, setPteEntry, slotOf } from './page-table.js';
import { withPteLock } from './pte-range.js';
import { mmapReadLock, mmapReadUnlock } from './vma-locks.js';
import { vmaAt } from './vma-tree.js';

/**
 * Puts poison markers where nothing is. Gives 0; -EINVAL for a bad range; -ENOENT unless one VMA that is registered with
 * userfaultfd holds all of it; -EEXIST if something stands at the first page, be it a page, an entry of swap or a marker;
 * -EAGAIN if the call came as far as such a place: what lies before it is poisoned.
 */
export function* userfaultfdPoison(m: Machine, mm: MmId, start: Vpn, pages: number): Procedure<number> {
  yield spend(m.costs.syscall);
  if (pages <= 0 || start < 0 || start + pages > m.addressPages) return -ERRNO.EINVAL;
  yield* mmapReadLock(m, mm);
  const vma = vmaAt(m, mm, start);
  const registered = vma !== 0 && m.vma.end[vma] >= start + pages && (m.vma.flags[vma] & VM_UFFD) !== 0;
  const done = registered ? yield* poisonRange(m, vma, start, start + pages) : -1;
  yield* mmapReadUnlock(m, mm);
  if (done < 0) return -ERRNO.ENOENT;
  if (done === pages) return 0;
  return done === 0 ? -ERRNO.EEXIST : -ERRNO.EAGAIN;
}

/** Number of pages poisoned, from the start up to the first place that is taken. */
function* poisonRange(m: Machine, vma: VmaId, start: number, end: number): Procedure<number> {
  const mm = asBrand<MmId>(m.vma.mm[vma]);
  // As for every page that userfaultfd puts into private memory, so that fork copies the entries.
  if (m.vma.kind[vma] === VMA_KIND.anon) yield* anonVmaPrepare(m, vma);
  let done = 0;
  for (let at = start; at < end; ) {
    const page = asBrand<Vpn>(at);
    const to = Math.min(end, at - (at % m.ptes) + m.ptes);
    const table = yield* pteAlloc(m, mm, allocPmd(m, mm, page), page);
    if (table === 0) return done;
    const from = slotOf(m, page);
    const filled = yield* withPteLock(m, mm, page, table, () => fillWithPoison(m, table, from, from + (to - at)));
    done += Math.max(0, filled);
    if (filled < to - at) return done;
    at = to;
  }
  return done;
}

function fillWithPoison(m: Machine, table: TableId, from: number, to: number): number {
  for (let slot = from; slot < to; slot++) {
    if (!isPteNone(m, table, slot)) return slot - from;
    setPteEntry(m, table, slot, makeEntry(ENTRY_KIND.markerPoison));
  }
  return to - from;
}
