/**
 * A processor that reads or writes a page: by the entry that is there, or by a fault, again and again until the access
 * has taken place.
 */
import { FAULT, faultName, handleMmFault, LOCKLESS, lockless } from '@thplab/mm-model';
import { type Procedure, preempt } from '@thplab/sync';
import { z } from 'zod';
import { contentOf } from '../machine/content-book.js';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type TargetDraft } from './actor.js';

/** What may come of an access beside that it takes place. */
const OUTCOMES = ['sigsegv', 'userfault', 'oom'] as const;

interface Params extends TargetDraft {
  readonly may?: (typeof OUTCOMES)[number][] | undefined;
}

const may: z.ZodType<Params['may']> = z
  .array(z.enum(OUTCOMES))
  .max(OUTCOMES.length)
  .optional()
  .describe('what may come of it beside success; default nothing else');

/** A store. */
export const faultWrite: ActorKind = actorKind<Params>({
  name: 'fault-write',
  summary: 'writes a page, by a fault if need be',
  params: actorParams<Params>({ may }),
  covers: 'page',
  runsIn: 'process',
  make: (stage, own, target) => () => store(stage, own, target),
});

/** A load; swaps the page in if it is swapped out. */
export const faultRead: ActorKind = actorKind<Params>({
  name: 'fault-read',
  summary: 'reads a page, by a fault (a swap-in, too) if need be, and looks at what it reads',
  params: actorParams<Params>({ may }, 'page'),
  covers: 'page',
  runsIn: 'process',
  make: (stage, own, target) => () => load(stage, own, target),
});

function* store(stage: Stage, own: Params, target: Target): Procedure<void> {
  const { m, book } = stage;
  for (let page = 0; page < target.pages; page++) {
    const at = (target.first + page) as typeof target.first;
    for (;;) {
      const before = book.mustRead(target.mm, at);
      const result = yield* book.following(target.mm, at, handleMmFault(m, target.mm, at, { write: true }));
      const written = book.mustRead(target.mm, at) !== before;
      if (!wentWell(stage, own, target, result) || written || before === undefined) break;
      // The fault found that somebody else had changed the entry: the processor tries again.
      yield preempt();
    }
  }
}

function* load(stage: Stage, own: Params, target: Target): Procedure<void> {
  const { m, book, findings } = stage;
  for (;;) {
    const result = yield* handleMmFault(m, target.mm, target.first, { write: false });
    if (!wentWell(stage, own, target, result)) return;
    const content = contentOf(lockless(m, LOCKLESS.processor), target.mm, target.first);
    // The table may have been taken away since: then the processor faults again.
    if (content === -1) {
      yield preempt();
      continue;
    }
    const wanted = book.mustRead(target.mm, target.first);
    const same = wanted === undefined || content === wanted || (wanted === -1 && content === 0);
    if (!same) findings.push(`I1: a read of ${target.text} gives ${content}, but the last write was ${wanted}`);
    return;
  }
}

/** True if the access can go on; false if it ended in another way, which is a finding unless the file allows it. */
function wentWell({ findings }: Stage, own: Params, target: Target, result: number): boolean {
  if (result === FAULT.ok) return true;
  const name = faultName(result as never);
  if (!(own.may as readonly string[] | undefined)?.includes(name)) {
    findings.push(`an access to ${target.text} ended in ${name}`);
  }
  return false;
}
