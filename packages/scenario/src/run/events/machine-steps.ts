/** Events that concern the machine: writes to sysfs, failing allocations. */
import { writeSysfs } from '@thplab/khugepaged-scheduler';
import { injectAllocationFailure } from '@thplab/mm-model';
import { type Procedure, spend } from '@thplab/sync';
import type { Plan } from './step.js';

export const planSysfs: Plan<'sysfs'> = (world, action) => [
  {
    process: null,
    procedure: function* (): Procedure<number> {
      let error = 0;
      for (const write of action.writes) {
        yield spend(world.m.costs.syscall);
        const outcome = yield* writeSysfs(world.k, write.path, write.value);
        if (outcome.errno !== 0) error = outcome.errno;
      }
      return error;
    },
  },
];

export const planFailAllocation: Plan<'failAllocation'> = (world, action) => [
  {
    process: null,
    procedure: function* (): Procedure<number> {
      const order = action.order === null ? {} : { order: action.order };
      const { which } = action;
      if (which.kind === 'nth') injectAllocationFailure(world.m, { ...order, nth: which.n, count: 1 });
      else if (which.kind === 'count') injectAllocationFailure(world.m, { ...order, nth: 1, count: which.n });
      else injectAllocationFailure(world.m, { ...order, nth: which.n, every: which.n });
      yield spend(0);
      return 0;
    },
  },
];
