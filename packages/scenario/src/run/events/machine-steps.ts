/** Events that concern the machine: writes to sysfs, failing allocations. */
import { type AllocationFailure, injectAllocationFailure } from '@thplab/mm-model';
import { type Procedure, spend } from '@thplab/sync';
import type { EventAction } from '../../format/index.js';
import { scenarioError } from '../run-error.js';
import { writeFile } from '../write-file.js';
import type { Plan } from './step.js';

export const planSysfs: Plan<'sysfs'> = (world, action) => [
  {
    process: null,
    procedure: function* (): Procedure<number> {
      let error = 0;
      for (const write of action.writes) {
        yield spend(world.m.costs.syscall);
        const outcome = yield* writeFile(world, write.path, write.value);
        if (outcome.errno !== 0) error = outcome.errno;
      }
      return error;
    },
  },
];

export const planFailAllocation: Plan<'failAllocation'> = (world, action, { event }) => [
  {
    process: null,
    procedure: function* (): Procedure<number> {
      try {
        injectAllocationFailure(world.m, ruleOf(action));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw scenarioError(world.locate, event.key, error.message, 'write one rule with a higher count');
      }
      yield spend(0);
      return 0;
    },
  },
];

function ruleOf({ order, which }: Extract<EventAction, { kind: 'failAllocation' }>): AllocationFailure {
  const of = order === null ? {} : { order };
  switch (which.kind) {
    case 'nth':
      return { ...of, nth: which.n, count: 1 };
    case 'count':
      return { ...of, nth: 1, count: which.n };
    case 'every':
      return { ...of, nth: which.n, every: which.n };
  }
}
