/**
 * Mirrors of folio facts in the page tables.
 *
 * collapse_scan_pmd asks the same questions of the folio behind every entry: may it be shared, is it referenced, is there
 * anything unusual about it. Those facts change rarely; scans are many. So each PTE table carries three planes with the
 * answers, and whoever changes a folio calls `updateMirrors` once the folio is in a settled state again. A table whose
 * `attention` plane is clear is decided by counting bits.
 *
 * Transient states under a lock that keeps scanners away (isolation in a detached table) need no update; `checkMirrors`
 * recomputes everything and is run by tests and by debug builds of scenarios.
 */
import { clearBitAtomic, setBitAtomic } from '@thplab/arena';
import type { Pfn } from './brands.js';
import { FOLIO } from './flags.js';
import { clearFrameFlags, folioExpectedRefs, folioMaybeMappedShared, setFrameFlags } from './folio.js';
import { LOCKLESS, lockless } from './lockless.js';
import type { Machine } from './machine.js';
import { pteBit } from './page-table.js';
import { rmapWalk } from './rmap.js';

const MIRRORS = FOLIO.MIRROR_SHARED | FOLIO.MIRROR_ATTENTION | FOLIO.MIRROR_REFERENCED;

/** The mirror bits that the folio's facts call for now. */
export function mirrorBits(m: Machine, head: Pfn): number {
  const flags = m.frame.flags[head];
  // Usual: anonymous, swap-backed, on the LRU, unlocked, and no reference that mappings do not explain.
  const usual = FOLIO.ANON | FOLIO.SWAPBACKED | FOLIO.LRU;
  const unusual = (flags & (usual | FOLIO.LOCKED)) !== usual || m.frame.refcount[head] !== folioExpectedRefs(m, head);
  return (
    (folioMaybeMappedShared(m, head) ? FOLIO.MIRROR_SHARED : 0) |
    (unusual ? FOLIO.MIRROR_ATTENTION : 0) |
    ((flags & (FOLIO.YOUNG | FOLIO.REFERENCED)) !== 0 ? FOLIO.MIRROR_REFERENCED : 0)
  );
}

/** For a folio that no entry maps yet: records its mirrors, so that the entries to come show them. */
export function initMirrors(m: Machine, head: Pfn): void {
  clearFrameFlags(m, head, MIRRORS);
  setFrameFlags(m, head, mirrorBits(m, head));
}

/** Brings the planes of all tables that map the folio up to date with its facts. */
export function updateMirrors(m: Machine, head: Pfn): void {
  const wanted = mirrorBits(m, head);
  const changed = (m.frame.flags[head] & MIRRORS) ^ wanted;
  if (changed === 0) return;
  clearFrameFlags(m, head, MIRRORS & ~wanted);
  setFrameFlags(m, head, wanted);
  rmapWalk(lockless(m, LOCKLESS.mirrors), head, {
    pte(table, slot) {
      const bit = pteBit(m, table, slot);
      if ((changed & FOLIO.MIRROR_SHARED) !== 0) put(m.pte.shared, bit, (wanted & FOLIO.MIRROR_SHARED) !== 0);
      if ((changed & FOLIO.MIRROR_ATTENTION) !== 0) put(m.pte.attention, bit, (wanted & FOLIO.MIRROR_ATTENTION) !== 0);
      if ((changed & FOLIO.MIRROR_REFERENCED) !== 0)
        put(m.pte.referenced, bit, (wanted & FOLIO.MIRROR_REFERENCED) !== 0);
    },
    pmd() {},
  });
}

function put(plane: Uint32Array, bit: number, on: boolean): void {
  if (on) setBitAtomic(plane, bit);
  else clearBitAtomic(plane, bit);
}
