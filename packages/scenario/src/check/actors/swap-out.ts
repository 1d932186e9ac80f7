import { LOCKLESS, lockless, swapOutFolio } from '@thplab/mm-model';
import { type Procedure, preempt } from '@thplab/sync';
import { folioAt } from '../../run/held-folios.js';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams } from './actor.js';

/** Reclaim of the folio that a page is mapped to (`shrink_folio_list`). */
export const swapOut: ActorKind = actorKind({
  name: 'swap-out',
  summary: 'reclaim writes the folio of a page to swap',
  params: actorParams({}, 'page'),
  covers: 'page',
  runsIn: 'kernel',
  make: (stage, _params, target) => () => run(stage, target),
});

function* run({ m }: Stage, { mm, first }: Target): Procedure<void> {
  yield preempt();
  const head = folioAt(lockless(m, LOCKLESS.processor), mm, first);
  if (head !== 0) yield* swapOutFolio(m, head);
}
