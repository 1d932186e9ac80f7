/** UFFDIO_MOVE, as a handler of page faults calls it. What the pages held must be read at their new place afterwards. */
import { userfaultfdMove, type Vpn } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { z } from 'zod';
import { isHole } from '../machine/is-hole.js';
import { endHoles, type Stage, type Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams, refusedMove, type TargetDraft } from './actor.js';

interface Params extends TargetDraft {
  readonly by: number;
  readonly holes?: boolean | undefined;
}

export const uffdMove: ActorKind = actorKind<Params>({
  name: 'uffd-move',
  summary: 'UFFDIO_MOVE: moves pages into holes of a range that is registered with userfaultfd',
  params: actorParams<Params>({
    by: z.int({ error: 'expected a number of pages' }).describe('how many pages higher the new place is'),
    holes: z.boolean().optional().describe('holes among the pages are no error; default false'),
  }),
  covers: 'page',
  runsIn: 'process',
  refuses: (stage, { by }, target) => refusedMove(stage, by, target),
  make:
    (stage, { by, holes = false }, target) =>
    () =>
      run(stage, target, by, holes),
});

function* run(stage: Stage, target: Target, by: number, holes: boolean): Procedure<void> {
  const { m, raw, book } = stage;
  const { mm, first, pages } = target;
  const to = (first + by) as Vpn;
  const call = userfaultfdMove(m, mm, to, first, pages, { allowSourceHoles: holes });
  // Each page moves in one step, with both tables in reach: the book follows when a step has filled a hole.
  const places = Array.from({ length: pages }, (_, page) => page);
  for (let input = 0; ; ) {
    const empty = places.filter((page) => isHole(raw, mm, (to + page) as Vpn));
    const made = call.next(input);
    for (const page of empty) {
      if (isHole(raw, mm, (to + page) as Vpn)) continue;
      book.move(mm, (first + page) as Vpn, (to + page) as Vpn);
      endHoles(stage, mm, (to + page) as Vpn, 1);
    }
    if (made.done === true) return;
    input = yield made.value;
  }
}
