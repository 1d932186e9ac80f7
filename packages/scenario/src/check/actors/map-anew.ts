import { mmap, munmap, VM } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { endHoles, type Stage, type Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams } from './actor.js';

/** munmap(2), then mmap(2) at the same place: another VMA, and as rows come back at once perhaps under the same name. */
export const mapAnew: ActorKind = actorKind({
  name: 'map-anew',
  summary: 'unmaps pages and maps new, empty memory in their place',
  params: actorParams(),
  covers: 'vma',
  runsIn: 'process',
  make: (stage, _params, target) => () => run(stage, target),
});

function* run(stage: Stage, { mm, first, pages }: Target): Procedure<void> {
  const { m, book } = stage;
  book.forget(mm, first, pages);
  yield* munmap(m, mm, first, pages);
  const flags = VM.READ | VM.WRITE | VM.HUGEPAGE;
  yield* mmap(m, mm, { at: first, pages, fixed: 'replace', flags });
  endHoles(stage, mm, first, pages);
}
