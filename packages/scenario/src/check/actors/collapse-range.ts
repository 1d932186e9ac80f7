/** khugepaged at one PMD range: what `khugepaged_scan_mm_slot` does there, without the walk that leads to it. */
import { mmapReadLock, mmapReadUnlock, mmdrop, mmgrab, mmIsExiting, VMA_KIND, type Vpn, vmaAt } from '@thplab/mm-model';
import { collapseSinglePmd, khugepagedControl, testExitOrDisable } from '@thplab/mthp-collapse';
import type { Procedure } from '@thplab/sync';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type Refusal, type TargetDraft } from './actor.js';

export const collapseRange: ActorKind = actorKind({
  name: 'collapse-range',
  summary: 'khugepaged scans and collapses the PMD range of a page',
  params: actorParams({}, 'page'),
  covers: 'page',
  runsIn: 'kernel',
  refuses,
  make: (stage: Stage, _params: TargetDraft, target: Target) => {
    const control = khugepagedControl(stage.collapse);
    return () => run(stage, target, control);
  },
});

/** The walk that the actor leaves out never comes to such a VMA, whatever sysfs and advice say (khugepaged spec 4.2). */
function refuses({ raw }: Stage, _params: TargetDraft, { mm, first, vma }: Target): Refusal | undefined {
  const at = vmaAt(raw, mm, first);
  const kind = at === 0 ? VMA_KIND.anon : raw.vma.kind[at];
  if (kind !== VMA_KIND.dax && kind !== VMA_KIND.special) return undefined;
  const message = `khugepaged never looks at "${vma.name}": it maps a device, or is special`;
  return { key: '', message, hint: 'name a VMA of another kind' };
}

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
