import {
  folioDrop,
  folioGet,
  folioOrder,
  folioTrylock,
  folioUnlock,
  LOCKLESS,
  lockless,
  splitFolioToOrder,
  updateMirrors,
} from '@thplab/mm-model';
import { type Procedure, preempt } from '@thplab/sync';
import { folioAt } from '../../run/held-folios.js';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams } from './actor.js';

/** Splits the folio of a page into base pages (`split_folio`). */
export const split: ActorKind = actorKind({
  name: 'split',
  summary: 'splits the large folio of a page into base pages',
  params: actorParams({}, 'page'),
  covers: 'page',
  runsIn: 'kernel',
  make: (stage, _params, target) => () => run(stage, target),
});

function* run({ m }: Stage, { mm, first }: Target): Procedure<void> {
  yield preempt();
  const head = folioAt(lockless(m, LOCKLESS.processor), mm, first);
  if (head === 0 || folioOrder(m, head) === 0 || !folioTrylock(m, head)) return;
  folioGet(m, head);
  updateMirrors(m, head);
  yield* splitFolioToOrder(m, head, 0);
  folioUnlock(m, head);
  folioDrop(m, head);
}
