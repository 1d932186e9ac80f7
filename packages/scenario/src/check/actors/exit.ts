import { mmput } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams } from './actor.js';

/** The last thread of a process ends (`mmput`). */
export const exit: ActorKind = actorKind({
  name: 'exit',
  summary: 'ends the process',
  params: actorParams({}, 'process'),
  covers: 'page',
  runsIn: 'kernel',
  make: (stage, _params, target) => () => run(stage, target),
});

function* run({ m, book }: Stage, { mm }: Target): Procedure<void> {
  book.forgetAll(mm);
  yield* mmput(m, mm);
}
