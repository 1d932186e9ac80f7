import { type CostTable, DEFAULT_COSTS } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { fitCosts, type MeasuredTimes } from './fit.js';
import { predictCollapse } from './predict.js';
import { CALIBRATION, UNSEEN } from './workloads.js';

/** What a machine with these costs would measure. */
function measuredOn(costs: Partial<CostTable>): MeasuredTimes {
  const c = { ...DEFAULT_COSTS, ...costs };
  const emptyCall = c.syscall + c.scanVisit + 2 * c.lruDrainCpu;
  const alloc = c.allocBase + 9 * c.allocPerOrder;
  const fault = c.faultBase + c.allocBase + c.zeroPage + c.setPte;
  const times = Object.fromEntries(
    Object.entries(CALIBRATION).map(([name, workload]) => [name, predictCollapse(workload, costs, 'v6.18')]),
  ) as Record<keyof typeof CALIBRATION, number>;
  return {
    ...times,
    emptyCall,
    refusedScan: emptyCall + 512 * c.scanPte,
    fault,
    hugeFault: fault + alloc + 512 * c.zeroPage,
  };
}

const OTHER = {
  scanPte: 8,
  copyPage: 300,
  zeroPage: 90,
  isolatePage: 150,
  setPte: 10,
  faultBase: 1200,
  lruDrainCpu: 500,
} as const;

describe('costs from measured times', () => {
  it.each([
    ['the default table', {}],
    ['another machine', OTHER],
    ['a slow one', { ...OTHER, copyPage: 4000, zeroPage: 2000 }],
  ])('predict what they were not made from: %s', (_, costs) => {
    const fitted = fitCosts(measuredOn(costs));
    for (const workload of UNSEEN) {
      const ratio = predictCollapse(workload, fitted, 'v6.18') / predictCollapse(workload, costs, 'v6.18');
      expect(Math.abs(ratio - 1), workload.name).toBeLessThan(0.05);
    }
  });

  it('come back as they are', () => {
    const fitted = fitCosts(measuredOn(OTHER));
    for (const name of ['scanPte', 'lruDrainCpu'] as const) expect(fitted[name]).toBeCloseTo(OTHER[name], 6);
    for (const name of ['copyPage', 'zeroPage', 'isolatePage', 'faultBase'] as const) {
      expect(Math.abs((fitted[name] as number) / OTHER[name] - 1), name).toBeLessThan(0.06);
    }
  });

  it('are never negative, however the times contradict each other', () => {
    const nonsense = fitCosts({
      emptyCall: 100_000,
      refusedScan: 5,
      sparse: 10,
      quarter: 9,
      dense: 8,
      hugeInParts: 1,
      fault: 1,
      hugeFault: 2,
    });
    for (const [name, ns] of Object.entries(nonsense)) expect(ns, name).toBeGreaterThan(0);
  });
});

describe('the model’s time of a collapse', () => {
  it('grows with the pages present, and a huge page in parts is cheaper than as many small pages', () => {
    const [sparse, quarter, dense, huge] = ['sparse', 'quarter', 'dense', 'hugeInParts'].map((name) =>
      predictCollapse(CALIBRATION[name as keyof typeof CALIBRATION], {}, 'v6.18'),
    );
    expect(sparse).toBeLessThan(quarter);
    expect(quarter).toBeLessThan(dense);
    expect(huge).toBeLessThan(dense);
  });
});
