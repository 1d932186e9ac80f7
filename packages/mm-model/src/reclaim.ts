/**
 * Reclaim: what an allocation does when no page is free (`shrink_node`), and MADV_PAGEOUT.
 *
 * There are no LRU lists to take the oldest folio from. A cursor goes round the node's frames instead, as a clock: a folio
 * that was touched since the hand passed is spared once, and its accessed bits are cleared (second chance).
 */
import { asBrand, clearBitAtomic } from '@thplab/arena';
import { acquire, type Procedure, READ, release, spend } from '@thplab/sync';
import { folioTrylockAnonVma, folioUnlockAnonVma } from './anon-vma.js';
import type { MmId, Pfn } from './brands.js';
import { deferredSplitScan } from './deferred-split.js';
import { FOLIO, PAGE, VM } from './flags.js';
import { clearFrameFlags, folioHead, folioIsLazyfree, folioMapcount } from './folio.js';
import { updateMirrors } from './folio-mirror.js';
import { folioIsolateLru, folioPutbackLru, lruAddDrainCpu } from './lru.js';
import type { Machine } from './machine.js';
import { directoryOf, PMD, PMD_YOUNG, type PmdRef, pmdPfn, pmdType, pteBit } from './page-table.js';
import { reclaimIsolated } from './pageout.js';
import { rmapWalk } from './rmap.js';
import { isReclaimable } from './swap-out.js';
import { swapFreeSlots } from './swap-slots.js';

export { pageoutRange, reclaimIsolated } from './pageout.js';

/** Rounds over the node: one that spares what was touched, one that finds it untouched. */
const ROUNDS = 2;
/** Frames looked at between two charges of time. */
const FRAMES_PER_BATCH = 1024;

/**
 * Frees about `pages` base pages of a node: unmapped parts of partially mapped folios first, then clean lazyfree pages and
 * anonymous pages that can be swapped out and were not touched lately. Gives the number freed, which may be more, or 0.
 * Locked, mlocked and pinned folios stay, and the page cache is not reclaimed. The caller holds no anon_vma, PMD or PTE
 * lock.
 */
export function* shrinkNode(m: Machine, node: number, pages: number): Procedure<number> {
  lruAddDrainCpu(m, m.current.cpu);
  const before = m.node.freePages[node];
  yield* deferredSplitScan(m, node, pages);
  let freed = Math.max(0, m.node.freePages[node] - before);
  for (let round = 0; round < ROUNDS && freed < pages; round++) freed += yield* shrinkRound(m, node, pages - freed);
  return freed;
}

/** Once round the node's frames, until enough is freed. */
function* shrinkRound(m: Machine, node: number, pages: number): Procedure<number> {
  const first = m.node.firstPfn[node];
  const frames = m.node.endPfn[node] - first;
  let freed = 0;
  let uncharged = 0;
  for (let seen = 0; seen < frames && freed < pages; ) {
    const pfn = Math.max(first, m.node.reclaimCursor[node]);
    const step = stepAt(m, pfn);
    seen += step;
    uncharged++;
    m.node.reclaimCursor[node] = pfn + step >= first + frames ? first : pfn + step;
    if (uncharged === FRAMES_PER_BATCH) {
      yield spend(uncharged * m.costs.compactScan);
      uncharged = 0;
    }
    if ((m.frame.flags[pfn] & PAGE.ALLOCATED) !== 0) freed += yield* shrinkFolio(m, folioHead(m, pfn));
  }
  yield spend(uncharged * m.costs.compactScan);
  return freed;
}

/** Frames from here to the end of the folio or free block. */
function stepAt(m: Machine, pfn: number): number {
  const flags = m.frame.flags[pfn];
  if ((flags & (PAGE.ALLOCATED | PAGE.BUDDY)) === 0) return 1;
  const size = 1 << (flags & 0xf);
  return size - (pfn % size);
}

function* shrinkFolio(m: Machine, head: Pfn): Procedure<number> {
  if (!isReclaimable(m, head)) return 0;
  if (!folioIsLazyfree(m, head) && swapFreeSlots(m) === 0) return 0;
  // Isolated before it is asked: asking takes locks, and the reference keeps the folio what it is.
  if (!folioIsolateLru(m, head)) return 0;
  updateMirrors(m, head);
  if (!(yield* wasReferenced(m, head))) return yield* reclaimIsolated(m, head);
  folioPutbackLru(m, head);
  return 0;
}

/**
 * True if the folio was touched since it was last asked, or if that cannot be told now (`folio_referenced`). Clears all
 * accessed bits. The caller holds a reference.
 */
function* wasReferenced(m: Machine, head: Pfn): Procedure<boolean> {
  const flagged = (m.frame.flags[head] & (FOLIO.YOUNG | FOLIO.REFERENCED)) !== 0;
  clearFrameFlags(m, head, FOLIO.YOUNG | FOLIO.REFERENCED | FOLIO.ACTIVE);
  if (flagged) updateMirrors(m, head);
  if (folioMapcount(m, head) === 0) return flagged;
  const anonVma = yield* folioTrylockAnonVma(m, head, READ);
  if (anonVma === 0) return true;
  const touched = yield* clearYoung(m, head);
  if (touched) clearFrameFlags(m, head, FOLIO.IDLE);
  yield* folioUnlockAnonVma(m, anonVma, READ);
  return touched || flagged;
}

/**
 * Clears the accessed bit of every entry that maps the folio; true if one was set, or if a locked VMA maps it. The
 * anon_vma's lock is the caller's.
 */
function* clearYoung(m: Machine, head: Pfn): Procedure<boolean> {
  let young = false;
  const huge: PmdRef[] = [];
  rmapWalk(m, head, {
    pte(table, slot, _pfn, vma, page) {
      m.hooks.settleAccess(asBrand<MmId>(m.vma.mm[vma]), page);
      young ||= (m.vma.flags[vma] & VM.LOCKED) !== 0;
      young = clearBitAtomic(m.pte.young, pteBit(m, table, slot)) || young;
    },
    pmd(pmd, vma, page) {
      m.hooks.settleAccess(asBrand<MmId>(m.vma.mm[vma]), page);
      young ||= (m.vma.flags[vma] & VM.LOCKED) !== 0;
      huge.push(pmd);
    },
  });
  for (const pmd of huge) young = (yield* clearYoungPmd(m, head, pmd)) || young;
  return young;
}

/** A PMD that mapped the folio; it may have been split since. True if it was accessed. */
function* clearYoungPmd(m: Machine, head: Pfn, pmd: PmdRef): Procedure<boolean> {
  const lock = m.locks.pmdLock.ref(directoryOf(m, pmd));
  yield acquire(lock);
  const entry = m.directory.entry[pmd];
  const mapsIt = pmdType(entry) === PMD.huge && pmdPfn(m, entry) === head;
  const young = mapsIt && (entry & PMD_YOUNG) !== 0;
  if (young) m.directory.entry[pmd] = (entry & ~PMD_YOUNG) >>> 0;
  yield release(lock);
  return young;
}
