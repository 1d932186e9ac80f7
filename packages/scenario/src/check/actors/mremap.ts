import { mremap as mremapCall, type Vpn } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { z } from 'zod';
import { endHoles, type Stage, type Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type Refusal, refusedMove, type TargetDraft } from './actor.js';

interface Params extends TargetDraft {
  readonly by: number;
}

/** mremap(2) that moves pages to a fixed place. */
export const mremap: ActorKind = actorKind<Params>({
  name: 'mremap',
  summary: 'moves pages to another place',
  params: actorParams<Params>({ by: z.int().describe('how many pages higher the new place is') }),
  covers: 'vma',
  runsIn: 'process',
  refuses: (stage, { by }, target) => refusedMove(stage, by, target) ?? overlap(by, target),
  make:
    (stage, { by }, target) =>
    () =>
      run(stage, target, by),
});

/** The kernel refuses it: the call would always do nothing. */
function overlap(by: number, { pages }: Target): Refusal | undefined {
  if (Math.abs(by) >= pages) return undefined;
  const message = `the new place, ${by} pages on, overlaps the ${pages} pages that move`;
  return { key: 'by', message, hint: `by is at least ${pages}, up or down` };
}

function* run(stage: Stage, { mm, first, pages }: Target, by: number): Procedure<void> {
  const { m, book } = stage;
  const to = (first + by) as Vpn;
  book.forget(mm, first, pages);
  book.forget(mm, to, pages);
  yield* mremapCall(m, mm, first, pages, pages, { mayMove: true, to });
  endHoles(stage, mm, first, pages);
  endHoles(stage, mm, to, pages);
}
