/** khugepaged at one PMD range: what `khugepaged_scan_mm_slot` does there, without the walk that leads to it. */
import { mmapReadLock, mmapReadUnlock, mmdrop, mmgrab, mmIsExiting, type Vpn, vmaAt } from '@thplab/mm-model';
import { collapseSinglePmd, khugepagedControl, testExitOrDisable } from '@thplab/mthp-collapse';
import type { Procedure } from '@thplab/sync';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type TargetDraft } from './actor.js';

export const collapseRange: ActorKind = actorKind({
  name: 'collapse-range',
  summary: 'khugepaged scans and collapses the PMD range of a page',
  params: actorParams({}, 'page'),
  covers: 'page',
  runsIn: 'kernel',
  make: (stage: Stage, _params: TargetDraft, target: Target) => {
    const control = khugepagedControl(stage.collapse);
    return () => run(stage, target, control);
  },
});

function* run({ m, collapse }: Stage, target: Target, control: ReturnType<typeof khugepagedControl>): Procedure<void> {
  const { mm } = target;
  const page = (target.first - (target.first % m.ptes)) as Vpn;
  control.progress = 0;
  // As its slot does: the row stays although the process may end.
  if (mmIsExiting(m, mm)) return;
  mmgrab(m, mm);
  yield* mmapReadLock(m, mm);
  const vma = testExitOrDisable(m, mm) ? 0 : vmaAt(m, mm, page);
  const outcome = vma === 0 ? { lockDropped: false } : yield* collapseSinglePmd(collapse, control, vma, page);
  if (!outcome.lockDropped) yield* mmapReadUnlock(m, mm);
  mmdrop(m, mm);
}
