/** The event `hint`: somebody asks khugepaged to look at ranges first. */
import { HINT_ADD, type HintAddOutcome } from '@thplab/khugepaged-scheduler';
import { ERRNO, type MmId } from '@thplab/mm-model';
import { type Procedure, preempt, spend } from '@thplab/sync';
import { hintRange } from '../../hints/hint-range.js';
import { asUser } from '../mm-user.js';
import { targets } from './memory-steps.js';
import type { Plan, Step } from './step.js';

/** What a system call would return for it, as there is none. */
const ERRNOS: Readonly<Record<HintAddOutcome, number>> = {
  [HINT_ADD.queued]: 0,
  [HINT_ADD.duplicate]: 0,
  [HINT_ADD.no_queue]: 0,
  [HINT_ADD.bad_arguments]: ERRNO.EINVAL,
  [HINT_ADD.mapped_large_enough]: ERRNO.EEXIST,
  [HINT_ADD.not_registered]: ERRNO.EINVAL,
  [HINT_ADD.no_memory]: ERRNO.ENOMEM,
  [HINT_ADD.contended]: ERRNO.EAGAIN,
  [HINT_ADD.exited]: ERRNO.ESRCH,
};

/** One hint for each PMD range that the pages lie in, in the order of the pages. Gives the errno of the last refusal. */
export const planHint: Plan<'hint'> = (world, action, execution) =>
  targets(world, action, execution).map(({ span, pages }): Step => {
    const { process } = span;
    const { priority, maxOrder } = action;
    return { process, procedure: () => asUser(world.m, process, () => hintEach(process.mm, pages)) };

    function* hintEach(mm: MmId, all: Float64Array): Procedure<number> {
      yield spend(world.m.costs.syscall);
      let error = 0;
      let before = -1;
      for (const page of all) {
        const block = Math.floor(page / world.m.ptes);
        if (block === before) continue;
        before = block;
        const outcome = yield* hintRange(world, { mm, page, priority, maxOrder });
        if (ERRNOS[outcome] !== 0) error = -ERRNOS[outcome];
        yield preempt();
      }
      return error;
    }
  });
