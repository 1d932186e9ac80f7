/**
 * Random sequences of operations on small machines: whatever processes, devices, reclaim and khugepaged do, in whatever
 * order and at the same time, no process notices it, memory is accounted for, and nothing is left over (invariants I1, I2,
 * I4, I5 and I6 of khugepaged spec 19).
 *
 * THPLAB_STRESS=20 THPLAB_SEED=random runs twenty times as many sequences, and others. A failure prints its steps and a
 * line to repeat it.
 */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { stressParameters, stressReport } from './testing/stress/report.js';
import { anySequence, runSequence } from './testing/stress/sequences.js';

const STEPS = 100;

describe('random operations', () => {
  it('one after the other keep every page, frame and reference', { timeout: 24 * 3_600_000 }, () => {
    const { replayPath, ...parameters } = stressParameters('alone', 1450);
    fc.assert(fc.property(anySequence(STEPS, 0, replayPath), runSequence), {
      ...parameters,
      reporter: stressReport('alone'),
    });
  });

  it('some of them at the same time keep every page, frame and reference', { timeout: 24 * 3_600_000 }, () => {
    const { replayPath, ...parameters } = stressParameters('together', 560);
    fc.assert(fc.property(anySequence(STEPS, 2, replayPath), runSequence), {
      ...parameters,
      reporter: stressReport('together'),
    });
  });
});
