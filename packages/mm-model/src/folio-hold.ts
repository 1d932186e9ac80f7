/**
 * Holding a folio: its lock, which is only ever tried, and references given back. The mirrors in the page tables are kept
 * up to date, because a locked or referenced folio is one that a scan has to refuse.
 */
import { type Procedure, sleep } from '@thplab/sync';
import type { Pfn } from './brands.js';
import { folioPut } from './folio-lifetime.js';
import { updateMirrors } from './folio-mirror.js';
import type { Machine } from './machine.js';

/** How long somebody who waits for a folio lock sleeps before he tries again, ns. */
const FOLIO_WAIT_NS = 5_000;

/** Locks a folio, if it is free (`folio_trylock`). */
export function folioTrylock(m: Machine, head: Pfn): boolean {
  if (!m.locks.folioLock.tryLock(head)) return false;
  updateMirrors(m, head);
  return true;
}

/** Unlocks a folio. */
export function folioUnlock(m: Machine, head: Pfn): void {
  m.locks.folioLock.unlock(head);
  updateMirrors(m, head);
}

/**
 * Waits until a folio may be unlocked (`folio_wait_locked`). It holds nothing, so the folio may be another one afterwards:
 * callers look again. Folio locks have no queue here, so this is a short sleep.
 */
export function* waitOnFolioLock(m: Machine, head: Pfn): Procedure<void> {
  if (m.locks.folioLock.isLocked(head)) yield sleep(FOLIO_WAIT_NS);
}

/** Drops references, and brings the mirrors up to date unless that freed the folio. Gives true if it did. */
export function folioDrop(m: Machine, head: Pfn, count = 1): boolean {
  const last = m.frame.refcount[head] === count;
  folioPut(m, head, count);
  if (!last) updateMirrors(m, head);
  return last;
}
