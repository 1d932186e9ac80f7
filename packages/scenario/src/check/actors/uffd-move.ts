/** UFFDIO_MOVE, as a handler of page faults calls it. What the pages held must be read at their new place afterwards. */
import { findTable, isPteNone, type Machine, type MmId, slotOf, userfaultfdMove, type Vpn } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { z } from 'zod';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type TargetDraft } from './actor.js';

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
  // Pages move in order, each in one step: the book follows when a page has come to its place.
  const empty = Array.from({ length: pages }, (_, page) => isEmpty(raw, mm, (to + page) as Vpn));
  let moved = 0;
  for (let input = 0; ; ) {
    const made = call.next(input);
    while (moved < pages && empty[moved] === true && isFilled(raw, mm, (to + moved) as Vpn)) {
      book.move(mm, (first + moved) as Vpn, (to + moved) as Vpn);
      moved++;
    }
    if (made.done === true) return;
    input = yield made.value;
  }
}

/** True if nothing is mapped there, as far as anybody can see. */
function isEmpty(m: Machine, mm: MmId, page: Vpn): boolean {
  return !isFilled(m, mm, page);
}

function isFilled(m: Machine, mm: MmId, page: Vpn): boolean {
  const table = findTable(m, mm, page);
  return table !== 0 && !isPteNone(m, table, slotOf(m, page));
}
