import { munmap as munmapCall } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { endHoles, type Stage, type Target } from '../stage.js';
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

function* run(stage: Stage, { mm, first, pages }: Target): Procedure<void> {
  const { m, book } = stage;
  book.forget(mm, first, pages);
  yield* munmapCall(m, mm, first, pages);
  endHoles(stage, mm, first, pages);
}
