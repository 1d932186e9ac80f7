import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.js';

describe('Histogram', () => {
  it('is exact below 32 and has an exact maximum, mean and count', () => {
    const times = new Histogram();
    for (let value = 0; value < 32; value++) times.record(value);
    expect([times.quantile(0.5), times.quantile(0.25), times.quantile(1)]).toEqual([15, 7, 31]);
    expect([times.count, times.total, times.max]).toEqual([32, 496, 31]);
  });

  it('is empty at first, and counts zeros that were not recorded one by one', () => {
    const times = new Histogram();
    expect(times.quantile(0.99)).toBe(0);
    times.record(1000);
    expect([times.quantile(0.5, 1), times.quantile(0.51, 1)]).toEqual([0, 1000]);
  });

  it('gives quantiles at most 1/16 above the true ones, and never below', () => {
    const value = fc.oneof(fc.nat(100), fc.nat(1_000_000), fc.double({ min: 0, max: 2 ** 52, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (values, q) => {
          const times = new Histogram();
          for (const one of values) times.record(one);
          const sorted = [...values].sort((a, b) => a - b);
          const truth = Math.floor(sorted[Math.ceil(q * sorted.length) - 1] as number);
          const found = times.quantile(q);
          expect(found).toBeGreaterThanOrEqual(truth);
          expect(found).toBeLessThanOrEqual(Math.max(truth + 1, truth * (1 + 1 / 16)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('merges as if all had been recorded in one', () => {
    const [a, b, all] = [new Histogram(), new Histogram(), new Histogram()];
    for (let value = 1; value < 5000; value += 7) {
      (value % 2 === 0 ? a : b).record(value, 2);
      all.record(value, 2);
    }
    a.merge(b);
    for (const q of [0.01, 0.5, 0.9, 1]) expect(a.quantile(q)).toBe(all.quantile(q));
    expect([a.count, a.total, a.max]).toEqual([all.count, all.total, all.max]);
  });
});
