import { munmap as munmapCall } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams } from './actor.js';

/** munmap(2). */
export const munmap: ActorKind = actorKind({
  name: 'munmap',
  summary: 'unmaps pages',
  params: actorParams(),
  covers: 'vma',
  runsIn: 'process',
  make: (stage, _params, target) => () => run(stage, target),
});

function* run({ m, book }: Stage, { mm, first, pages }: Target): Procedure<void> {
  book.forget(mm, first, pages);
  yield* munmapCall(m, mm, first, pages);
}
