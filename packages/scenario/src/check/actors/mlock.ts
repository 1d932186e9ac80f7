import { mlock as mlockCall, munlock as munlockCall } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams } from './actor.js';
import { ignoring } from './results.js';

/** mlock(2): brings the pages in, for writing where they may be written. */
export const mlock: ActorKind = actorKind({
  name: 'mlock',
  summary: 'locks pages in memory, which brings them in',
  params: actorParams(),
  covers: 'vma',
  runsIn: 'process',
  make: (stage, _params, target) => () => lock(stage, target),
});

/** munlock(2). */
export const munlock: ActorKind = actorKind({
  name: 'munlock',
  summary: 'unlocks pages that were locked in memory',
  params: actorParams(),
  covers: 'vma',
  runsIn: 'process',
  make:
    ({ m }, _params, { mm, first, pages }) =>
    () =>
      ignoring(munlockCall(m, mm, first, pages)),
});

function* lock({ m, book }: Stage, { mm, first, pages }: Target): Procedure<void> {
  yield* book.following(mm, first, mlockCall(m, mm, first, pages), pages);
}
