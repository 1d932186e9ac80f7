import { describe, it } from 'vitest';
import { lockCases, runLockCase } from '../testing/lock-suite.js';
import { SequentialExecutor } from './executor.js';

describe.each([
  ['four processors', { cpus: 4 }],
  ['four processors, another seed, lock operations that cost', { cpus: 4, seed: 12345, lockOperationNs: 20 }],
  ['free switches, short slices', { cpus: 4, seed: 7, contextSwitchNs: 0, sliceNs: 1000, wakeupGranularityNs: 0 }],
])('lock suite, sequential, %s', (_, options) => {
  it.each(lockCases.map((lockCase) => [lockCase.name, lockCase] as const))('%s', (_name, lockCase) =>
    runLockCase(lockCase, (world) => new SequentialExecutor(world.domain, options)),
  );
});
