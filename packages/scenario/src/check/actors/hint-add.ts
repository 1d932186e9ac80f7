import { khugepagedAddHint } from '@thplab/khugepaged-scheduler';
import { mmapReadLock, mmapReadUnlock, mmdrop, mmgrab, type VmaId, vmaAt } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { z } from 'zod';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type TargetDraft } from './actor.js';

interface Params extends TargetDraft {
  readonly priority?: number | undefined;
  readonly maxOrder?: number | undefined;
}

/**
 * Somebody in the kernel looks a page's VMA up under mmap_lock, gives the lock back, and adds a hint for it. It holds a
 * reference on the mm, but none on its users and none on the VMA: both may be gone by then.
 */
export const hintAdd: ActorKind = actorKind<Params>({
  name: 'hint-add',
  summary: 'asks khugepaged to look at a range first (kernel hints-rfc)',
  needs: 'hints',
  params: actorParams<Params>(
    {
      priority: z.int().min(0).max(1).optional().describe('0, the default, is the higher'),
      maxOrder: z.int().min(0).max(13).optional().describe('order of the largest mapping already present; default 0'),
    },
    'page',
  ),
  covers: 'page',
  runsIn: 'kernel',
  make:
    (stage, { priority = 0, maxOrder = 0 }, target) =>
    () =>
      run(stage, target, priority, maxOrder),
});

function* run({ m, k }: Stage, { mm, first }: Target, priority: number, maxOrder: number): Procedure<void> {
  // The address space has gone before the hint was thought of.
  if (!m.mm.pool.isLive(mm)) return;
  mmgrab(m, mm);
  yield* mmapReadLock(m, mm);
  const vma: VmaId | 0 = vmaAt(m, mm, first);
  yield* mmapReadUnlock(m, mm);
  yield* khugepagedAddHint(k, { mm, vma, page: first, priority, maxOrder });
  mmdrop(m, mm);
}
