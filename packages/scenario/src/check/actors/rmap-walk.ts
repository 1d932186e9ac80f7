/**
 * Somebody who needs all mappings of a folio: reclaim, migration, poisoning. As they do, it holds a reference and the folio
 * lock, takes the lock of the reverse map (the anon_vma, or i_mmap_rwsem of its file) for reading and walks; it must find as
 * many mappings as the folio counts (B7).
 */
import {
  FOLIO,
  fileMapReadLock,
  fileMapReadUnlock,
  folioDrop,
  folioFile,
  folioGet,
  folioHas,
  folioLockAnonVma,
  folioMapcount,
  folioTrylock,
  folioUnlock,
  folioUnlockAnonVma,
  type Pfn,
  updateMirrors,
  rmapWalk as walk,
} from '@thplab/mm-model';
import { type Procedure, preempt, READ } from '@thplab/sync';
import { folioAt } from '../../run/held-folios.js';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type TargetDraft } from './actor.js';

export const rmapWalk: ActorKind = actorKind({
  name: 'rmap-walk',
  summary: 'looks for all mappings of a folio, as reclaim and migration do, and counts them',
  params: actorParams({}, 'page'),
  covers: 'page',
  runsIn: 'kernel',
  make: (stage: Stage, _params: TargetDraft, target: Target) => {
    const head = folioAt(stage.raw, target.mm, target.first);
    return () => run(stage, target, head);
  },
});

/** The folio is the one that the page is mapped to at the start. */
function* run(stage: Stage, target: Target, head: Pfn | 0): Procedure<void> {
  const { m } = stage;
  yield preempt();
  if (head === 0 || m.frame.refcount[head] === 0 || folioMapcount(m, head) === 0) return;
  if (!folioTrylock(m, head)) return;
  folioGet(m, head);
  updateMirrors(m, head);
  if (folioHas(m, head, FOLIO.ANON)) {
    const anonVma = yield* folioLockAnonVma(m, head, READ);
    if (anonVma !== 0) {
      count(stage, target, head);
      yield* folioUnlockAnonVma(m, anonVma, READ);
    }
  } else {
    const file = folioFile(m, head);
    yield* fileMapReadLock(m, file);
    count(stage, target, head);
    yield* fileMapReadUnlock(m, file);
  }
  folioUnlock(m, head);
  folioDrop(m, head);
}

/** Walks, under the lock of the reverse map, and compares. */
function count({ m, findings }: Stage, target: Target, head: Pfn): void {
  // While a VMA is being split, both parts lead to the same entry.
  const places = new Set<number>();
  walk(m, head, {
    pte: (table, slot) => places.add(table * m.ptes + slot),
    pmd: (pmd) => places.add(-1 - pmd),
  });
  const counted = folioMapcount(m, head);
  if (places.size === counted) return;
  findings.push(`rmap: the folio of ${target.text} is mapped ${counted} time(s), but a walk finds ${places.size}`);
}
