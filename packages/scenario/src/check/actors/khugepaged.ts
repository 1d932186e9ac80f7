import { khugepagedDoScan } from '@thplab/khugepaged-scheduler';
import { type ActorKind, actorKind, actorParams } from './actor.js';

/** One pass of the thread over all registered processes (`khugepaged_do_scan`). */
export const khugepaged: ActorKind = actorKind({
  name: 'khugepaged',
  summary: 'one pass of khugepaged over everything that is registered',
  params: actorParams({}, 'nothing'),
  covers: 'page',
  runsIn: 'kernel',
  make:
    ({ k }) =>
    () =>
      khugepagedDoScan(k),
});
