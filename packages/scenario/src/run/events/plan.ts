/** The plan of every kind of event. `check` has none: it is judged, not run. */
import type { EventAction } from '../../format/index.js';
import type { World } from '../world.js';
import { planHint } from './hint-steps.js';
import { planFailAllocation, planSysfs } from './machine-steps.js';
import { planAccess, planFault, planLock, planPin, planSwapout, planUnlock, planUnpin } from './memory-steps.js';
import { planExit, planFork, planPrctl } from './process-steps.js';
import {
  planMadvise,
  planMlock,
  planMmap,
  planMprotect,
  planMremap,
  planMunlock,
  planMunmap,
  planUffd,
} from './range-steps.js';
import type { Execution, Plan, Step } from './step.js';

type Kinds = Exclude<EventAction['kind'], 'check'>;

const PLANS: { readonly [K in Kinds]: Plan<K> } = {
  fault: planFault,
  access: planAccess,
  fork: planFork,
  exit: planExit,
  madvise: planMadvise,
  mmap: planMmap,
  munmap: planMunmap,
  mremap: planMremap,
  mprotect: planMprotect,
  mlock: planMlock,
  munlock: planMunlock,
  pin: planPin,
  unpin: planUnpin,
  lock: planLock,
  unlock: planUnlock,
  swapout: planSwapout,
  uffd: planUffd,
  prctl: planPrctl,
  sysfs: planSysfs,
  failAllocation: planFailAllocation,
  hint: planHint,
};

/** The steps of one execution; names mean what they mean now. */
export function planSteps(world: World, execution: Execution): Step[] {
  const { action } = execution.event;
  if (action.kind === 'check') return [];
  const plan = PLANS[action.kind] as Plan<Kinds>;
  return plan(world, action as never, execution);
}

/** The process that an event names; null: it concerns the whole machine. */
export function subjectOf(action: EventAction): string | null {
  if ('span' in action) return action.span.process;
  return 'process' in action ? action.process : null;
}

/** True for actions that go on while others of the same time begin. */
export function runsBeside(action: EventAction): boolean {
  if (action.kind === 'access') return true;
  if (action.kind === 'fault') return action.over > 0;
  return (action.kind === 'pin' || action.kind === 'lock') && action.duration !== null;
}
