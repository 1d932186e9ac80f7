/**
 * Lockless get_user_pages: takes a reference on a page, uses it for a while, gives it back. While the reference is held
 * the page stays the process's own (B14): a write through it is a write of the process.
 */
import {
  findTable,
  folioDrop,
  folioHead,
  gupFastGet,
  LOCKLESS,
  lockless,
  nextStamp,
  PTE_WRITE,
  pteAttributes,
  slotOf,
} from '@thplab/mm-model';
import { type Procedure, preempt } from '@thplab/sync';
import { z } from 'zod';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type TargetDraft } from './actor.js';

interface Params extends TargetDraft {
  readonly write?: boolean | undefined;
}

export const gupFast: ActorKind = actorKind<Params>({
  name: 'gup-fast',
  summary: 'takes a reference on a page without any lock, writes or reads through it, and gives it back',
  params: actorParams<Params>({ write: z.boolean().optional().describe('write through it; default true') }, 'page'),
  covers: 'page',
  runsIn: 'process',
  make: (stage, params, target) => () => run(stage, params.write ?? true, target),
});

function* run(stage: Stage, write: boolean, target: Target): Procedure<void> {
  const { m, book, findings } = stage;
  const { mm, first } = target;
  const pfn = yield* gupFastGet(m, mm, first);
  if (pfn === 0) return;
  const before = m.frame.stamp[pfn];
  // The entry may be read-only, or another's by now: FOLL_WRITE would have refused it.
  const tables = lockless(m, LOCKLESS.gupFast);
  const table = findTable(tables, mm, first);
  const writable = table !== 0 && (pteAttributes(tables, table, slotOf(m, first)) & PTE_WRITE) !== 0;
  yield preempt();
  if (write && writable) {
    m.frame.stamp[pfn] = nextStamp(m);
    book.wrote(mm, first, m.frame.stamp[pfn] as number);
  } else if (!write && m.frame.stamp[pfn] !== before && !isWritten(stage, target, m.frame.stamp[pfn])) {
    findings.push(`gup: ${target.text} changes from ${before} to ${m.frame.stamp[pfn]} under a reference`);
  }
  yield preempt();
  folioDrop(m, folioHead(m, pfn));
}

/** True if somebody wrote this to the page, or nobody can say what it holds. */
function isWritten({ book }: Stage, { mm, first }: Target, content: number): boolean {
  const wanted = book.mustRead(mm, first);
  return wanted === undefined || wanted === content;
}
