import { pinPages, unpinPages } from '@thplab/mm-model';
import { type Procedure, preempt } from '@thplab/sync';
import { z } from 'zod';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type TargetDraft } from './actor.js';

interface Params extends TargetDraft {
  readonly write?: boolean | undefined;
}

/** pin_user_pages, a while, and unpin: direct I/O. */
export const pin: ActorKind = actorKind<Params>({
  name: 'pin',
  summary: 'pins pages, as direct I/O does, and unpins them',
  params: actorParams<Params>({ write: z.boolean().optional().describe('pin for writing; default true') }),
  covers: 'page',
  runsIn: 'process',
  make: (stage, params, target) => () => run(stage, params.write ?? true, target),
});

function* run({ m, book }: Stage, write: boolean, { mm, first, pages }: Target): Procedure<void> {
  const pinned = yield* book.following(mm, first, pinPages(m, mm, first, pages, { write }), pages);
  yield preempt();
  unpinPages(m, pinned.frames);
}
