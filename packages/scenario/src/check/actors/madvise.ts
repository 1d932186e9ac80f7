import { MADV, madvise as madviseCall } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { z } from 'zod';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type TargetDraft } from './actor.js';

const ADVICE = {
  collapse: MADV.COLLAPSE,
  cold: MADV.COLD,
  dontneed: MADV.DONTNEED,
  free: MADV.FREE,
  hugepage: MADV.HUGEPAGE,
  nohugepage: MADV.NOHUGEPAGE,
  pageout: MADV.PAGEOUT,
} as const;
type AdviceName = keyof typeof ADVICE;
const NAMES: [AdviceName, ...AdviceName[]] = [
  'collapse',
  'cold',
  'dontneed',
  'free',
  'hugepage',
  'nohugepage',
  'pageout',
];
/** Advice after which the pages may read something else. */
const DISCARDS: ReadonlySet<AdviceName> = new Set(['dontneed', 'free']);

interface Params extends TargetDraft {
  readonly advice: AdviceName;
}

/** madvise(2), MADV_COLLAPSE included. */
export const madvise: ActorKind = actorKind<Params>({
  name: 'madvise',
  summary: 'madvise: collapse, cold, dontneed, free, hugepage, nohugepage or pageout',
  params: actorParams<Params>({ advice: z.enum(NAMES) }),
  covers: 'vma',
  runsIn: 'process',
  make: (stage, params, target) => () => run(stage, params, target),
});

function* run({ m, book }: Stage, { advice }: Params, { mm, first, pages }: Target): Procedure<void> {
  if (DISCARDS.has(advice)) book.forget(mm, first, pages);
  yield* madviseCall(m, mm, first, pages, ADVICE[advice]);
}
