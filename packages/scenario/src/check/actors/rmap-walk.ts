/**
 * Somebody who needs all mappings of a folio: reclaim, migration, poisoning. As they do, it holds a reference and the folio
 * lock, takes the anon_vma lock for reading and walks; it must find as many mappings as the folio counts (B7).
 */
import {
  folioDrop,
  folioGet,
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
  params: actorParams(),
  covers: 'page',
  runsIn: 'kernel',
  make: (stage: Stage, _params: TargetDraft, target: Target) => {
    const head = folioAt(stage.raw, target.mm, target.first);
    return () => run(stage, target, head);
  },
});

/** The folio is the one that the page is mapped to at the start. */
function* run({ m, findings }: Stage, target: Target, head: Pfn | 0): Procedure<void> {
  yield preempt();
  if (head === 0 || m.frame.refcount[head] === 0 || folioMapcount(m, head) === 0) return;
  if (!folioTrylock(m, head)) return;
  folioGet(m, head);
  updateMirrors(m, head);
  const anonVma = yield* folioLockAnonVma(m, head, READ);
  if (anonVma !== 0) {
    // While a VMA is being split, both parts lead to the same entry.
    const places = new Set<number>();
    walk(m, head, {
      pte: (table, slot) => places.add(table * m.ptes + slot),
      pmd: (pmd) => places.add(-1 - pmd),
    });
    const counted = folioMapcount(m, head);
    if (places.size !== counted) {
      findings.push(`rmap: the folio of ${target.text} is mapped ${counted} time(s), but a walk finds ${places.size}`);
    }
    yield* folioUnlockAnonVma(m, anonVma, READ);
  }
  folioUnlock(m, head);
  folioDrop(m, head);
}
